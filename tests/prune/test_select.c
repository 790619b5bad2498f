/* Selection against sorting: the rules are defined by sorted lists. */
#include "prune/select.h"
#include "support.h"

enum { MOST = 300000, TALL = 600, WIDE = 251 /* together enough for all threads */ };

static uint64_t seed = 7;

static uint32_t draw(void) {
  seed = seed * 6364136223846793005U + 1442695040888963407U;
  return (uint32_t)(seed >> 33);
}

/* Scores with `levels` distinct values, so that few levels mean many ties. */
static float *make_scores(size_t n, uint32_t levels) {
  float *s = malloc(n * sizeof *s);
  for (size_t i = 0; i < n; i++) {
    s[i] = (float)(draw() % levels) * 1.25e-3F;
  }
  return s;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

static float *sorted(const float *scores, size_t n) {
  float *s = malloc(n * sizeof *s);
  memcpy(s, scores, n * sizeof *s);
  qsort(s, n, sizeof *s, ascending);
  return s;
}

static void nth_is_what_sorting_gives(void **state) {
  (void)state;
  const size_t sizes[] = {1, 2, 3, 100, 4097, MOST};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    size_t n = sizes[i];
    float *s = make_scores(n, i % 2 ? 17 : 1U << 30), *order = sorted(s, n);
    for (int probe = 0; probe < 20; probe++) {
      size_t k = probe == 0 ? 0 : probe == 1 ? n - 1 : draw() % n;
      assert_true(select_nth(s, n, k) == order[k]);
    }
    free(s);
    free(order);
  }
}

static void nth_orders_denormals_infinity_and_both_zeros(void **state) {
  (void)state;
  const float s[] = {1e-45F, __builtin_inff(), -0.0F, 3e38F, 0, 1e-39F};
  const float want[] = {0, 0, 1e-45F, 1e-39F, 3e38F, __builtin_inff()};
  for (size_t k = 0; k < 6; k++) {
    assert_true(select_nth(s, 6, k) == want[k]);
  }
}

static void threshold_is_the_score_at_the_floor_of_the_share(void **state) {
  (void)state;
  const float s[] = {4, 2, 0, 3, 1};
  assert_true(select_threshold(s, 5, 0.5) == 2);  /* int(2.5) */
  assert_true(select_threshold(s, 5, 0.6) == 3);  /* int(3.0) */
  assert_true(select_threshold(s, 5, 0.19) == 0); /* int(0.95) */
  assert_true(select_threshold(s, 5, 0) < 0);     /* nothing goes */
  assert_true(select_threshold(s, 5, 1 - 1e-16) == 4);
}

/* The definition of the row rule: a stable ascending sort, of which the first `count` go. */
static void stable_reference(const float *scores, float *w, size_t n, size_t count) {
  for (size_t i = 0; i < n; i++) {
    size_t before = 0;
    for (size_t j = 0; j < n; j++) {
      before += scores[j] < scores[i] || (scores[j] == scores[i] && j < i);
    }
    if (before < count) {
      w[i] = 0;
    }
  }
}

static void smallest_go_and_ties_go_from_the_left(void **state) {
  (void)state;
  const size_t n = 257;
  for (uint32_t levels = 1; levels < 2000; levels = levels * 3 + 1) {
    float *s = make_scores(n, levels), got[257], want[257];
    for (size_t count = 0; count < n; count += 32) {
      for (size_t i = 0; i < n; i++) {
        got[i] = want[i] = 1 + (float)i;
      }
      select_smallest(s, got, n, count);
      stable_reference(s, want, n, count);
      assert_memory_equal(got, want, sizeof got);
    }
    free(s);
  }
}

static void groups_lose_their_smallest_and_ties_go_from_the_left(void **state) {
  (void)state;
  const float scores[] = {3, 1, 2, 0, /**/ 5, 5, 5, 5, /**/ 0, 9, 0, 0};
  float w[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  const float want[] = {1, 0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1};
  select_groups(scores, w, 12, 2, 4);
  assert_memory_equal(w, want, sizeof w);
}

static void count_is_the_floor_and_never_everything(void **state) {
  (void)state;
  assert_int_equal(select_count(10, 0.5), 5);
  assert_int_equal(select_count(11, 0.5), 5);
  assert_int_equal(select_count(10, 0.7), 7);
  assert_int_equal(select_count(100, 0.29), 28); /* 100·0.29 is below 29 in float64 */
  assert_int_equal(select_count(3, 1 - 1e-16), 2);
}

/* Scores of row r: those kept for it, spoilt if the rules ask with weights that are not as they
 * came. */
static void stored_row(const void *user, int row, const float *weights, float *scores) {
  for (int j = 0; j < WIDE; j++) {
    scores[j] = weights[j] * ((const float *)user)[(size_t)row * WIDE + (size_t)j];
  }
}

static float *ones(size_t n) {
  float *w = malloc(n * sizeof *w);
  for (size_t i = 0; i < n; i++) {
    w[i] = 1;
  }
  return w;
}

static void matrix_rule_drops_what_the_sorted_list_says(void **state) {
  (void)state;
  const size_t n = (size_t)TALL * WIDE;
  const struct sparsity half = {.ratio = 0.5};
  for (uint32_t levels = 5; levels < 1U << 30; levels = levels * levels * 3) {
    float *s = make_scores(n, levels), *order = sorted(s, n), *w = ones(n);
    const struct scoring scoring = {.user = s, .row = stored_row};
    struct error err;
    assert_ok(select_matrix(&scoring, w, TALL, WIDE, &half, &err));
    for (size_t i = 0; i < n; i++) {
      assert_true((w[i] == 0) == (s[i] <= order[n / 2]));
    }
    free(s);
    free(order);
    free(w);
  }
}

static void row_rule_drops_each_rows_smallest(void **state) {
  (void)state;
  const struct sparsity some = {.ratio = 0.3};
  float *s = make_scores((size_t)TALL * WIDE, 1000), *w = ones((size_t)TALL * WIDE);
  const struct scoring scoring = {.user = s, .row = stored_row};
  struct error err;
  assert_ok(select_rows(&scoring, w, TALL, WIDE, &some, &err));
  for (size_t r = 0; r < TALL; r++) {
    float want[WIDE];
    for (int j = 0; j < WIDE; j++) {
      want[j] = 1;
    }
    stable_reference(s + r * WIDE, want, WIDE, select_count(WIDE, 0.3));
    assert_memory_equal(w + r * WIDE, want, sizeof want);
  }
  free(s);
  free(w);
}

static void nothing_goes_at_a_sparsity_of_zero(void **state) {
  (void)state;
  const struct sparsity none = {.ratio = 0};
  float *s = calloc((size_t)3 * WIDE, sizeof *s), *w = ones((size_t)3 * WIDE);
  const struct scoring scoring = {.user = s, .row = stored_row};
  struct error err;
  assert_ok(select_rows(&scoring, w, 3, WIDE, &none, &err));
  assert_ok(select_matrix(&scoring, w, 3, WIDE, &none, &err));
  for (int i = 0; i < 3 * WIDE; i++) {
    assert_true(w[i] == 1);
  }
  free(s);
  free(w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nth_is_what_sorting_gives),
      cmocka_unit_test(nth_orders_denormals_infinity_and_both_zeros),
      cmocka_unit_test(threshold_is_the_score_at_the_floor_of_the_share),
      cmocka_unit_test(smallest_go_and_ties_go_from_the_left),
      cmocka_unit_test(groups_lose_their_smallest_and_ties_go_from_the_left),
      cmocka_unit_test(matrix_rule_drops_what_the_sorted_list_says),
      cmocka_unit_test(row_rule_drops_each_rows_smallest),
      cmocka_unit_test(nothing_goes_at_a_sparsity_of_zero),
      cmocka_unit_test(count_is_the_floor_and_never_everything),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
