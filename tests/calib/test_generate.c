/* The model's own texts: what is written, and how tokens are chosen. */
#include "calib/scratch.h"

#include <math.h>

#include "calib/choose_token.h"
#include "calib/dense.h"
#include "model/runner.h"

enum { LENGTH = 12 };

static void texts_begin_with_bos_and_draws_differ(void **state) {
  (void)state;
  const char *yaml = "generate: {temperature: 0.9, top_k: 50, top_p: 0.95}\n";
  const struct draw zero = {7, 0, 2, 5, 5, LENGTH}, one = {7, 1, 2, 5, 5, LENGTH};
  const struct draw few = {7, 0, 2, 2, 5, LENGTH};
  struct sequences a = drawn_as(yaml, &zero), b = drawn_as(yaml, &one), c = drawn_as(yaml, &few);
  struct sequences again = drawn_as(yaml, &zero);
  for (size_t i = 0; i < a.count; i++) {
    assert_int_equal(sequences_length(&a, i), LENGTH);
    assert_int_equal(sequences_at(&a, i)[0], model_bos(model));
  }
  assert_apart(&a, &b);
  assert_prefix(&c, &a);
  assert_prefix(&again, &a);
  sequences_free(&a);
  sequences_free(&b);
  sequences_free(&c);
  sequences_free(&again);
}

/* Whether each token of a sequence is the most probable one behind those before it. */
static void assert_greedy(const struct sequences *s, size_t i, size_t from) {
  struct error err = {0};
  struct runner *runner;
  struct query queries[LENGTH];
  struct answer answers[LENGTH];
  const struct span span = {.length = LENGTH};
  for (size_t k = 0; k + 1 < LENGTH; k++) {
    queries[k] = (struct query){(int32_t)k, sequences_at(s, i)[k + 1]};
  }
  const struct work work = {.batch = {sequences_at(s, i), LENGTH, &span, 1},
                            .queries = queries,
                            .count = LENGTH - 1,
                            .answers = answers};
  assert_ok(runner_open(&runner, model, NULL, 1 << 30, &err));
  assert_ok(runner_answer(runner, &work, 1, &err));
  runner_close(runner);
  for (size_t k = from; k + 1 < LENGTH; k++) {
    if (sequences_at(s, i)[k] != model_eos(model)) {
      assert_true(answers[k].greedy);
    }
  }
}

static void one_choice_is_the_most_probable_token_of_the_whole_model(void **state) {
  (void)state;
  struct error err = {0};
  const struct draw draw = {0, 0, 1, 2, 2, LENGTH};
  struct sequences s = drawn_as("generate: {top_k: 1, prompt: \"And God said\"}\n", &draw);
  struct ids prompt = {0};
  assert_ok(
      tokenizer_encode(tokenizer, "And God said", strlen("And God said"), true, &prompt, &err));
  assert_memory_equal(sequences_at(&s, 0), prompt.at, prompt.count * sizeof *prompt.at);
  assert_greedy(&s, 0, prompt.count - 1);
  assert_true(same_sequence(&s, 0, &s, 1));
  ids_free(&prompt);
  sequences_free(&s);
}

static void beginnings_come_from_different_documents(void **state) {
  (void)state;
  const char *yaml = "generate: {from: begin, tokens: 3}\n";
  bool seen[8] = {0};
  for (int d = 0; d < 2; d++) {
    const struct draw draw = {0, d, 2, 3, 3, LENGTH};
    struct sequences s = drawn_as(yaml, &draw);
    for (size_t i = 0; i < s.count; i++) {
      int document = sequences_at(&s, i)[0] / 100;
      assert_int_equal(sequences_at(&s, i)[2], document * 100 + 2);
      assert_false(seen[document]);
      seen[document] = true;
    }
    sequences_free(&s);
  }
  struct error err = {0};
  struct sequences out = {0};
  const struct draw many = {0, 0, 2, 4, 4, LENGTH};
  assert_fails(draw_as(yaml, &many, &out, &err), STATUS_INPUT,
               "needs 2 draws × 4 beginnings of 3 tokens; begin has 6");
}

static void the_hardest_texts_are_dropped(void **state) {
  (void)state;
  struct error err = {0};
  const struct draw ten = {3, 0, 1, 10, 10, LENGTH}, eight = {3, 0, 1, 8, 8, LENGTH};
  struct sequences all = drawn_as("generate: {}\n", &ten);
  struct sequences kept = drawn_as("generate: {perplexity: {high: 0.8}}\n", &eight);
  double nll[10];
  assert_ok(dense_nll(model, &all, nll, &err));
  size_t k = 0;
  for (size_t i = 0; i < 10; i++) {
    size_t harder = 0;
    for (size_t o = 0; o < 10; o++) {
      harder += nll[o] > nll[i];
    }
    if (harder >= 2) {
      assert_true(same_sequence(&all, i, &kept, k++));
    }
  }
  assert_int_equal(k, 8);
  sequences_free(&all);
  sequences_free(&kept);
}

static void bad_settings_are_refused_with_file_and_line(void **state) {
  (void)state;
  static const struct bad cases[] = {
      {"generate: {temperature: 0}\n", "set.yaml:1: 'temperature' is 0"},
      {"generate: {topk: 5}\n", "set.yaml:1: unknown key 'topk' in generate (did you mean"},
      {"generate: {top_p: 1.5}\n", "set.yaml:1: 'top_p' is 1.5"},
      {"generate: {from: begin}\n", "set.yaml:1: 'from' without 'tokens'"},
      {"generate: {tokens: 4}\n", "set.yaml:1: 'tokens' without 'from'"},
      {"generate: {from: begin, tokens: 2, prompt: a}\n", "set.yaml:1: 'from' beside 'prompt'"},
      {"generate: {from: nobody, tokens: 2}\n", "set.yaml:1: from: unknown calibration set"},
      {"generate: {prompt: a b c d e f g h i j k l m n o p}\n",
       "sequences of 12 tokens that begin with 17 (expected a shorter beginning)"},
      {"generate: {perplexity: {low: 0.5, high: 0.5}}\n", "set.yaml:1: perplexity: low 0.5"},
      {"generate: {perplexity: {lo: 0.5}}\n", "unknown key 'lo' in perplexity"},
      {"generate: 5\n", "set.yaml:1: "},
      {"generate: {top_k: 5}\nsource: x.jsonl\n", "set.yaml:2: source means nothing beside"},
  };
  const struct draw draw = {0, 0, 1, 2, 2, LENGTH};
  assert_refused(cases, sizeof cases / sizeof cases[0], &draw);
}

static const float logits[6] = {0.5F, 2, -1, 2, 1, 0};

/* Shares of 20,000 choices beside the probabilities of those allowed. */
static void assert_shares(const struct token_choice *how, const double *wanted) {
  enum { CHOICES = 20000 };
  struct token_weight scratch[6];
  struct rng rng;
  int counts[6] = {0};
  rng_seed(&rng, 11);
  for (int i = 0; i < CHOICES; i++) {
    counts[choose_token(how, logits, 6, &rng, scratch)]++;
  }
  for (size_t i = 0; i < 6; i++) {
    double share = (double)counts[i] / CHOICES;
    assert_true(fabs(share - wanted[i]) < 0.015);
    assert_true(wanted[i] > 0 || counts[i] == 0);
  }
}

static void tokens_are_chosen_by_their_probability(void **state) {
  (void)state;
  double all[6], cold[6], sum = 0, sum_cold = 0;
  for (size_t i = 0; i < 6; i++) {
    sum += all[i] = exp((double)logits[i]);
    sum_cold += cold[i] = exp((double)logits[i] / 0.5);
  }
  for (size_t i = 0; i < 6; i++) {
    all[i] /= sum;
    cold[i] /= sum_cold;
  }
  assert_shares(&(struct token_choice){1, 1, 0}, all);
  assert_shares(&(struct token_choice){0.5, 1, 0}, cold);
  const double e = exp(1) / (2 * exp(2) + exp(1)), two = exp(2) / (2 * exp(2) + exp(1));
  assert_shares(&(struct token_choice){1, 1, 3}, (double[]){0, two, 0, two, e, 0});
  /* 0.379 + 0.379 reach 0.7, the first alone does not */
  assert_shares(&(struct token_choice){1, 0.7, 0}, (double[]){0, 0.5, 0, 0.5, 0, 0});
  assert_shares(&(struct token_choice){1, 1, 1}, (double[]){0, 1, 0, 0, 0, 0});
  assert_shares(&(struct token_choice){1, 0.01, 0}, (double[]){0, 1, 0, 0, 0, 0});
}

static int set_up(void **state) {
  (void)scratch_open(state);
  write_file("data/begin.jsonl", "{\"input_ids\": [0, 1, 2, 3]}\n{\"input_ids\": [100, 101, 102]}\n"
                                 "{\"input_ids\": [200, 201, 202, 203]}\n{\"input_ids\": [300]}\n"
                                 "{\"input_ids\": [400, 401, 402]}\n"
                                 "{\"input_ids\": [500, 501, 502]}\n"
                                 "{\"input_ids\": [600, 601, 602]}\n");
  write_file("configs/calibration/begin.yaml", "source: begin.jsonl\nids: input_ids\n");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_begin_with_bos_and_draws_differ),
      cmocka_unit_test(one_choice_is_the_most_probable_token_of_the_whole_model),
      cmocka_unit_test(beginnings_come_from_different_documents),
      cmocka_unit_test(the_hardest_texts_are_dropped),
      cmocka_unit_test(bad_settings_are_refused_with_file_and_line),
      cmocka_unit_test(tokens_are_chosen_by_their_probability),
  };
  return cmocka_run_group_tests(tests, set_up, scratch_close);
}
