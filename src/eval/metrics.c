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

static double f1_of(const int32_t *gold, const int32_t *pred, size_t n, int label) {
  size_t both = 0, either = 0;
  for (size_t i = 0; i < n; i++) {
    both += gold[i] == label && pred[i] == label;
    either += (size_t)(gold[i] == label) + (size_t)(pred[i] == label);
  }
  return either ? 2.0 * (double)both / (double)either : 0;
}

double metric_f1(const int32_t *gold, const int32_t *pred, size_t n) {
  return f1_of(gold, pred, n, 1);
}

double metric_f1_macro(const int32_t *gold, const int32_t *pred, size_t n, int labels) {
  double sum = 0;
  for (int label = 0; label < labels; label++) {
    sum += f1_of(gold, pred, n, label);
  }
  return sum / labels;
}

double metric_mcc(const int32_t *gold, const int32_t *pred, size_t n, int labels) {
  double right = 0, cross = 0, gold_squares = 0, pred_squares = 0, total = (double)n;
  for (size_t i = 0; i < n; i++) {
    right += gold[i] == pred[i];
  }
  for (int label = 0; label < labels; label++) {
    double golds = 0, preds = 0;
    for (size_t i = 0; i < n; i++) {
      golds += gold[i] == label;
      preds += pred[i] == label;
    }
    cross += golds * preds;
    gold_squares += golds * golds;
    pred_squares += preds * preds;
  }
  double square = (total * total - pred_squares) * (total * total - gold_squares);
  return square > 0 ? (right * total - cross) / sqrt(square) : 0;
}
