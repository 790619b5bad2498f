#include "eval/metrics.h"

#include <math.h>

double metric_mean(const double *values, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += values[i];
  }
  return sum / (double)n;
}

double metric_mean_stderr(const double *values, size_t n) {
  if (n < 2) {
    return NAN;
  }
  double mean = metric_mean(values, n), squares = 0;
  for (size_t i = 0; i < n; i++) {
    squares += (values[i] - mean) * (values[i] - mean);
  }
  return sqrt(squares / (double)(n - 1)) / sqrt((double)n);
}

double metric_perplexity(const double *loglikelihoods, size_t n) {
  return exp(-metric_mean(loglikelihoods, n));
}

/* counts NULL: each pair once. Sums of counts are exact. */
static double f1_of(const int32_t *gold, const int32_t *pred, const double *counts, size_t n,
                    int label) {
  double both = 0, either = 0;
  for (size_t i = 0; i < n; i++) {
    double times = counts ? counts[i] : 1;
    both += gold[i] == label && pred[i] == label ? times : 0;
    either += times * ((gold[i] == label) + (pred[i] == label));
  }
  return either > 0 ? 2.0 * both / either : 0;
}

double metric_f1(const int32_t *gold, const int32_t *pred, size_t n) {
  return f1_of(gold, pred, NULL, n, 1);
}

double metric_f1_counted(const int32_t *gold, const int32_t *pred, const double *counts, size_t n) {
  return f1_of(gold, pred, counts, n, 1);
}

double metric_f1_macro(const int32_t *gold, const int32_t *pred, size_t n, int labels) {
  double sum = 0;
  for (int label = 0; label < labels; label++) {
    sum += f1_of(gold, pred, NULL, n, label);
  }
  return sum / labels;
}

static double mcc_of(const int32_t *gold, const int32_t *pred, const double *counts, size_t n,
                     int labels) {
  double right = 0, cross = 0, gold_squares = 0, pred_squares = 0, total = 0;
  for (size_t i = 0; i < n; i++) {
    double times = counts ? counts[i] : 1;
    total += times;
    right += gold[i] == pred[i] ? times : 0;
  }
  for (int label = 0; label < labels; label++) {
    double golds = 0, preds = 0;
    for (size_t i = 0; i < n; i++) {
      double times = counts ? counts[i] : 1;
      golds += gold[i] == label ? times : 0;
      preds += pred[i] == label ? times : 0;
    }
    cross += golds * preds;
    gold_squares += golds * golds;
    pred_squares += preds * preds;
  }
  double square = (total * total - pred_squares) * (total * total - gold_squares);
  return square > 0 ? (right * total - cross) / sqrt(square) : 0;
}

double metric_mcc(const int32_t *gold, const int32_t *pred, size_t n, int labels) {
  return mcc_of(gold, pred, NULL, n, labels);
}

double metric_mcc_counted(const int32_t *gold, const int32_t *pred, const double *counts, size_t n,
                          int labels) {
  return mcc_of(gold, pred, counts, n, labels);
}
