/* Whether two files say the same of a cell or a variant. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "store/merge_parts.h"

/* Bit for bit, so that two NaNs are equal. */
static bool same_number(double a, double b) {
  uint64_t x, y;
  memcpy(&x, &a, sizeof x);
  memcpy(&y, &b, sizeof y);
  return x == y;
}

static status differ(const struct merge *m, size_t before, size_t input, size_t variant,
                     const char *dataset, const char *how, struct error *err) {
  char name[256];
  merge_name_variant(m, variant, name, sizeof name);
  return err_set(err, STATUS_INPUT, "%s and %s differ: %s%s%s: %s", m->inputs[before].path,
                 m->inputs[input].path, name, dataset ? " on " : "", dataset ? dataset : "", how);
}

static bool same_layer(const struct layer_row *a, const struct layer_row *b) {
  return a->block == b->block && strcmp(a->linear, b->linear) == 0 &&
         same_number(a->sparsity, b->sparsity) &&
         same_number(a->relative_error, b->relative_error) && same_number(a->damp, b->damp);
}

status merge_same_variant(const struct merge *m, size_t variant, const struct variant_record *r,
                          size_t input, struct error *err) {
  const struct merge_variant *v = &m->variants[variant];
  const struct variant_record *old = v->record;
  char how[256] = "";
  if (old->layer_count != r->layer_count) {
    (void)snprintf(how, sizeof how, "%zu and %zu linears were pruned", old->layer_count,
                   r->layer_count);
  } else if (!same_number(old->achieved_sparsity, r->achieved_sparsity)) {
    (void)snprintf(how, sizeof how, "its achieved sparsity is %.9g and %.9g",
                   old->achieved_sparsity, r->achieved_sparsity);
  }
  for (size_t i = 0; !how[0] && i < r->layer_count; i++) {
    if (!same_layer(&old->layers[i], &r->layers[i])) {
      (void)snprintf(how, sizeof how, "block %d's %s has a relative error of %.9g and %.9g",
                     (int)r->layers[i].block, r->layers[i].linear, old->layers[i].relative_error,
                     r->layers[i].relative_error);
    }
  }
  return how[0] ? differ(m, v->record_input, input, variant, NULL, how, err) : STATUS_OK;
}

static bool same_items(const struct cell_record *a, const struct cell_record *b) {
  if (a->items == 0 || b->items == 0) {
    return true; /* one of them keeps none */
  }
  size_t n = (size_t)a->items;
  return a->items == b->items && a->choices == b->choices &&
         memcmp(a->loglikelihoods, b->loglikelihoods,
                n * (size_t)a->choices * sizeof *a->loglikelihoods) == 0 &&
         memcmp(a->gold, b->gold, n * sizeof *a->gold) == 0 &&
         memcmp(a->correct, b->correct, n) == 0 && memcmp(a->correct_norm, b->correct_norm, n) == 0;
}

static bool same_metric(const struct metric_row *a, const struct metric_row *b) {
  return strcmp(a->name, b->name) == 0 && same_number(a->value, b->value) &&
         same_number(a->stderr_, b->stderr_) && a->items == b->items;
}

static void compare_metrics(const struct cell_record *a, const struct cell_record *b, char *how,
                            size_t size) {
  if (a->metric_count != b->metric_count) {
    (void)snprintf(how, size, "%zu and %zu metrics", a->metric_count, b->metric_count);
    return;
  }
  for (size_t i = 0; i < a->metric_count; i++) {
    const struct metric_row *x = &a->metrics[i], *y = &b->metrics[i];
    if (!same_metric(x, y)) {
      (void)snprintf(how, size, "%s is %.9g of %lld items and %.9g of %lld", x->name, x->value,
                     (long long)x->items, y->value, (long long)y->items);
      return;
    }
  }
}

status merge_same_cell(const struct merge *m, size_t variant, size_t dataset,
                       const struct cell_record *r, size_t input, struct error *err) {
  size_t at = merge_at(m, variant, dataset);
  const struct cell_record *old = m->cells[at];
  char how[256] = "";
  compare_metrics(old, r, how, sizeof how);
  if (!how[0] && strcmp(old->id, r->id) != 0) {
    (void)snprintf(how, sizeof how, "evaluated with other data or options");
  } else if (!how[0] && !same_items(old, r)) {
    (void)snprintf(how, sizeof how, "the items' log-likelihoods are not the same");
  }
  return how[0] ? differ(m, m->cell_inputs[at], input, variant, m->datasets[dataset].name, how, err)
                : STATUS_OK;
}
