#include "calib/statistics.h"

#include <math.h>
#include <stdlib.h>

#include "calib/dense.h"

static int ascending(const void *x, const void *y) {
  const double *a = x, *b = y;
  return *a < *b ? -1 : *a > *b;
}

/* Sorts values [count], at least one. */
static struct spread spread_of(double *values, size_t count) {
  qsort(values, count, sizeof *values, ascending);
  return (struct spread){.low = values[0],
                         .median = (values[(count - 1) / 2] + values[count / 2]) / 2,
                         .high = values[count - 1]};
}

static status count_distinct(const struct sequences *s, int vocab, size_t *out, struct error *err) {
  bool *seen;
  TRY(mem_alloc(&seen, (size_t)vocab, sizeof *seen, err));
  *out = 0;
  for (size_t i = 0; i < s->ids.count; i++) {
    bool *at = &seen[s->ids.at[i]];
    *out += !*at;
    *at = true;
  }
  free(seen);
  return STATUS_OK;
}

/* values [s->count]: scratch. */
static status measure_perplexity(struct draw_statistics *out, const struct model *m,
                                 const struct sequences *s, double *values, struct error *err) {
  double sum = 0;
  size_t predicted = 0, count = 0;
  TRY(dense_nll(m, s, values, err));
  for (size_t i = 0; i < s->count; i++) {
    size_t own = sequences_length(s, i) - 1;
    if (own > 0) {
      sum += values[i];
      predicted += own;
      values[count++] = exp(values[i] / (double)own);
    }
  }
  if (count > 0) {
    out->has_perplexity = true;
    out->perplexity = exp(sum / (double)predicted);
    out->perplexities = spread_of(values, count);
  }
  return STATUS_OK;
}

status draw_statistics(struct draw_statistics *out, const struct model *m,
                       const struct sequences *s, bool perplexity, struct error *err) {
  *out = (struct draw_statistics){
      .sequences = s->count, .tokens = s->ids.count, .vocabulary = model_vocab(m)};
  TRY(count_distinct(s, out->vocabulary, &out->distinct, err));
  double *values;
  TRY(mem_alloc(&values, s->count, sizeof *values, err));
  for (size_t i = 0; i < s->count; i++) {
    values[i] = (double)sequences_length(s, i);
  }
  out->length = spread_of(values, s->count);
  status st = perplexity ? measure_perplexity(out, m, s, values, err) : STATUS_OK;
  free(values);
  return st;
}
