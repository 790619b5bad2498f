/* The link between what NSA says was lost and what accuracy lost: correlations against SciPy 1.17
 * (spearmanr) and pingouin 0.7 (partial_corr), and with them intervals and probabilities against
 * NumPy with CPython's random numbers. */
#include "support.h"

#include <math.h>

#include "attribution/link.h"
#include "eval/correlation.h"

enum { SEED = 5 };

/* Three data sets, two methods, six draws; some are missing. */
static const struct link_point points[] = {
    {0, 0, {0.124, 0.227, 1.22}, 0.12}, {0, 1, {0.127, 0.251, 1.8}, 0.1},
    {0, 2, {0.24, 0.324, 2.1}, 0.16},   {0, 3, {0.175, 0.382, 2.42}, 0.14},
    {0, 4, {0.247, 0.403, 2.65}, 0.16}, {0, 5, {0.203, 0.493, 2.78}, 0.16},
    {0, 0, {0.171, 0.446, 2.24}, 0.14}, {0, 1, {0.214, 0.494, 2.36}, 0.14},
    {0, 2, {0.237, 0.522, 2.98}, 0.16}, {0, 3, {0.199, 0.568, 3.25}, 0.16},
    {0, 4, {0.248, 0.646, 3.71}, 0.2},  {0, 5, {0.216, 0.693, 4.08}, 0.18},
    {1, 0, {0.221, 0.211, 1.5}, 0.26},  {1, 1, {0.176, 0.293, 1.89}, 0.24},
    {1, 2, {0.231, 0.308, 1.78}, 0.28}, {1, 3, {0.214, 0.381, 1.93}, 0.26},
    {1, 4, {0.318, 0.449, 2.5}, 0.3},   {1, 5, {0.258, 0.48, 2.52}, 0.26},
    {1, 0, {0.211, 0.408, 2.03}, 0.26}, {1, 1, {0.266, 0.495, 2.53}, 0.28},
    {1, 2, {0.254, 0.53, 2.94}, 0.28},  {1, 3, {0.261, 0.572, 3.33}, 0.26},
    {1, 4, {0.328, 0.626, 3.53}, 0.28}, {1, 5, {0.308, 0.651, 3.87}, 0.3},
    {2, 0, {0.263, 0.223, 1.41}, 0.14}, {2, 1, {0.294, 0.251, 1.34}, 0.16},
    {2, 2, {0.265, 0.323, 1.96}, 0.14}, {2, 3, {0.291, 0.368, 2.26}, 0.14},
    {2, 4, {0.357, 0.401, 2.54}, 0.18}, {2, 5, {0.322, 0.49, 2.64}, 0.16},
    {2, 3, {0.279, 0.59, 3.4}, 0.14},   {2, 4, {0.361, 0.632, 3.68}, 0.18},
    {2, 5, {0.329, 0.69, 3.66}, 0.18},
};
enum { COUNT = sizeof points / sizeof *points };

static const struct link_estimate wanted[LINK_SCOPES][2 * LINK_PREDICTORS] = {
    {
        {0.34250337917013635, {0.03282858376253352, 0.4977240202688956}, 0.00019998000199980003},
        {0.3399638088846435, {0.1563186027418531, 0.4265802823019995}, 0.0005999400059994001},
        {0.29812063858165855, {0.0424937677658607, 0.436686017265399}, 0.0005999400059994001},
        {0.2835194039197975, {0.02685948956415489, 0.40168807146285473}, 0.0051994800519948},
        {0.2474674102384467, {0.1485605525244643, 0.32428292143062243}, 0.0027997200279972004},
        {0.1840883611135511, {0.028374258269366553, 0.34082397828726846}, 0.0005999400059994001},
    },
    {
        {0.8335806601996698, {0.5404600488353923, 0.9174085711753149}, 0.00019998000199980003},
        {0.6356855922232735, {0.2829842399853393, 0.8289091234925926}, 0.0005999400059994001},
        {0.633443578613269, {0.21016119786466977, 0.8442606644018967}, 0.0005999400059994001},
        {0.713549317774806, {0.415046008907264, 0.8571138894104404}, 0.00019998000199980003},
        {0.22852855018492607, {-0.11434566802726087, 0.5818849755633985}, 0.2283771622837716},
        {0.21681590122299943, {-0.16737057582639256, 0.5923990972027613}, 0.24757524247575244},
    },
};

static void assert_near(double got, double want) {
  if (!(fabs(got - want) <= 1e-10 * fmax(1, fabs(want)))) {
    fail_msg("%.17g, wanted %.17g", got, want);
  }
}

static void assert_estimates(const struct link *l) {
  for (int s = 0; s < LINK_SCOPES; s++) {
    for (int k = 0; k < 2 * LINK_PREDICTORS; k++) {
      const struct link_estimate *w = &wanted[s][k];
      const struct link_estimate *e =
          k < LINK_PREDICTORS ? &l->plain[s][k] : &l->partial[s][k - LINK_PREDICTORS];
      assert_near(e->rho, w->rho);
      assert_near(e->range.low, w->range.low);
      assert_near(e->range.high, w->range.high);
      assert_near(e->p, w->p);
    }
  }
}

static void estimates_are_those_of_scipy_pingouin_and_numpy(void **state) {
  (void)state;
  struct error err;
  struct link l;
  assert_ok(link_measure(&l, points, COUNT, SEED, &err));
  assert_true(l.points == COUNT && l.strata == 3 && l.draws == 6 && l.left_out == 0);
  assert_estimates(&l);
}

static void overall_it_is_spearman_s_correlation(void **state) {
  (void)state;
  struct error err;
  struct link l;
  double x[COUNT], y[COUNT], rho;
  size_t draw[COUNT];
  struct interval range;
  assert_ok(link_measure(&l, points, COUNT, SEED, &err));
  for (int k = 0; k < LINK_PREDICTORS; k++) {
    for (size_t i = 0; i < COUNT; i++) {
      x[i] = points[i].predictor[k];
      y[i] = points[i].drop;
      draw[i] = points[i].draw;
    }
    assert_ok(spearman(x, y, COUNT, &rho, &err));
    assert_ok(spearman_interval(x, y, draw, COUNT, 6, SEED, &range, &err));
    assert_near(l.plain[LINK_OVERALL][k].rho, rho);
    assert_near(l.plain[LINK_OVERALL][k].range.low, range.low);
    assert_near(l.plain[LINK_OVERALL][k].range.high, range.high);
  }
}

static void points_with_gaps_are_left_out_and_numbers_may_have_gaps(void **state) {
  (void)state;
  struct error err;
  struct link l;
  struct link_point more[COUNT + 4];
  memcpy(more, points, sizeof points);
  for (size_t i = 0; i < COUNT; i++) {
    more[i].stratum = 3 * points[i].stratum + 4;
    more[i].draw = 2 * points[i].draw + 1;
  }
  for (size_t i = COUNT; i < COUNT + 4; i++) {
    more[i] = points[0];
  }
  more[COUNT].predictor[LINK_NSA] = NAN;
  more[COUNT + 1].predictor[LINK_LAYER_ERROR] = NAN;
  more[COUNT + 2].predictor[LINK_PERPLEXITY] = NAN;
  more[COUNT + 3].drop = NAN;
  assert_ok(link_measure(&l, more, COUNT + 4, SEED, &err));
  assert_true(l.points == COUNT && l.strata == 3 && l.draws == 6 && l.left_out == 4);
  assert_estimates(&l);
}

static void assert_nothing(const struct link_estimate *e) {
  assert_true(isnan(e->rho) && isnan(e->range.low) && isnan(e->range.high) && isnan(e->p));
}

static void what_cannot_be_told_is_not_a_number(void **state) {
  (void)state;
  struct error err;
  struct link l;
  struct link_point flat[COUNT];
  assert_ok(link_measure(&l, points, LINK_POINTS_LEAST - 1, SEED, &err));
  assert_int_equal(l.points, LINK_POINTS_LEAST - 1);
  assert_nothing(&l.plain[LINK_OVERALL][LINK_NSA]);
  assert_nothing(&l.partial[LINK_WITHIN][LINK_PERPLEXITY]);
  assert_ok(link_measure(&l, NULL, 0, SEED, &err));
  assert_true(l.points == 0 && l.left_out == 0);
  memcpy(flat, points, sizeof points);
  for (size_t i = 0; i < COUNT; i++) {
    flat[i].predictor[LINK_LAYER_ERROR] = 1;
    flat[i].draw %= 3;
  }
  assert_ok(link_measure(&l, flat, COUNT, SEED, &err));
  for (int s = 0; s < LINK_SCOPES; s++) {
    assert_nothing(&l.plain[s][LINK_LAYER_ERROR]);
    assert_nothing(&l.partial[s][LINK_LAYER_ERROR]);
    assert_nothing(&l.partial[s][LINK_NSA]); /* given a rival that says nothing */
    assert_near(l.plain[s][LINK_NSA].rho, wanted[s][LINK_NSA].rho);
    assert_near(l.partial[s][LINK_PERPLEXITY].rho, wanted[s][5].rho);
    assert_true(isnan(l.plain[s][LINK_NSA].range.low)); /* three draws */
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(estimates_are_those_of_scipy_pingouin_and_numpy),
      cmocka_unit_test(overall_it_is_spearman_s_correlation),
      cmocka_unit_test(points_with_gaps_are_left_out_and_numbers_may_have_gaps),
      cmocka_unit_test(what_cannot_be_told_is_not_a_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
