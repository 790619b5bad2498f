/* Sequences that share what they begin with score as each does alone. */
#include "eval/folders.h"

#include <math.h>

#include "attribution/ablation.h"

static char folder[1200];
static struct tokenizer *tokenizer;
static struct model *model;
static struct runner *runner;

static const char *const texts[][4] = {
    {"the small bird in the old garden is", "small bird in the old garden is",
     "the small bird in the garden is", "the small bird in the old garden"},
    {"a city in the north of the country", "a city in the north", "a city",
     "city in the north of the country"},
};
enum { BASES = 2, EACH = 4, ALL = BASES * EACH };
static const char *const continuation = " a very old thing";

/* Other than a base and its shorter texts, some equal it, begin elsewhere or end early. */
static void fill(struct ablations *a) {
  struct error err;
  *a = (struct ablations){0};
  for (size_t i = 0; i < ALL; i++) {
    assert_ok(ablations_belong(a, i / EACH * EACH, &err));
    assert_ok(requests_add_text(&a->requests, tokenizer, model, texts[i / EACH][i % EACH],
                                continuation, false, &err));
  }
}

static void alone(double out[ALL]) {
  struct error err;
  struct group one = group_single();
  for (size_t i = 0; i < ALL; i++) {
    struct requests r = {0};
    struct score s;
    assert_ok(requests_add_text(&r, tokenizer, model, texts[i / EACH][i % EACH], continuation,
                                false, &err));
    assert_ok(requests_score(&r, runner, model, &one, NULL, NULL, &s, &err));
    out[i] = s.loglikelihood;
    requests_free(&r);
  }
}

struct calls {
  int count;
  double last;
};

static status count_calls(void *user, double done, struct error *err) {
  struct calls *c = user;
  (void)err;
  assert_true(done >= c->last && done <= 1);
  c->count++;
  c->last = done;
  return STATUS_OK;
}

static void what_is_shared_scores_as_if_it_were_not(void **state) {
  (void)state;
  static const size_t rows[] = {ABLATION_ROWS, 40, 16, 1};
  struct error err;
  struct ablations a;
  double wanted[ALL], got[ALL];
  fill(&a);
  alone(wanted);
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
    struct calls calls = {0};
    assert_ok(ablations_score(&a, rows[k], runner, model, count_calls, &calls, got, &err));
    for (size_t i = 0; i < ALL; i++) {
      if (!(fabs(got[i] - wanted[i]) <= 1e-6 * fabs(wanted[i]))) {
        fail_msg("%zu rows, request %zu: %.12g, alone %.12g", rows[k], i, got[i], wanted[i]);
      }
    }
    assert_true(calls.count >= model_blocks(model) && calls.last == 1);
  }
  ablations_free(&a);
}

static void none_are_scored_at_once(void **state) {
  (void)state;
  struct error err;
  struct ablations a = {0};
  double none;
  assert_ok(ablations_score(&a, ABLATION_ROWS, runner, model, NULL, NULL, &none, &err));
}

static status stop(void *user, double done, struct error *err) {
  (void)user;
  (void)done;
  return err_set(err, STATUS_TIME, "enough");
}

static void a_stop_is_heard_within_a_batch(void **state) {
  (void)state;
  struct error err;
  struct ablations a;
  double got[ALL];
  fill(&a);
  assert_fails(ablations_score(&a, ABLATION_ROWS, runner, model, stop, NULL, got, &err),
               STATUS_TIME, "enough");
  ablations_free(&a);
}

int main(void) {
  struct error err;
  if (!folders_model("nano-llama", folder, sizeof folder)) {
    return support_skip("attribution.ablation", "nano-llama is not here");
  }
  if (tokenizer_open(&tokenizer, folder, &err) != STATUS_OK ||
      model_open(&model, folder, &err) != STATUS_OK ||
      runner_open(&runner, model, NULL, SIZE_MAX, &err) != STATUS_OK) {
    (void)fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_shared_scores_as_if_it_were_not),
      cmocka_unit_test(none_are_scored_at_once),
      cmocka_unit_test(a_stop_is_heard_within_a_batch),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  runner_close(runner);
  model_close(model);
  tokenizer_close(tokenizer);
  return failed;
}
