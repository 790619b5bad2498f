/* lm-evaluation-harness's aggregates and their standard errors. NaN: none. */
#ifndef ESPALIER_EVAL_METRICS_H
#define ESPALIER_EVAL_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { BOOTSTRAP_ITERATIONS = 100000 }; /* the harness's default */

/* Arithmetic mean of n values, and sample deviation / sqrt(n) (NaN for n = 1). */
double metric_mean(const double *values, size_t n);
double metric_mean_stderr(const double *values, size_t n);

/* exp(-mean): perplexity of per-document log-likelihoods. */
double metric_perplexity(const double *loglikelihoods, size_t n);

/* F1 of label 1, 0 when it is neither predicted nor true; gold, pred [n] class indices. */
double metric_f1(const int32_t *gold, const int32_t *pred, size_t n);

/* The same of pairs that occur counts [n] times. */
double metric_f1_counted(const int32_t *gold, const int32_t *pred, const double *counts, size_t n);

/* Unweighted mean over labels 0 .. labels - 1 of each label's F1. */
double metric_f1_macro(const int32_t *gold, const int32_t *pred, size_t n, int labels);

/* Matthews' correlation coefficient of any number of classes (Gorodkin 2004), 0 where undefined. */
double metric_mcc(const int32_t *gold, const int32_t *pred, size_t n, int labels);
double metric_mcc_counted(const int32_t *gold, const int32_t *pred, const double *counts, size_t n,
                          int labels);

/* Bootstrap standard errors: replicates in chunks of min(1000, iterations), chunk i drawn with
 * CPython's Random(i).choices; sample deviation of all replicates. Runs on all threads; the result
 * does not depend on how many. gold values must lie in 0 .. labels - 1 or be -1. */
enum bootstrap_of { BOOTSTRAP_F1, BOOTSTRAP_MCC };
status metric_bootstrap_labels(enum bootstrap_of what, const int32_t *gold, const int32_t *pred,
                               size_t n, int labels, int iterations, double *out,
                               struct error *err);
status metric_bootstrap_perplexity(const double *loglikelihoods, size_t n, int iterations,
                                   double *out, struct error *err);

#endif
