#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/table.h"

/* Standard error of the mean of b - a, values 0 and 1; NaN where one is neither. */
static double paired_error(const int8_t *a, const int8_t *b, size_t count) {
  double sum = 0, squares = 0, n = (double)count;
  for (size_t i = 0; i < count; i++) {
    if (a[i] < 0 || b[i] < 0) {
      return NAN;
    }
    double d = b[i] - a[i];
    sum += d;
    squares += d * d;
  }
  return count < 2 ? NAN : sqrt(fmax(0, squares - sum * sum / n) / (n - 1) / n);
}

static size_t dense_of(const struct results_file *f, size_t v) {
  size_t i = 0;
  while (i < f->variant_count && (strcmp(f->variants[i].method, "dense") != 0 ||
                                  strcmp(f->variants[i].model, f->variants[v].model) != 0)) {
    i++;
  }
  return i;
}

static void fill(const struct results_file *f, const struct results_items *r, const int8_t *right,
                 double *out) {
  for (size_t v = 0; v < f->variant_count; v++) {
    size_t dense = dense_of(f, v), items = (size_t)r->items;
    if (dense < f->variant_count && r->there[v] && r->there[dense] &&
        r->counts[v] == r->counts[dense]) {
      out[v] = paired_error(right + dense * items, right + v * items, (size_t)r->counts[v]);
    }
  }
}

status table_paired_errors(const struct results_file *f, const char *path, const char *dataset,
                           const char *metric, double *out, struct error *err) {
  for (size_t v = 0; v < f->variant_count; v++) {
    out[v] = NAN;
  }
  bool plain = strcmp(metric, "acc") == 0;
  if (!plain && strcmp(metric, "acc_norm") != 0) {
    return STATUS_OK;
  }
  const char **ids;
  TRY(mem_alloc(&ids, f->variant_count, sizeof(char *), err));
  for (size_t v = 0; v < f->variant_count; v++) {
    ids[v] = f->variants[v].id;
  }
  struct results_items r;
  status st = results_items_read(&r, path, dataset, ids, f->variant_count, err);
  free((void *)ids);
  TRY(st);
  if (r.items) {
    fill(f, &r, plain ? r.correct : r.correct_norm, out);
  }
  results_items_free(&r);
  return STATUS_OK;
}
