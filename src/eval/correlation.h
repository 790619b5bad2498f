/* Rank correlation, with an interval over draws. Pure functions. */
#ifndef ESPALIER_EVAL_CORRELATION_H
#define ESPALIER_EVAL_CORRELATION_H

#include <stddef.h>

#include "base/error.h"
#include "eval/significance.h"

/* Spearman's rank correlation (1904) of x [n] and y [n], no NaNs: Pearson's of mean ranks. NaN
 * below two points and where x or y does not vary. */
status spearman(const double *x, const double *y, size_t n, double *out, struct error *err);

enum { SPEARMAN_RESAMPLES = 2000, SPEARMAN_DRAWS_LEAST = 4 };

/* 95 % percentile interval over SPEARMAN_RESAMPLES resamples, with replacement, of whole draws,
 * each with all its points: draw [n] is in 0 ... draws - 1. Random numbers are CPython's
 * Random(seed).choices(range(draws), k=draws), quantiles interpolate linearly. Resamples in which x
 * or y does not vary are left out. NaN where the correlation is, with fewer than
 * SPEARMAN_DRAWS_LEAST draws, and when more than half of the resamples are left out. */
status spearman_interval(const double *x, const double *y, const size_t *draw, size_t n,
                         size_t draws, unsigned seed, struct interval *out, struct error *err);

#endif
