/* Paired tests against values computed independently: exact fractions, SciPy 1.10, and CPython's
 * random numbers with numpy's percentiles. */
#include "support.h"

#include <math.h>

#include "eval/significance.h"

static void assert_near(double got, double wanted, double relative) {
  if (!(fabs(got - wanted) <= relative * fabs(wanted))) {
    fail_msg("%.17g, wanted %.17g", got, wanted);
  }
}

static void mcnemar_is_the_exact_two_sided_binomial(void **state) {
  (void)state;
  static const struct {
    size_t a, b;
    double p;
  } cases[] = {
      {0, 0, 1},
      {0, 1, 1},
      {0, 5, 2 / 32.0},
      {1, 5, 14 / 64.0},
      {3, 3, 1},
      {7, 8, 1},
      {10, 25, 0.01667384780012071},
      {120, 180, 0.0006342200069283569},
      {5000, 5200, 0.04878796312682245},
      {40000, 41000, 0.0004478218231375634},
      {0, 900, 2.3661043723335494e-271},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_near(significance_mcnemar(cases[i].a, cases[i].b), cases[i].p, 1e-9);
    assert_near(significance_mcnemar(cases[i].b, cases[i].a), cases[i].p, 1e-9);
  }
  assert_true(significance_mcnemar(0, 2000) >= 0);
  assert_true(significance_mcnemar(0, 2000) < 1e-300);
}

static void holm_steps_down_and_never_decreases(void **state) {
  (void)state;
  static const double p[] = {0.01, 0.04, NAN, 0.03, 0.005}, wanted[] = {0.03, 0.06, 0, 0.06, 0.02};
  double out[5];
  significance_holm(p, 5, out);
  for (int i = 0; i < 5; i++) {
    if (i == 2) {
      assert_true(isnan(out[i]));
    } else {
      assert_near(out[i], wanted[i], 1e-12);
    }
  }
  static const double ties[] = {0.4, 0.02, 0.02}, corrected[] = {0.4, 0.06, 0.06};
  significance_holm(ties, 3, out);
  for (int i = 0; i < 3; i++) {
    assert_near(out[i], corrected[i], 1e-12);
  }
  static const double large[] = {0.9, 0.8};
  significance_holm(large, 2, out);
  assert_true(out[0] == 1 && out[1] == 1);
}

static double mean_difference(const void *user, const struct resample *r) {
  double (*at)(size_t draw, size_t item) = *(double (*const *)(size_t, size_t))user;
  double sum = 0;
  for (size_t k = 0; k < r->draw_count; k++) {
    for (size_t i = 0; i < r->item_count; i++) {
      sum += at(r->draws[k], r->items[i]);
    }
  }
  return sum / (double)(r->draw_count * r->item_count);
}

static double one_draw(size_t draw, size_t item) {
  return ((double)(item * 37 % 11) - 4) / 3 + (double)draw;
}
static double three_draws(size_t draw, size_t item) {
  return ((double)((item * 7 + draw * 5) % 13) - 6) / 5 + (double)draw * 0.1;
}
static double not_finite(size_t draw, size_t item) {
  return item + draw == 3 ? INFINITY : 0;
}

static void the_bootstrap_is_cpythons_with_numpys_percentiles(void **state) {
  (void)state;
  struct error err = {0};
  struct interval got;
  double (*at)(size_t, size_t) = one_draw;
  assert_ok(significance_bootstrap(mean_difference, &at, 40, 1, 7, &got, &err));
  assert_near(got.low, -0.04166666666666667, 1e-12);
  assert_near(got.high, 0.6083333333333334, 1e-12);
  at = three_draws;
  assert_ok(significance_bootstrap(mean_difference, &at, 12, 3, 3, &got, &err));
  assert_near(got.low, -0.21124999999999994, 1e-12);
  assert_near(got.high, 0.41666666666666663, 1e-12);
}

static void a_statistic_that_is_not_finite_has_no_interval(void **state) {
  (void)state;
  struct error err = {0};
  struct interval got = {0, 0};
  double (*at)(size_t, size_t) = not_finite;
  assert_ok(significance_bootstrap(mean_difference, &at, 5, 1, 0, &got, &err));
  assert_true(isnan(got.low) && isnan(got.high));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mcnemar_is_the_exact_two_sided_binomial),
      cmocka_unit_test(holm_steps_down_and_never_decreases),
      cmocka_unit_test(the_bootstrap_is_cpythons_with_numpys_percentiles),
      cmocka_unit_test(a_statistic_that_is_not_finite_has_no_interval),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
