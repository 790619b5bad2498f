#include <math.h>

#include "attribution/attribution_parts.h"
#include "eval/significance.h"

static bool has_gold(const struct eval_result *r, int64_t item) {
  return r->gold[item] >= 0 && r->gold[item] < r->choices;
}

static double gold_of(const struct eval_result *r, int64_t item) {
  return (double)r->loglikelihoods[item * r->choices + r->gold[item]];
}

double attribution_gold(const struct eval_result *r) {
  double sum = 0, n = 0;
  for (int64_t i = 0; i < r->items; i++) {
    if (has_gold(r, i)) {
      sum += gold_of(r, i);
      n++;
    }
  }
  return n > 0 ? sum / n : NAN;
}

double attribution_accuracy(const struct eval_result *r) {
  double sum = 0, n = 0;
  for (int64_t i = 0; i < r->items; i++) {
    if (r->correct[i] >= 0) {
      sum += r->correct[i];
      n++;
    }
  }
  return n > 0 ? sum / n : NAN;
}

struct results {
  const struct eval_result *dense, *other, *patched;
};

static double accuracy_change(const void *user, const struct resample *s) {
  const struct results *r = user;
  double sum = 0;
  for (size_t i = 0; i < s->item_count; i++) {
    size_t k = s->items[i];
    sum += (double)r->other->correct[k] - (double)r->dense->correct[k];
  }
  return sum / (double)s->item_count;
}

static double gold_change(const void *user, const struct resample *s) {
  const struct results *r = user;
  double sum = 0, n = 0;
  for (size_t i = 0; i < s->item_count; i++) {
    int64_t k = (int64_t)s->items[i];
    if (has_gold(r->dense, k)) {
      sum += gold_of(r->other, k) - gold_of(r->dense, k);
      n++;
    }
  }
  return n > 0 ? sum / n : NAN;
}

static double restored(const void *user, const struct resample *s) {
  const struct results *r = user;
  double fall = 0, back = 0;
  for (size_t i = 0; i < s->item_count; i++) {
    int64_t k = (int64_t)s->items[i];
    if (has_gold(r->dense, k)) {
      fall += gold_of(r->dense, k) - gold_of(r->other, k);
      back += gold_of(r->patched, k) - gold_of(r->other, k);
    }
  }
  return fall > 0 ? back / fall : NAN;
}

static status bootstrap(resample_statistic *statistic, const struct results *r, unsigned seed,
                        struct interval *out, struct error *err) {
  if (r->dense->items == 0) {
    *out = (struct interval){NAN, NAN};
    return STATUS_OK;
  }
  return significance_bootstrap(statistic, r, (size_t)r->dense->items, 1, seed, out, err);
}

status changes_between(const struct eval_result *dense, const struct eval_result *other,
                       unsigned seed, struct changes *out, struct error *err) {
  const struct results r = {dense, other, NULL};
  struct interval accuracy, gold;
  TRY(bootstrap(accuracy_change, &r, seed, &accuracy, err));
  TRY(bootstrap(gold_change, &r, seed, &gold, err));
  *out = (struct changes){
      .accuracy = attribution_accuracy(other) - attribution_accuracy(dense),
      .accuracy_low = accuracy.low,
      .accuracy_high = accuracy.high,
      .gold = attribution_gold(other) - attribution_gold(dense),
      .gold_low = gold.low,
      .gold_high = gold.high,
  };
  return STATUS_OK;
}

status changes_restored(const struct eval_result *dense, const struct eval_result *pruned,
                        const struct eval_result *patched, unsigned seed, double *out,
                        struct interval *interval, struct error *err) {
  const struct results r = {dense, pruned, patched};
  double fall = attribution_gold(dense) - attribution_gold(pruned);
  *out = fall > 0 ? (attribution_gold(patched) - attribution_gold(pruned)) / fall : NAN;
  return bootstrap(restored, &r, seed, interval, err);
}
