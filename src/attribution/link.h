/* Does what NSA says was lost go with what accuracy lost, and does it say more than two plain
 * measures of damage? Rank correlations over pruned models and data sets. Pure functions. */
#ifndef ESPALIER_ATTRIBUTION_LINK_H
#define ESPALIER_ATTRIBUTION_LINK_H

#include "eval/significance.h"

enum link_predictor { LINK_NSA, LINK_LAYER_ERROR, LINK_PERPLEXITY, LINK_PREDICTORS };

/* A pruned model on a data set. */
struct link_point {
  size_t stratum;                    /* data set and dense model, from 0 on */
  size_t draw;                       /* dense model, calibration set and draw, from 0 on */
  double predictor[LINK_PREDICTORS]; /* NSA loss, layer output error, rise of log perplexity */
  double drop;                       /* of accuracy: dense - pruned */
};

enum link_scope {
  LINK_OVERALL, /* ranks over all points */
  LINK_WITHIN,  /* ranks within a stratum, as shares of its size, all strata pooled */
  LINK_SCOPES
};

struct link_estimate {
  double rho;            /* NaN where it has no meaning */
  struct interval range; /* 95 % over resamples of draws; NaN: none */
  double p;              /* two-sided, over permutations of the drops within strata */
};

struct link {
  size_t points, strata, draws; /* looked at */
  size_t left_out;              /* points with something that is not a number */
  struct link_estimate plain[LINK_SCOPES][LINK_PREDICTORS]; /* Spearman with the drop */
  /* the same with NSA's loss given both rivals, with a rival given NSA's loss: partial correlations
     of the ranks */
  struct link_estimate partial[LINK_SCOPES][LINK_PREDICTORS];
};

enum { LINK_RESAMPLES = 2000, LINK_PERMUTATIONS = 10000, LINK_POINTS_LEAST = 5 };

/* points [n]. Nothing is estimated from fewer than LINK_POINTS_LEAST points, no interval with fewer
 * than SPEARMAN_DRAWS_LEAST draws or where more than half of the resamples have no correlation.
 * Resamples are as spearman_interval's. A permutation is CPython's Random(seed).shuffle of each
 * stratum's drops in turn; p is twice the smaller of the tails (1 + hits) / (1 + permutations), at
 * most 1. */
status link_measure(struct link *out, const struct link_point *points, size_t n, unsigned seed,
                    struct error *err);

#endif
