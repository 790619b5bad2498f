/* How much numbers vary, and by what: spreads and variance components. Pure functions. */
#ifndef ESPALIER_EVAL_VARIANCE_H
#define ESPALIER_EVAL_VARIANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct spread {
  size_t n;
  double mean; /* infinite where a value is */
  double sd;   /* n - 1; NaN below two values and where one is infinite */
  double min, max;
};
/* values [n]; all but n are NaN without values. */
struct spread variance_spread(const double *values, size_t n);

/* Variances of a random-effects model in two nested stages,
 *   value = mean + group + subgroup within its group + residual,
 * by the method of moments for unequal numbers (Henderson's method I: Searle, Casella & McCulloch,
 * Variance Components, 1992, section 5.3; with one stage the usual n0). Estimates are raw: one that
 * is below 0 says that the component is too small to be told from what lies under it. NaN: not to
 * be estimated from such a design. Without replicates (one value per subgroup) the subgroup's
 * variance has the residual in it and residual is NaN; with one subgroup in each group and no
 * replicates all three are NaN. */
struct variance_components {
  size_t groups, subgroups;
  double group, subgroup, residual;
};
/* values, group, subgroup [n]: values of a group stand together, and in it those of a subgroup.
 * Values are finite. */
struct variance_components variance_components(const double *values, const int *group,
                                               const int *subgroup, size_t n);

enum { VARIANCE_PERMUTATIONS = 10000 };

/* Whether groups differ by more than what varies in them: the share, (1 + hits) / (1 +
 * VARIANCE_PERMUTATIONS), of random relabellings of the values whose sum of squares between groups
 * is at least the observed one. A one-sided test, exact where values may change places between
 * groups; random numbers are those of CPython's Random(seed), a shuffle of the values each. NaN
 * with fewer than two groups or no more values than groups. As above, a group's values stand
 * together. */
status variance_permutation(const double *values, const int *group, size_t n, unsigned seed,
                            double *p, struct error *err);

#endif
