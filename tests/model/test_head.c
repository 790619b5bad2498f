/* Log-probabilities and greedy flags against whole logits in double. */
#include <math.h>

#include "linalg/matmul.h"
#include "small_model.h"

enum { ROWS = 1100, PER_ROW = 3, QUERIES = ROWS * PER_ROW };

static void answers_are_the_log_softmax_of_the_logits(void **state) {
  (void)state;
  struct error err;
  linalg_set_threads(2);
  struct model *m = small_model(small_shapes); /* 600 tokens: more than one piece */
  size_t hidden = (size_t)model_hidden(m), vocab = (size_t)model_vocab(m);
  struct workspace *w;
  float *x = NULL, *logits = NULL;
  struct query *queries = NULL;
  struct answer *answers = NULL;
  assert_ok(workspace_create(&w, m, &err));
  assert_ok(mem_alloc(&x, ROWS * hidden, sizeof *x, &err));
  assert_ok(mem_alloc(&logits, vocab, sizeof *logits, &err));
  assert_ok(mem_alloc(&queries, QUERIES, sizeof *queries, &err));
  assert_ok(mem_alloc(&answers, QUERIES, sizeof *answers, &err));
  for (size_t i = 0; i < ROWS * hidden; i++) {
    x[i] = (float)((i * 2654435761U >> 7) % 2048) / 1024.0F - 1.0F;
  }
  int greedy = 0;
  for (int r = 0; r < ROWS; r++) { /* rows backwards: they need not be sorted */
    int row = ROWS - 1 - r;
    assert_ok(forward_logits(m, w, x + (size_t)row * hidden, logits, &err));
    int best = 0;
    for (int t = 1; t < (int)vocab; t++) {
      best = logits[t] > logits[best] ? t : best;
    }
    queries[r * PER_ROW] = (struct query){row, best};
    queries[r * PER_ROW + 1] = (struct query){row, (best + 1) % (int)vocab};
    queries[r * PER_ROW + 2] = (struct query){row, r % (int)vocab};
  }
  assert_ok(forward_head(m, w, x, queries, QUERIES, answers, &err));
  for (int q = 0; q < QUERIES; q++) {
    assert_ok(forward_logits(m, w, x + (size_t)queries[q].row * hidden, logits, &err));
    double sum = 0, max = (double)logits[0];
    for (size_t t = 0; t < vocab; t++) {
      max = fmax(max, (double)logits[t]);
    }
    for (size_t t = 0; t < vocab; t++) {
      sum += exp((double)logits[t] - max);
    }
    double target = (double)logits[queries[q].target];
    assert_true(fabs(answers[q].logprob - (target - max - log(sum))) <= 1e-5);
    assert_int_equal(answers[q].greedy, target == max);
    greedy += answers[q].greedy;
  }
  assert_true(greedy >= ROWS && greedy < QUERIES);
  free(x);
  free(logits);
  free(queries);
  free(answers);
  workspace_free(w);
  model_close(m);
}

static void the_first_of_equal_logits_is_the_greedy_one(void **state) {
  (void)state;
  struct error err;
  struct model *m = small_model(small_shapes);
  int vocab = model_vocab(m);
  struct workspace *w;
  float *x = NULL; /* zeros: every logit is 0 */
  assert_ok(workspace_create(&w, m, &err));
  assert_ok(mem_alloc(&x, (size_t)model_hidden(m), sizeof *x, &err));
  struct query queries[] = {{0, 0}, {0, 1}, {0, 528}, {0, vocab - 1}};
  struct answer answers[4];
  assert_ok(forward_head(m, w, x, queries, 4, answers, &err));
  for (int q = 0; q < 4; q++) {
    assert_int_equal(answers[q].greedy, q == 0);
    assert_true(fabs(answers[q].logprob + log(vocab)) < 1e-7);
  }
  assert_ok(forward_head(m, w, x, queries, 0, answers, &err));
  free(x);
  workspace_free(w);
  model_close(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_are_the_log_softmax_of_the_logits),
      cmocka_unit_test(the_first_of_equal_logits_is_the_greedy_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
