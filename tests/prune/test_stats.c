#include "linalg/matmul.h"
#include "prune/assign.h"
#include "prune/hessian.h"
#include "prune/stats.h"
#include "support.h"

enum { COLS = 150, CALLS = 9, TOKENS = 70 };

static const struct group *alone(void) {
  static struct group g;
  g = group_single();
  return &g;
}

static float *activations(void) {
  float *x = malloc((size_t)CALLS * TOKENS * COLS * sizeof *x);
  uint64_t seed = 4;
  for (size_t i = 0; i < (size_t)CALLS * TOKENS * COLS; i++) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    x[i] = i % COLS == 17 ? 0 : (float)((int32_t)(seed >> 33) % 2001 - 1000) * 1.1e-3F;
  }
  return x;
}

static struct stats gather(const float *x, int first, int step) {
  struct stats s;
  struct error err;
  assert_ok(stats_create(&s, COLS, STATS_SQUARES | STATS_SUMS | STATS_GRAM, &err));
  for (int i = 0, call = first; i < CALLS; i++, call = (call + step) % CALLS) {
    assert_ok(stats_add(&s, x + (size_t)call * TOKENS * COLS, TOKENS, 2, &err));
  }
  assert_ok(stats_reduce(&s, alone(), &err));
  return s;
}

static void gram_bits_depend_neither_on_order_nor_on_threads(void **state) {
  (void)state;
  int before = linalg_threads();
  float *x = activations();
  linalg_set_threads(1);
  struct stats a = gather(x, 0, 1);
  linalg_set_threads(3);
  struct stats b = gather(x, 5, 4), c = gather(x, 0, 1);
  linalg_set_threads(before);
  assert_memory_equal(a.gram, b.gram, (size_t)COLS * COLS * sizeof *a.gram);
  assert_memory_equal(a.gram, c.gram, (size_t)COLS * COLS * sizeof *a.gram);
  assert_memory_equal(a.squares, c.squares, COLS * sizeof *a.squares);
  assert_memory_equal(a.sums, c.sums, COLS * sizeof *a.sums);
  stats_free(&a);
  stats_free(&b);
  stats_free(&c);
  free(x);
}

static void sums_are_those_of_the_definition(void **state) {
  (void)state;
  float *x = activations();
  struct stats s = gather(x, 0, 1);
  assert_int_equal(s.tokens, CALLS * TOKENS);
  assert_int_equal(s.samples, 2 * CALLS);
  for (int j = 0; j < COLS; j++) {
    double squares = 0, sums = 0, next = 0;
    for (size_t t = 0; t < CALLS * TOKENS; t++) {
      double v = (double)x[t * COLS + (size_t)j];
      squares += v * v;
      sums += v;
      next += v * (double)x[t * COLS + (size_t)((j + 1) % COLS)];
    }
    float gram = s.gram[j * COLS + (j + 1) % COLS];
    assert_true(s.squares[j] >= squares * (1 - 1e-12) && s.squares[j] <= squares * (1 + 1e-12));
    assert_true(s.sums[j] >= sums - 1e-9 && s.sums[j] <= sums + 1e-9);
    assert_true((double)gram >= next - 2e-4 && (double)gram <= next + 2e-4);
    assert_true(gram == s.gram[(j + 1) % COLS * COLS + j]);
  }
  stats_free(&s);
  free(x);
}

static void clearing_starts_again(void **state) {
  (void)state;
  struct error err;
  float *x = activations();
  struct stats once = gather(x, 0, 1), twice = gather(x, 3, 1);
  stats_clear(&twice);
  for (int i = 0; i < CALLS; i++) {
    assert_ok(stats_add(&twice, x + (size_t)i * TOKENS * COLS, TOKENS, 2, &err));
  }
  assert_ok(stats_reduce(&twice, alone(), &err));
  assert_int_equal(once.tokens, twice.tokens);
  assert_memory_equal(once.gram, twice.gram, (size_t)COLS * COLS * sizeof *once.gram);
  assert_memory_equal(once.squares, twice.squares, COLS * sizeof *once.squares);
  stats_free(&once);
  stats_free(&twice);
  free(x);
}

static void the_hessian_is_scaled_by_samples_and_dead_inputs_get_one(void **state) {
  (void)state;
  float *x = activations(), *h = malloc((size_t)COLS * COLS * sizeof *h);
  struct stats s = gather(x, 0, 1);
  hessian_fill(&s, h);
  assert_true(s.gram[17 * COLS + 17] == 0 && h[17 * COLS + 17] == 1 && h[17 * COLS + 3] == 0);
  assert_true(h[3 * COLS + 5] == s.gram[3 * COLS + 5] * (2.0F / (2 * CALLS)));
  stats_free(&s);
  free(x);
  free(h);
}

static void an_input_that_no_token_reached_leaves_the_choice_to_the_weights(void **state) {
  (void)state;
  struct error err;
  struct stats s;
  float *h = malloc((size_t)COLS * COLS * sizeof *h);
  assert_ok(stats_create(&s, COLS, STATS_SQUARES | STATS_SUMS | STATS_GRAM, &err));
  assert_ok(stats_reduce(&s, alone(), &err));
  assert_int_equal(s.tokens, 0);
  hessian_fill(&s, h);
  for (int j = 0; j < COLS; j++) {
    assert_true(s.squares[j] / (double)s.samples == 1);
    assert_true(h[j * COLS + j] == 2 && (j == 0 || h[j] == 0));
  }
  stats_free(&s);
  free(h);
}

static void work_goes_costliest_first_to_the_idlest_rank(void **state) {
  (void)state;
  const double costs[] = {1, 5, 5, 3, 2};
  double load[3];
  int owner[5];
  const int want[] = {0, 0, 1, 2, 2}; /* 5, 5, 3 to ranks 0, 1, 2; then 2 to rank 2 */
  assign_tasks(costs, 5, 3, load, owner);
  assert_memory_equal(owner, want, sizeof owner);
  assert_true(load[0] == 6 && load[1] == 5 && load[2] == 5);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(gram_bits_depend_neither_on_order_nor_on_threads),
      cmocka_unit_test(sums_are_those_of_the_definition),
      cmocka_unit_test(clearing_starts_again),
      cmocka_unit_test(the_hessian_is_scaled_by_samples_and_dead_inputs_get_one),
      cmocka_unit_test(an_input_that_no_token_reached_leaves_the_choice_to_the_weights),
      cmocka_unit_test(work_goes_costliest_first_to_the_idlest_rank),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
