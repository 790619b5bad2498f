/* Paired wins, Kendall's W and Spearman's correlation against SciPy 1.10 (binomtest,
 * friedmanchisquare, spearmanr), full enumeration in Python, and CPython's random numbers. */
#include "support.h"

#include <math.h>

#include "eval/agreement.h"
#include "eval/correlation.h"

static void assert_near(double got, double wanted) {
  if (!(fabs(got - wanted) <= 1e-12 * fmax(1, fabs(wanted)))) {
    fail_msg("%.17g, wanted %.17g", got, wanted);
  }
}

static void ties_are_half_a_win_and_no_part_of_the_test(void **state) {
  (void)state;
  static const double a[] = {0.5, 0.6, 0.7, 0.7, 0.8}, b[] = {0.4, 0.6, 0.6, 0.8, 0.7};
  struct paired_wins w = paired_wins(a, b, 5, false);
  assert_true(w.pairs == 5 && w.wins == 3 && w.ties == 1 && w.losses == 1);
  assert_near(w.beats, 0.7);
  assert_near(w.difference, 0.04);
  assert_near(w.p, 0.625);
  w = paired_wins(a, b, 5, true);
  assert_true(w.wins == 1 && w.ties == 1 && w.losses == 3);
  assert_near(w.beats, 0.3);
  assert_near(w.difference, 0.04);
}

static void infinities_tie_and_no_pairs_are_no_probability(void **state) {
  (void)state;
  static const double a[] = {INFINITY, 3}, b[] = {INFINITY, 4};
  struct paired_wins w = paired_wins(a, b, 2, true);
  assert_true(w.wins == 1 && w.ties == 1 && w.losses == 0 && w.difference == -0.5);
  w = paired_wins(a, b, 0, true);
  assert_true(w.pairs == 0 && isnan(w.beats) && isnan(w.difference) && isnan(w.p));
}

static void equal_values_share_their_rank(void **state) {
  (void)state;
  static const double values[] = {3, 1, 3, 2, 3};
  static const int64_t wanted[] = {8, 2, 8, 4, 8};
  size_t order[5];
  int64_t got[5];
  rank_doubled(values, 5, order, got);
  assert_memory_equal(got, wanted, sizeof got);
}

static const double scores[5][4] = {
    {.5, .6, .7, .4}, {.52, .61, .6, .3}, {.7, .6, .65, .2}, {.5, .5, .7, .45}, {.1, .3, .2, .25}};

static void w_is_corrected_for_ties_and_its_p_sampled_where_orders_are_many(void **state) {
  (void)state;
  struct error err;
  struct concordance c;
  assert_ok(concordance(&scores[0][0], 5, 4, false, 3, &c, &err));
  assert_near(c.w, 0.42857142857142844);
  assert_false(c.exact);
  assert_near(c.p, 0.07989201079892011);
  assert_true(c.first == 2 && c.firsts == 1);
  assert_near(c.mean_rank, 1.8);
}

static void few_orders_are_all_gone_through(void **state) {
  (void)state;
  static const double small[] = {1, 2, 3, 1, 3, 2, 1, 2, 3};
  struct error err;
  struct concordance c;
  assert_ok(concordance(&scores[0][0], 4, 4, false, 0, &c, &err));
  assert_true(c.exact);
  assert_near(c.w, 0.6987179487179485);
  assert_near(c.p, 342.0 / 13824);
  assert_ok(concordance(small, 3, 3, true, 0, &c, &err));
  assert_true(c.exact);
  assert_near(c.w, 7.0 / 9);
  assert_near(c.p, 7.0 / 36);
  assert_int_equal(c.first, 0);
  assert_ok(concordance(small, 3, 3, false, 0, &c, &err));
  assert_near(c.w, 7.0 / 9);
  assert_int_equal(c.first, 2);
}

static void agreement_needs_judges_that_tell_items_apart(void **state) {
  (void)state;
  static const double flat[] = {1, 1, 1, 1}, alike[] = {1, 2, 1, 2};
  struct error err;
  struct concordance c;
  assert_ok(concordance(flat, 2, 2, false, 0, &c, &err));
  assert_true(isnan(c.w) && isnan(c.p) && c.first == 0 && c.firsts == 2);
  assert_ok(concordance(alike, 1, 4, false, 0, &c, &err));
  assert_true(isnan(c.w) && isnan(c.p));
  assert_ok(concordance(alike, 0, 0, false, 0, &c, &err));
  assert_true(isnan(c.w) && isnan(c.p));
  assert_ok(concordance(alike, 2, 2, false, 0, &c, &err));
  assert_near(c.w, 1);
  assert_near(c.p, 0.5);
}

static const double x[] = {.1, .4, .4, .2, .9, .7, .3, .8, .5, .6, .55, .15},
                    y[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8};

static void spearman_is_scipys_and_its_interval_resamples_draws(void **state) {
  (void)state;
  static const size_t draw[] = {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5};
  struct error err;
  struct interval range;
  double rho;
  assert_ok(spearman(x, y, 12, &rho, &err));
  assert_near(rho, 0.45134510744555284);
  assert_ok(spearman_interval(x, y, draw, 12, 6, 2, &range, &err));
  assert_near(range.low, -0.23231371142325183);
  assert_near(range.high, 0.8);
}

static void resamples_without_variation_are_left_out(void **state) {
  (void)state;
  static const double few[] = {1, 1, 1, 2}, fall[] = {4, 3, 2, 1};
  static const size_t draw[] = {0, 1, 2, 3};
  struct error err;
  struct interval range;
  assert_ok(spearman_interval(few, fall, draw, 4, 4, 0, &range, &err));
  assert_near(range.low, -1);
  assert_near(range.high, -0.7745966692414834);
}

static void no_variation_is_no_correlation(void **state) {
  (void)state;
  static const double flat[] = {2, 2, 2, 2};
  static const size_t draw[] = {0, 1, 2, 3};
  struct error err;
  struct interval range;
  double rho;
  assert_ok(spearman(flat, y, 4, &rho, &err));
  assert_true(isnan(rho));
  assert_ok(spearman(x, y, 1, &rho, &err));
  assert_true(isnan(rho));
  assert_ok(spearman_interval(flat, y, draw, 4, 4, 0, &range, &err));
  assert_true(isnan(range.low) && isnan(range.high));
  assert_ok(spearman_interval(x, y, draw, 3, 3, 0, &range, &err));
  assert_true(isnan(range.low) && isnan(range.high));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ties_are_half_a_win_and_no_part_of_the_test),
      cmocka_unit_test(infinities_tie_and_no_pairs_are_no_probability),
      cmocka_unit_test(equal_values_share_their_rank),
      cmocka_unit_test(w_is_corrected_for_ties_and_its_p_sampled_where_orders_are_many),
      cmocka_unit_test(few_orders_are_all_gone_through),
      cmocka_unit_test(agreement_needs_judges_that_tell_items_apart),
      cmocka_unit_test(spearman_is_scipys_and_its_interval_resamples_draws),
      cmocka_unit_test(resamples_without_variation_are_left_out),
      cmocka_unit_test(no_variation_is_no_correlation),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
