#include "linalg/matmul.h"
#include "products.h"
#include "support.h"

static const int sizes[][2] = {{1, 1},    {5, 3},     {100, 16},  {7, 129},
                               {64, 300}, {1000, 40}, {33, 1100}, {20, 1500}};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* A symmetric matrix, as a sum of products is. */
static float *symmetric(int n) {
  float *g = random_matrix((size_t)n * n, 11);
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < i; j++) {
      g[(size_t)i * n + j] = g[(size_t)j * n + i];
    }
  }
  return g;
}

static void it_adds_x_transposed_times_x_and_stays_symmetric(void **state) {
  (void)state;
  struct error err;
  linalg_set_threads(2);
  for (size_t s = 0; s < SIZES; s++) {
    int tokens = sizes[s][0], n = sizes[s][1];
    float *x = random_matrix((size_t)tokens * n, 12), *g = symmetric(n), *before = symmetric(n);
    assert_ok(gram_add(g, x, tokens, n, &err));
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        double want = before[(size_t)i * n + j] +
                      (j < i ? 0 : exact_product(true, false, i, j, tokens, x, n, x, n));
        if (j < i) {
          assert_true(g[(size_t)i * n + j] == g[(size_t)j * n + i]);
        } else if (!(fabs(g[(size_t)i * n + j] - want) <=
                     product_tolerance(tokens) + 1e-6 * fabs(want))) {
          fail_msg("%d tokens of %d, at %d, %d: %g, wanted %g", tokens, n, i, j,
                   g[(size_t)i * n + j], want);
        }
      }
    }
    free(x);
    free(g);
    free(before);
  }
}

static void bits_do_not_depend_on_the_number_of_threads(void **state) {
  (void)state;
  struct error err;
  for (size_t s = 0; s < SIZES; s++) {
    int tokens = sizes[s][0], n = sizes[s][1];
    float *x = random_matrix((size_t)tokens * n, 12), *one = symmetric(n);
    linalg_set_threads(1);
    assert_ok(gram_add(one, x, tokens, n, &err));
    for (int threads = 2; threads <= 3; threads++) {
      float *more = symmetric(n);
      linalg_set_threads(threads);
      assert_ok(gram_add(more, x, tokens, n, &err));
      assert_memory_equal(one, more, (size_t)n * n * sizeof *one);
      free(more);
    }
    free(x);
    free(one);
  }
}

static void no_tokens_change_nothing(void **state) {
  (void)state;
  struct error err;
  float g[4] = {1, 2, 2, 3}, x = 0;
  assert_ok(gram_add(g, &x, 0, 2, &err));
  assert_true(g[0] == 1 && g[1] == 2 && g[2] == 2 && g[3] == 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_adds_x_transposed_times_x_and_stays_symmetric),
      cmocka_unit_test(bits_do_not_depend_on_the_number_of_threads),
      cmocka_unit_test(no_tokens_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
