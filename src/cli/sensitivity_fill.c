#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/sensitivity.h"

/* Rows come in the order of variants, so a search that starts where the last one ended is short. */
struct cursor {
  const struct results_file *f;
  size_t at;
};

static bool find_variant(struct cursor *c, const char *id) {
  for (size_t n = 0; n < c->f->variant_count; n++, c->at++) {
    c->at = c->at < c->f->variant_count ? c->at : 0;
    if (strcmp(c->f->variants[c->at].id, id) == 0) {
      return true;
    }
  }
  return false;
}

static bool find_dataset(const struct design *d, const char *name, size_t *out) {
  for (*out = 0; *out < d->dataset_count; ++*out) {
    if (strcmp(d->datasets[*out].name, name) == 0) {
      return true;
    }
  }
  return false;
}

static status fill_states(struct design *d, const bool *keep, struct error *err) {
  struct cursor c = {.f = d->file};
  for (size_t i = 0; i < d->file->cell_count; i++) {
    const struct results_cell *cell = &d->file->cells[i];
    size_t set;
    if (!find_dataset(d, cell->dataset, &set)) {
      continue;
    }
    if (!find_variant(&c, cell->variant)) {
      return err_at(err, STATUS_INPUT, d->path, 0,
                    "/cells names a variant that /variants lacks (%s)", cell->variant);
    }
    if (!keep[c.at]) {
      continue;
    }
    bool failed = strcmp(cell->status, "failed") == 0, done = strcmp(cell->status, "done") == 0;
    d->states[design_at(d, set, c.at)] = failed ? DESIGN_FAILED
                                         : done ? DESIGN_DONE
                                                : DESIGN_PENDING;
    d->cells++;
    d->cells_failed += failed;
    d->cells_pending += !failed && !done;
  }
  return STATUS_OK;
}

static void fill_values(struct design *d, const bool *keep) {
  struct cursor c = {.f = d->file};
  for (size_t i = 0; i < d->file->metric_count; i++) {
    const struct results_metric *m = &d->file->metrics[i];
    size_t set;
    if (find_dataset(d, m->dataset, &set) && strcmp(m->metric, d->datasets[set].metric) == 0 &&
        find_variant(&c, m->variant) && keep[c.at]) {
      d->values[design_at(d, set, c.at)] = m->value;
      d->errors[design_at(d, set, c.at)] = m->stderr_;
      d->not_numbers += isnan(m->value);
    }
  }
}

static double dense_value(const struct design *d, size_t set, const char *model) {
  for (size_t v = 0; v < d->file->variant_count; v++) {
    const struct results_variant *r = &d->file->variants[v];
    if (strcmp(r->method, "dense") == 0 && strcmp(r->model, model) == 0) {
      return design_value(d, set, v);
    }
  }
  return NAN;
}

/* With --drop, values become differences; what has nothing to differ from has none. */
static void fill_dense(struct design *d) {
  for (size_t set = 0; set < d->dataset_count; set++) {
    for (size_t g = 0; g < d->group_count; g++) {
      const struct design_group *group = &d->groups[g];
      double dense = dense_value(d, set, group->as->model);
      d->dense[set * d->group_count + g] = dense;
      for (size_t i = 0; d->drop && i < group->count; i++) {
        d->values[design_at(d, set, group->at[i])] -= dense;
      }
    }
  }
}

static void count_variants(struct design *d, const bool *keep) {
  for (size_t v = 0; v < d->file->variant_count; v++) {
    const char *state = d->file->variants[v].status;
    d->variants += keep[v];
    d->variants_failed += keep[v] && strcmp(state, "failed") == 0;
    d->variants_pending += keep[v] && strcmp(state, "pending") == 0;
  }
}

status design_fill(struct design *d, const bool *keep, struct error *err) {
  size_t n = d->dataset_count * d->file->variant_count;
  TRY(mem_alloc(&d->values, n, sizeof *d->values, err));
  TRY(mem_alloc(&d->errors, n, sizeof *d->errors, err));
  TRY(mem_alloc(&d->states, n, sizeof *d->states, err));
  TRY(mem_alloc(&d->dense, d->dataset_count * d->group_count, sizeof *d->dense, err));
  for (size_t i = 0; i < n; i++) {
    d->values[i] = d->errors[i] = NAN;
  }
  TRY(fill_states(d, keep, err));
  fill_values(d, keep);
  fill_dense(d);
  count_variants(d, keep);
  return STATUS_OK;
}
