/* Tests of paired results: two models on the same items. Pure functions of numbers. */
#ifndef ESPALIER_EVAL_SIGNIFICANCE_H
#define ESPALIER_EVAL_SIGNIFICANCE_H

#include <stddef.h>

#include "base/error.h"

/* McNemar's exact test (McNemar 1947; exact form: Dixon & Mood 1946): the two-sided binomial
 * probability of a split at least as uneven as (only_a, only_b) among the discordant items when
 * either side is equally likely. min(1, 2 P(X <= min)); 1 without discordant items. */
double significance_mcnemar(size_t only_a, size_t only_b);

/* Holm's step-down correction (1979) of p [n] into out [n]; NaNs are no tests and stay NaN. */
void significance_holm(const double *p, size_t n, double *out);

/* What a bootstrap replicate is computed from: indices, with repetitions. */
struct resample {
  const size_t *items; /* [item_count] */
  size_t item_count;
  const size_t *draws; /* [draw_count] */
  size_t draw_count;
};
typedef double resample_statistic(const void *user, const struct resample *r);

struct interval {
  double low, high;
};
/* 95 % percentile interval of values [n], which it sorts; quantiles interpolate linearly. NaNs are
 * left out; NaN where they are half of the values or more. */
struct interval interval_of(double *values, size_t n);

enum { SIGNIFICANCE_RESAMPLES = 10000 };

/* 95 % percentile interval of a statistic over SIGNIFICANCE_RESAMPLES resamples of the items and,
 * where there are several, of the draws, each with replacement and independently (the pigeonhole
 * bootstrap of crossed factors: Owen 2007). Replicates come from CPython's Random(seed): per
 * replicate the items' indices, then the draws'. Quantiles interpolate linearly. Statistics that
 * are NaN or infinite make the interval NaN. item_count and draw_count are at least 1. */
status significance_bootstrap(resample_statistic *statistic, const void *user, size_t item_count,
                              size_t draw_count, unsigned seed, struct interval *out,
                              struct error *err);

#endif
