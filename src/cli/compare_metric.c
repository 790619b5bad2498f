#include <math.h>
#include <string.h>

#include "cli/compare.h"
#include "eval/metrics.h"

bool compare_metric(const char *metric, enum compare_kind *out) {
  static const char *const names[COMPARE_KINDS] = {"acc",      "acc_norm", "f1",
                                                   "f1_macro", "mcc",      "perplexity"};
  for (int i = 0; i < COMPARE_KINDS; i++) {
    if (strcmp(metric, names[i]) == 0) {
      *out = (enum compare_kind)i;
      return true;
    }
  }
  return false;
}

static double share(const int8_t *correct, const size_t *items, size_t count) {
  size_t right = 0;
  for (size_t i = 0; i < count; i++) {
    right += correct[items[i]] == 1;
  }
  return (double)right / (double)count;
}

/* exp of the mean over items of their mean cross-entropies. */
static double perplexity(const float *likelihoods, size_t stride, double tokens,
                         const size_t *items, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    sum += likelihoods[items[i] * stride];
  }
  return exp(-sum / (tokens * (double)count));
}

static double of_predictions(const struct item_metric *m, int side, size_t pair,
                             const size_t *items, size_t count) {
  const struct paired_items *p = m->items;
  const int32_t *from = m->predictions + ((size_t)side * p->pair_count + pair) * p->count;
  int32_t *gold = m->scratch, *predicted = m->scratch + p->count;
  for (size_t i = 0; i < count; i++) {
    gold[i] = p->sides[side].gold[items[i]];
    predicted[i] = from[items[i]];
  }
  int labels = p->sides[side].choices;
  switch (m->kind) {
  case COMPARE_F1:
    return metric_f1(gold, predicted, count);
  case COMPARE_F1_MACRO:
    return metric_f1_macro(gold, predicted, count, labels);
  default:
    return metric_mcc(gold, predicted, count, labels);
  }
}

double item_metric_value(const struct item_metric *m, int side, size_t pair, const size_t *items,
                         size_t count) {
  const struct results_items *r = &m->items->sides[side];
  size_t row = paired_row(m->items, side, pair);
  switch (m->kind) {
  case COMPARE_CORRECT:
    return share(r->correct + row, items, count);
  case COMPARE_CORRECT_NORM:
    return share(r->correct_norm + row, items, count);
  case COMPARE_PERPLEXITY:
    return perplexity(r->loglikelihoods + row * (size_t)r->choices, (size_t)r->choices, m->tokens,
                      items, count);
  default:
    return of_predictions(m, side, pair, items, count);
  }
}
