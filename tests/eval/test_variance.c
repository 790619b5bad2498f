/* Spreads and variance components against numpy and SciPy 1.10 (f_oneway), and against the
 * expectations of quadratic forms solved with numpy's matrices; permutations are CPython's. */
#include "support.h"

#include <math.h>

#include "eval/variance.h"

static void assert_near(double got, double wanted) {
  if (!(fabs(got - wanted) <= 1e-12 * fmax(1, fabs(wanted)))) {
    fail_msg("%.17g, wanted %.17g", got, wanted);
  }
}

static void a_spread_has_n_minus_one_and_none_below_two_values(void **state) {
  (void)state;
  static const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
  struct spread s = variance_spread(values, 8);
  assert_int_equal(s.n, 8);
  assert_near(s.mean, 5);
  assert_near(s.sd, sqrt(32.0 / 7));
  assert_true(s.min == 2 && s.max == 9);
  s = variance_spread(values, 1);
  assert_true(s.n == 1 && s.mean == 2 && s.min == 2 && s.max == 2 && isnan(s.sd));
  s = variance_spread(values, 0);
  assert_true(s.n == 0 && isnan(s.mean) && isnan(s.sd) && isnan(s.min) && isnan(s.max));
}

static void an_infinite_value_has_no_deviation(void **state) {
  (void)state;
  static const double values[] = {1, INFINITY, 2};
  struct spread s = variance_spread(values, 3);
  assert_true(s.n == 3 && isinf(s.mean) && isnan(s.sd) && s.min == 1 && isinf(s.max));
}

static void groups_of_unequal_size_are_weighted_by_n0(void **state) {
  (void)state;
  static const double values[] = {0.50, 0.52, 0.55, 0.40, 0.44, 0.61, 0.58, 0.60, 0.66};
  static const int group[] = {0, 0, 0, 1, 1, 2, 2, 2, 2}, draw[] = {0, 1, 2, 0, 1, 0, 1, 2, 3};
  struct variance_components c = variance_components(values, group, draw, 9);
  assert_true(c.groups == 3 && c.subgroups == 9);
  assert_near(c.subgroup, 0.0009236111111111124);
  assert_near(c.group, 0.008448076923076931);
  assert_true(isnan(c.residual));
}

static void replicates_have_a_component_of_their_own(void **state) {
  (void)state;
  static const double values[] = {1.0, 1.3, 2.1, 1.7, 1.9, 2.2, 4.0, 3.5,
                                  3.9, 5.2, 5.0, 5.5, 2.5, 2.4, 2.0};
  static const int group[] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2, 2, 2},
                   draw[] = {0, 0, 1, 2, 2, 2, 0, 0, 1, 2, 2, 2, 0, 0, 1};
  struct variance_components c = variance_components(values, group, draw, 15);
  assert_true(c.groups == 3 && c.subgroups == 8);
  assert_near(c.group, 2.4383890415140415);
  assert_near(c.subgroup, 0.44469780219780125);
  assert_near(c.residual, 0.061190476190477586);
}

static void an_estimate_below_zero_stays_below_zero(void **state) {
  (void)state;
  static const double values[] = {1, 5, 2, 4};
  static const int group[] = {0, 0, 1, 1}, draw[] = {0, 1, 0, 1};
  struct variance_components c = variance_components(values, group, draw, 4);
  assert_near(c.subgroup, 5); /* (8 + 2) / 2 */
  assert_near(c.group, -2.5); /* (0 - 5) / 2 */
}

static void what_a_design_cannot_tell_is_no_number(void **state) {
  (void)state;
  static const double values[] = {1, 2, 4};
  static const int one[] = {0, 0, 0}, three[] = {0, 1, 2};
  struct variance_components c = variance_components(values, one, three, 3);
  assert_true(c.groups == 1 && isnan(c.group) && isnan(c.residual));
  assert_near(c.subgroup, 7.0 / 3);
  c = variance_components(values, three, one, 3);
  assert_true(c.groups == 3 && isnan(c.group) && isnan(c.subgroup) && isnan(c.residual));
  c = variance_components(values, one, one, 3);
  assert_true(isnan(c.group) && isnan(c.subgroup));
  assert_near(c.residual, 7.0 / 3);
  c = variance_components(values, one, one, 0);
  assert_true(c.groups == 0 && isnan(c.group) && isnan(c.subgroup) && isnan(c.residual));
}

static void relabelling_is_cpythons(void **state) {
  (void)state;
  static const double values[] = {0.50, 0.52, 0.55, 0.40, 0.44, 0.61, 0.58, 0.60, 0.66},
                      mixed[] = {1, 4, 2, 3, 5, 2.5, 4.5, 6};
  static const int group[] = {0, 0, 0, 1, 1, 2, 2, 2, 2};
  struct error err;
  double p;
  assert_ok(variance_permutation(values, group, 9, 5, &p, &err));
  assert_near(p, 0.0008999100089991);
  static const int three[] = {0, 0, 0, 1, 1, 2, 2, 2};
  assert_ok(variance_permutation(mixed, three, 8, 0, &p, &err));
  assert_near(p, 0.35396460353964604);
}

static void equal_values_and_single_groups_are_no_evidence(void **state) {
  (void)state;
  static const double equal[] = {0.1, 0.1, 0.1, 0.1};
  static const int two[] = {0, 0, 1, 1}, one[] = {0, 0, 0, 0}, four[] = {0, 1, 2, 3};
  struct error err;
  double p;
  assert_ok(variance_permutation(equal, two, 4, 0, &p, &err));
  assert_near(p, 1);
  assert_ok(variance_permutation(equal, one, 4, 0, &p, &err));
  assert_true(isnan(p));
  assert_ok(variance_permutation(equal, four, 4, 0, &p, &err));
  assert_true(isnan(p));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_spread_has_n_minus_one_and_none_below_two_values),
      cmocka_unit_test(an_infinite_value_has_no_deviation),
      cmocka_unit_test(groups_of_unequal_size_are_weighted_by_n0),
      cmocka_unit_test(replicates_have_a_component_of_their_own),
      cmocka_unit_test(an_estimate_below_zero_stays_below_zero),
      cmocka_unit_test(what_a_design_cannot_tell_is_no_number),
      cmocka_unit_test(relabelling_is_cpythons),
      cmocka_unit_test(equal_values_and_single_groups_are_no_evidence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
