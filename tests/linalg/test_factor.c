#include "linalg/factor.h"
#include "linalg/factor_local.h"
#include "linalg/matmul.h"
#include "spd.h"
#include "support.h"

static const struct group *alone(void) {
  static struct group g;
  g = group_single();
  return &g;
}

static float *copy(const float *from, int n) {
  size_t bytes = (size_t)n * (size_t)n * sizeof *from;
  float *p = malloc(bytes);
  memcpy(p, from, bytes);
  return p;
}

static void u_factors_the_inverse_at_every_order(void **state) {
  (void)state;
  const int orders[] = {1, 2, 3, 100, 191, 192, 193, 300, 385};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    int n = orders[i];
    float *h = spd_make(n, 3 + i), *u = copy(h, n);
    struct error err;
    double used;
    assert_ok(factor_inverse_upper(u, n, 0.01, FACTOR_LOCAL, alone(), &used, &err));
    assert_true(used == 0.01);
    assert_true(spd_residual(h, u, n, 0.01) < 1e-5);
    for (int r = 0; r < n; r++) {
      for (int c = 0; c < r; c++) {
        assert_true(u[(size_t)r * (size_t)n + (size_t)c] == 0);
      }
    }
    free(h);
    free(u);
  }
}

static void bits_do_not_depend_on_the_number_of_threads(void **state) {
  (void)state;
  int n = 700, before = linalg_threads();
  float *h = spd_make(n, 21), *one = copy(h, n), *three = copy(h, n);
  struct error err;
  double used;
  linalg_set_threads(1);
  assert_ok(factor_inverse_upper(one, n, 0.01, FACTOR_LOCAL, alone(), &used, &err));
  linalg_set_threads(3);
  assert_ok(factor_inverse_upper(three, n, 0.01, FACTOR_LOCAL, alone(), &used, &err));
  linalg_set_threads(before);
  assert_memory_equal(one, three, (size_t)n * (size_t)n * sizeof *one);
  free(h);
  free(one);
  free(three);
}

/* By either inverse, whatever the order would choose. */
static float *factor_by(const float *h, int n, bool single, int threads) {
  struct factor_local f;
  struct error err;
  bool positive = false;
  int before = linalg_threads();
  float *u = copy(h, n);
  linalg_set_threads(threads);
  assert_ok(factor_local_open(&f, n, &err));
  assert_true(f.single == (n >= FACTOR_SINGLE_FROM));
  f.single = single;
  assert_ok(factor_local_try(&f, u, 0.001, &positive, &err));
  assert_true(positive);
  factor_local_close(&f);
  linalg_set_threads(before);
  return u;
}

static void single_precision_inverse_agrees_with_the_double_one(void **state) {
  (void)state;
  const int orders[] = {1, 192, 193, 610};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    int n = orders[i];
    size_t count = (size_t)n * (size_t)n;
    float *h = spd_make(n, 40 + i), *fine = factor_by(h, n, false, 1);
    float *one = factor_by(h, n, true, 1), *three = factor_by(h, n, true, 3);
    double largest = 0, apart = 0;
    for (size_t j = 0; j < count; j++) {
      largest = fmax(largest, fabs((double)fine[j]));
      apart = fmax(apart, fabs((double)fine[j] - (double)one[j]));
    }
    assert_true(apart < 1e-6 * largest);
    assert_memory_equal(one, three, count * sizeof *one);
    free(h);
    free(fine);
    free(one);
    free(three);
  }
}

static void nan_and_infinity_are_refused(void **state) {
  (void)state;
  const float bad[] = {NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < 3; i++) {
    float *h = spd_make(10, 5);
    struct error err;
    double used;
    h[7 * 10 + 3] = h[3 * 10 + 7] = bad[i];
    assert_fails(factor_inverse_upper(h, 10, 0.01, FACTOR_LOCAL, alone(), &used, &err),
                 STATUS_NUMERIC, "not finite");
    free(h);
  }
}

/* Eigenvalues 1 ± 1.5: only a damping above 0.5 helps. */
static void indefinite_matrices_are_damped_tenfold_until_they_work(void **state) {
  (void)state;
  const float h[] = {1, 1.5F, 1.5F, 1};
  float u[4];
  struct error err;
  double used;
  memcpy(u, h, sizeof u);
  assert_ok(factor_inverse_upper(u, 2, 0.01, FACTOR_LOCAL, alone(), &used, &err));
  assert_true(fabs(used - 1) < 1e-12);
  assert_true(spd_residual(h, u, 2, used) < 1e-6);
  memcpy(u, h, sizeof u);
  assert_ok(factor_inverse_upper(u, 2, 0, FACTOR_LOCAL, alone(), &used, &err));
  assert_true(fabs(used - 1) < 1e-12);
}

/* Beyond one tile: what makes the matrix indefinite is factored last, so that a failed try has
 * written most tiles. */
static void a_failed_try_leaves_nothing_behind(void **state) {
  (void)state;
  int n = 400;
  size_t width = (size_t)n;
  float *h = spd_make(n, 33), *u, *direct;
  h[1] = h[width] = 1.5F * h[0]; /* the two first inputs, which are factored last */
  h[width + 1] = h[0];
  u = copy(h, n);
  direct = copy(h, n);
  struct error err;
  double used, again;
  assert_ok(factor_inverse_upper(u, n, 0.01, FACTOR_LOCAL, alone(), &used, &err));
  assert_true(used > 0.05);
  assert_true(spd_residual(h, u, n, used) < 1e-5);
  assert_ok(factor_inverse_upper(direct, n, used, FACTOR_LOCAL, alone(), &again, &err));
  assert_memory_equal(u, direct, width * width * sizeof *u);
  free(h);
  free(u);
  free(direct);
}

static void hopeless_matrices_are_refused_after_a_million_times_the_damping(void **state) {
  (void)state;
  float zero[9] = {0}, negative[] = {-1, 0, 0, -1};
  struct error err;
  double used;
  assert_fails(factor_inverse_upper(zero, 3, 0.01, FACTOR_LOCAL, alone(), &used, &err),
               STATUS_NUMERIC, "not positive definite");
  assert_fails(factor_inverse_upper(negative, 2, 0.01, FACTOR_LOCAL, alone(), &used, &err),
               STATUS_NUMERIC, "damping of 10000");
}

static void places_are_parsed_and_auto_takes_the_group_from_the_crossover(void **state) {
  (void)state;
  struct group many = {.comm = MPI_COMM_NULL, .rank = 0, .size = 4};
  assert_int_equal(factor_where_parse("auto"), FACTOR_AUTO);
  assert_int_equal(factor_where_parse("local"), FACTOR_LOCAL);
  assert_int_equal(factor_where_parse("scalapack"), FACTOR_SCALAPACK);
  assert_int_equal(factor_where_parse("Local"), -1);
  assert_false(factor_is_shared(FACTOR_AUTO, FACTOR_CROSSOVER - 1, &many));
  assert_true(factor_is_shared(FACTOR_AUTO, FACTOR_CROSSOVER, &many));
  assert_false(factor_is_shared(FACTOR_AUTO, FACTOR_CROSSOVER, alone()));
  assert_false(factor_is_shared(FACTOR_LOCAL, FACTOR_CROSSOVER, &many));
}

static void without_mpi_scalapack_falls_back_to_this_process(void **state) {
  (void)state;
  float *h = spd_make(20, 9), *u = copy(h, 20);
  struct error err;
  double used;
  assert_ok(factor_inverse_upper(u, 20, 0.01, FACTOR_SCALAPACK, alone(), &used, &err));
  assert_true(spd_residual(h, u, 20, 0.01) < 1e-5);
  free(h);
  free(u);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(u_factors_the_inverse_at_every_order),
      cmocka_unit_test(bits_do_not_depend_on_the_number_of_threads),
      cmocka_unit_test(single_precision_inverse_agrees_with_the_double_one),
      cmocka_unit_test(nan_and_infinity_are_refused),
      cmocka_unit_test(indefinite_matrices_are_damped_tenfold_until_they_work),
      cmocka_unit_test(a_failed_try_leaves_nothing_behind),
      cmocka_unit_test(hopeless_matrices_are_refused_after_a_million_times_the_damping),
      cmocka_unit_test(places_are_parsed_and_auto_takes_the_group_from_the_crossover),
      cmocka_unit_test(without_mpi_scalapack_falls_back_to_this_process),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
