/* Mean ranks of points that count several times or not at all, as resamples need them, and within
 * strata. Pure functions. */
#ifndef ESPALIER_EVAL_WEIGHTED_RANK_H
#define ESPALIER_EVAL_WEIGHTED_RANK_H

#include <stddef.h>

#include "base/error.h"

/* Points sorted once: weights only change how often each counts. */
struct weighted_rank {
  size_t *order; /* [n]: points by stratum, then by value */
  size_t *level; /* [n]: by place in order; equal values of a stratum share one */
  size_t *block; /* [n]: by place in order; the stratum */
  double *ranks; /* [n]: by point, of weighted_rank_by */
  size_t n;
};

/* values [n], no NaNs; stratum [n], or NULL: all are in one. Zero-initialise; free with
 * weighted_rank_free, also after a failure. */
status weighted_rank_make(struct weighted_rank *r, const double *values, const size_t *stratum,
                          size_t n, struct error *err);
void weighted_rank_free(struct weighted_rank *r);

/* Fills ranks: from 1 in every stratum, equal values share their mean; point i counts weights[i]
 * times. */
void weighted_rank_by(struct weighted_rank *r, const double *weights);

#endif
