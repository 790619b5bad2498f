/* Where the rotation of positions depends on the length of the whole sequence, continuations on
 * both sides of that length cannot share a context: their scores are those of each alone. */
#include "support.h"

#include "eval/request.h"

static struct error err;
static char folder[4096];

static void add(struct requests *r, const struct model *m, int continuation) {
  int32_t ids[64];
  for (int i = 0; i < 64; i++) {
    ids[i] = 3 + i * 7 % 50;
  }
  assert_ok(requests_add_ids(r, m, ids, 30, ids + 30, continuation, &err));
}

static void each_continuation_has_its_own_context(void **state) {
  (void)state;
  struct model *m;
  struct runner *runner;
  struct group single = group_single();
  assert_ok(model_open(&m, folder, &err));
  assert_false(model_shares_contexts(m));
  assert_ok(runner_open(&runner, m, NULL, SIZE_MAX, &err));
  struct requests both = {0};
  add(&both, m, 2);
  add(&both, m, 12);
  struct score together[2];
  assert_ok(requests_score(&both, runner, m, &single, NULL, NULL, together, &err));
  for (int i = 0; i < 2; i++) {
    struct requests one = {0};
    struct score alone;
    add(&one, m, i == 0 ? 2 : 12);
    assert_ok(requests_score(&one, runner, m, &single, NULL, NULL, &alone, &err));
    assert_true(alone.loglikelihood == together[i].loglikelihood);
    requests_free(&one);
  }
  requests_free(&both);
  runner_close(runner);
  model_close(m);
}

int main(void) {
  char reference[2048];
  if (!support_folder("reference", reference, sizeof reference)) {
    return support_skip("eval.long_contexts", "no reference folder");
  }
  (void)snprintf(folder, sizeof folder, "%s/families/phi3-longrope", reference);
  const struct CMUnitTest tests[] = {cmocka_unit_test(each_continuation_has_its_own_context)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
