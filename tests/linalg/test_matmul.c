#include "linalg/matmul.h"

#include "products.h"
#include "support.h"

static const int sizes[][3] = {
    {1, 1, 1},    {1, 300, 17}, {3, 5, 7},      {3, 520, 1000},  {16, 16, 16}, {17, 257, 769},
    {255, 2, 33}, {64, 1, 127}, {300, 300, 50}, {260, 513, 800}, {1, 64, 64},  {515, 31, 1537},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void check(const float *got, int ldc, bool ta, bool tb, int m, int n, int k, float alpha,
                  const float *a, int lda, const float *b, int ldb, float beta,
                  const float *before) {
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      double want = alpha * exact_product(ta, tb, i, j, k, a, lda, b, ldb);
      want += beta == 0 ? 0 : beta * before[(size_t)i * ldc + j];
      double difference = fabs(got[(size_t)i * ldc + j] - want);
      if (!(difference <= product_tolerance(k))) {
        fail_msg("%d x %d x %d, transposed %d %d, at %d, %d: %g, wanted %g", m, n, k, ta, tb, i, j,
                 got[(size_t)i * ldc + j], want);
      }
    }
  }
}

static void every_transposition_agrees_with_a_double_sum(void **state) {
  (void)state;
  struct error err;
  linalg_set_threads(2);
  for (size_t s = 0; s < SIZES; s++) {
    int m = sizes[s][0], n = sizes[s][1], k = sizes[s][2], gap = 3;
    for (int form = 0; form < 8; form++) {
      bool ta = form & 1, tb = form & 2, add = form & 4;
      int lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
      float *a = random_matrix((size_t)lda * (ta ? k : m), 1);
      float *b = random_matrix((size_t)ldb * (tb ? n : k), 2);
      float *c = random_matrix((size_t)ldc * m, 3), *before = random_matrix((size_t)ldc * m, 3);
      float alpha = add ? -0.5F : 1.0F, beta = add ? 2.0F : 0.0F;
      assert_ok(matmul(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, &err));
      check(c, ldc, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, before);
      for (int i = 0; i < m; i++) { /* the gap between rows is nobody's */
        assert_memory_equal(c + (size_t)i * ldc + n, before + (size_t)i * ldc + n, gap * sizeof *c);
      }
      free(a);
      free(b);
      free(c);
      free(before);
    }
  }
}

static void beta_0_overwrites_what_is_not_a_number(void **state) {
  (void)state;
  struct error err;
  float a[2] = {1, 2}, b[2] = {3, 4}, c = NAN;
  assert_ok(matmul(false, true, 1, 1, 2, 1, a, 2, b, 2, 0, &c, 1, &err));
  assert_true(c == 11);
}

static void an_empty_sum_leaves_beta_times_c(void **state) {
  (void)state;
  struct error err;
  float a = 0, b = 0, c[2] = {3, 4};
  assert_ok(matmul(false, true, 1, 2, 0, 1, &a, 1, &b, 1, 0.5F, c, 2, &err));
  assert_true(c[0] == 1.5F && c[1] == 2);
}

static void strides_below_the_width_are_refused(void **state) {
  (void)state;
  struct error err;
  float a[4] = {0}, c[4];
  assert_fails(matmul(false, false, 2, 2, 2, 1, a, 1, a, 2, 0, c, 2, &err), STATUS_BUG, "strides");
}

static void bits_do_not_depend_on_the_number_of_threads(void **state) {
  (void)state;
  struct error err;
  for (size_t s = 0; s < SIZES; s++) {
    int m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
    for (int form = 0; form < 4; form++) {
      bool ta = form & 1, tb = form & 2;
      float *a = random_matrix((size_t)m * k, 4), *b = random_matrix((size_t)n * k, 5);
      float *one = random_matrix((size_t)m * n, 6), *more = random_matrix((size_t)m * n, 7);
      linalg_set_threads(1);
      assert_ok(matmul(ta, tb, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, one, n, &err));
      for (int threads = 2; threads <= 3; threads++) {
        linalg_set_threads(threads);
        assert_int_equal(linalg_threads(), threads);
        assert_ok(matmul(ta, tb, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, more, n, &err));
        assert_memory_equal(one, more, (size_t)m * n * sizeof *one);
      }
      free(a);
      free(b);
      free(one);
      free(more);
    }
  }
}

/* So that ranks may split the rows of a product as they like. */
static void bits_of_a_row_do_not_depend_on_its_neighbours(void **state) {
  (void)state;
  struct error err;
  static const int inner[] = {16, 100, 576, 1000, 1024, 2048}, widths[] = {1, 64, 300, 576};
  static const int parts[] = {1, 2, 7, 16, 33, 100, 256, 265};
  linalg_set_threads(2);
  int m = 300;
  for (size_t s = 0; s < 24; s++) {
    int k = inner[s % 6], n = widths[s / 6];
    float *a = random_matrix((size_t)m * k, 8), *w = random_matrix((size_t)n * k, 9);
    float *whole = random_matrix((size_t)m * n, 1), *split = random_matrix((size_t)m * n, 1);
    assert_ok(matmul(false, true, m, n, k, -1, a, k, w, k, 1, whole, n, &err));
    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++) {
      float *fresh = random_matrix((size_t)m * n, 1);
      memcpy(split, fresh, (size_t)m * n * sizeof *split);
      for (int i = 0; i < m; i += parts[p]) {
        int rows = m - i < parts[p] ? m - i : parts[p];
        assert_ok(matmul(false, true, rows, n, k, -1, a + (size_t)i * k, k, w, k, 1,
                         split + (size_t)i * n, n, &err));
      }
      if (memcmp(whole, split, (size_t)m * n * sizeof *split) != 0) {
        fail_msg("%d x %d x %d in parts of %d rows", m, n, k, parts[p]);
      }
      free(fresh);
    }
    free(a);
    free(w);
    free(whole);
    free(split);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_transposition_agrees_with_a_double_sum),
      cmocka_unit_test(beta_0_overwrites_what_is_not_a_number),
      cmocka_unit_test(an_empty_sum_leaves_beta_times_c),
      cmocka_unit_test(strides_below_the_width_are_refused),
      cmocka_unit_test(bits_do_not_depend_on_the_number_of_threads),
      cmocka_unit_test(bits_of_a_row_do_not_depend_on_its_neighbours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
