#include "cli/sensitivity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/significance.h"

static bool listed(const char *const *names, size_t count, const char *word) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(names[i], word) == 0) {
      return true;
    }
  }
  return false;
}

static bool has_metric(const struct results_file *f, const char *dataset, const char *metric) {
  for (size_t i = 0; i < f->metric_count; i++) {
    if (strcmp(f->metrics[i].dataset, dataset) == 0 && strcmp(f->metrics[i].metric, metric) == 0) {
      return true;
    }
  }
  return false;
}

/* As in tables: the first of the wanted metrics that the data set has, else its first; *kind is
 * NULL for a data set without results. */
static const char *metric_for(const struct results_file *f, const char *dataset,
                              const struct word_list *wanted, const char **kind) {
  const char *first = NULL;
  *kind = NULL;
  for (size_t i = 0; i < f->metric_count && !first; i++) {
    if (strcmp(f->metrics[i].dataset, dataset) == 0) {
      first = f->metrics[i].metric;
      *kind = f->metrics[i].kind;
    }
  }
  for (size_t i = 0; first && i < wanted->count; i++) {
    if (has_metric(f, dataset, wanted->at[i])) {
      return wanted->at[i];
    }
  }
  return wanted->count ? NULL : first;
}

static status add_dataset(struct design *d, const char *name, const struct design_query *q,
                          size_t *cap, struct error *err) {
  const char *kind;
  const char *metric = metric_for(d->file, name, &q->metrics, &kind);
  if ((q->datasets.count && !listed(q->datasets.at, q->datasets.count, name)) ||
      (q->kinds.count && (!kind || !listed(q->kinds.at, q->kinds.count, kind)))) {
    return STATUS_OK;
  }
  if (!metric) {
    return str_addf(&d->empty, err, "%s%s", d->empty.count ? ", " : "", name);
  }
  TRY(mem_reserve(&d->datasets, cap, d->dataset_count + 1, sizeof *d->datasets, err));
  bool open_ended = table_open_ended(metric);
  d->datasets[d->dataset_count++] =
      (struct design_dataset){.name = name,
                              .kind = kind,
                              .metric = metric,
                              .lower_is_better = open_ended || strcmp(metric, "brier_score") == 0,
                              .open_ended = open_ended};
  return STATUS_OK;
}

/* Data sets in plan order. */
static status find_datasets(struct design *d, const struct design_query *q, struct error *err) {
  const char **seen = NULL;
  size_t count = 0, seen_cap = 0, cap = 0;
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < d->file->cell_count; i++) {
    const char *name = d->file->cells[i].dataset;
    if (listed(seen, count, name)) {
      continue;
    }
    TRY_GOTO(st, end, mem_reserve(&seen, &seen_cap, count + 1, sizeof(char *), err));
    seen[count++] = name;
    st = add_dataset(d, name, q, &cap, err);
  }
  if (st == STATUS_OK && d->dataset_count == 0) {
    st = err_at(err, STATUS_INPUT, d->path, 0, "no results to compare");
  }
end:
  free((void *)seen);
  return st;
}

static status find_sets(struct design *d, const bool *keep, struct error *err) {
  size_t cap = 0;
  for (size_t v = 0; v < d->file->variant_count; v++) {
    const char *name = d->file->variants[v].calibration;
    d->set_of[v] = -1;
    for (size_t i = 0; *name && i < d->set_count; i++) {
      d->set_of[v] = strcmp(d->sets[i], name) == 0 ? (int)i : d->set_of[v];
    }
    if (keep[v] && *name && d->set_of[v] < 0) {
      TRY(mem_reserve(&d->sets, &cap, d->set_count + 1, sizeof(char *), err));
      d->set_of[v] = (int)d->set_count;
      d->sets[d->set_count++] = name;
    }
  }
  return STATUS_OK;
}

static bool belongs(const struct design_group *g, const struct results_variant *v,
                    const char *label) {
  return strcmp(g->label, label) == 0 && strcmp(g->as->model, v->model) == 0 &&
         strcmp(g->as->sparsity, v->sparsity) == 0 && g->as->samples == v->samples &&
         g->as->length == v->length && strcmp(g->as->propagate, v->propagate) == 0;
}

static bool is_before(const struct design *d, size_t a, size_t b) {
  return d->set_of[a] != d->set_of[b] ? d->set_of[a] < d->set_of[b]
                                      : d->file->variants[a].draw < d->file->variants[b].draw;
}

static status add_variant(struct design *d, size_t v, size_t *cap, struct error *err) {
  const struct results_variant *r = &d->file->variants[v];
  size_t i = 0;
  while (i < d->group_count && !belongs(&d->groups[i], r, d->labels[v])) {
    i++;
  }
  if (i == d->group_count) {
    TRY(mem_reserve(&d->groups, cap, i + 1, sizeof *d->groups, err));
    d->groups[i] =
        (struct design_group){.as = r, .label = d->labels[v], .calibrated = r->calibration[0]};
    d->group_count++;
  }
  struct design_group *g = &d->groups[i];
  TRY(mem_reserve(&g->at, &g->cap, g->count + 1, sizeof *g->at, err));
  size_t k = g->count++;
  for (; k > 0 && is_before(d, v, g->at[k - 1]); k--) {
    g->at[k] = g->at[k - 1];
  }
  g->at[k] = v;
  return STATUS_OK;
}

/* Where a text of the groups stands first. */
static size_t first_with(const struct design *d, const struct design_group *g, bool model) {
  size_t i = 0;
  while (model ? strcmp(d->groups[i].as->model, g->as->model) != 0
               : strcmp(d->groups[i].as->sparsity, g->as->sparsity) != 0) {
    i++;
  }
  return i;
}

/* What is compared stands together: models and sparsities in the file's order, then samples. */
static bool group_before(const struct design *d, const struct design_group *a,
                         const struct design_group *b) {
  const size_t keys[2][5] = {
      {first_with(d, a, true), first_with(d, a, false), (size_t)a->as->samples,
       (size_t)a->as->length, strcmp(a->as->propagate, "dense") == 0},
      {first_with(d, b, true), first_with(d, b, false), (size_t)b->as->samples,
       (size_t)b->as->length, strcmp(b->as->propagate, "dense") == 0}};
  int k = 0;
  while (k < 4 && keys[0][k] == keys[1][k]) {
    k++;
  }
  return keys[0][k] < keys[1][k];
}

/* Methods keep their order. */
static status sort_groups(struct design *d, struct error *err) {
  struct design_group *sorted;
  TRY(mem_alloc(&sorted, d->group_count, sizeof *sorted, err));
  for (size_t i = 0; i < d->group_count; i++) {
    size_t k = i;
    for (; k > 0 && group_before(d, &d->groups[i], &sorted[k - 1]); k--) {
      sorted[k] = sorted[k - 1];
    }
    sorted[k] = d->groups[i];
  }
  free(d->groups);
  d->groups = sorted;
  return STATUS_OK;
}

static status make(struct design *d, const struct design_query *q, bool *keep, struct error *err) {
  const struct results_file *f = d->file;
  TRY(design_choose(f, d->path, q, keep, err));
  TRY(mem_alloc(&d->labels, f->variant_count, sizeof(char *), err));
  TRY(table_method_labels(f, d->labels, err));
  TRY(mem_alloc(&d->set_of, f->variant_count, sizeof *d->set_of, err));
  TRY(find_sets(d, keep, err));
  size_t cap = 0;
  for (size_t v = 0; v < f->variant_count; v++) {
    if (keep[v] && strcmp(f->variants[v].method, "dense") != 0) {
      TRY(add_variant(d, v, &cap, err));
    }
  }
  TRY(sort_groups(d, err));
  TRY(find_datasets(d, q, err));
  return design_fill(d, keep, err);
}

status design_make(struct design *out, const struct results_file *f, const char *path,
                   const struct design_query *q, struct error *err) {
  *out = (struct design){.file = f, .path = path, .seed = q->seed, .drop = q->drop};
  bool *keep;
  TRY(mem_alloc(&keep, f->variant_count, sizeof *keep, err));
  status st = make(out, q, keep, err);
  free(keep);
  if (st != STATUS_OK) {
    design_free(out);
  }
  return st;
}

void design_free(struct design *d) {
  for (size_t i = 0; d->labels && i < d->file->variant_count; i++) {
    free(d->labels[i]);
  }
  for (size_t i = 0; i < d->group_count; i++) {
    free(d->groups[i].at);
  }
  free((void *)d->labels);
  free((void *)d->sets);
  free(d->groups);
  free(d->datasets);
  free(d->set_of);
  free(d->values);
  free(d->errors);
  free(d->states);
  free(d->dense);
  str_free(&d->empty);
  *d = (struct design){0};
}

bool design_find(const struct design *d, const struct design_group *g, size_t dataset, int set,
                 int draw, size_t *variant) {
  for (size_t i = 0; i < g->count; i++) {
    size_t v = g->at[i];
    bool same = !g->calibrated || (d->set_of[v] == set && d->file->variants[v].draw == draw);
    if (same && !isnan(design_value(d, dataset, v))) {
      *variant = v;
      return true;
    }
  }
  return false;
}

bool design_comparable(const struct design_group *a, const struct design_group *b) {
  return strcmp(a->as->model, b->as->model) == 0 && strcmp(a->as->sparsity, b->as->sparsity) == 0 &&
         (!a->calibrated || !b->calibrated ||
          (a->as->samples == b->as->samples && a->as->length == b->as->length &&
           strcmp(a->as->propagate, b->as->propagate) == 0));
}

void design_label(struct sheet_cell *row, const struct design_dataset *set,
                  const struct design_group *g) {
  row[COLUMN_DATASET].text = set ? set->name : NULL;
  row[COLUMN_METRIC].text = set ? set->metric : NULL;
  row[COLUMN_MODEL].text = g->as->model;
  row[COLUMN_SPARSITY].text = g->as->sparsity;
  row[COLUMN_METHOD].text = g->label;
  if (g->calibrated) {
    row[COLUMN_SAMPLES].number = g->as->samples;
    row[COLUMN_LENGTH].number = g->as->length;
    row[COLUMN_PROPAGATE].text = g->as->propagate;
  }
}

status design_holm(struct sheet *s, size_t p, size_t holm, struct error *err) {
  double *values;
  TRY(mem_alloc(&values, 2 * s->rows, sizeof *values, err));
  for (size_t r = 0; r < s->rows; r++) {
    values[r] = sheet_row(s, r)[p].number;
  }
  significance_holm(values, s->rows, values + s->rows);
  for (size_t r = 0; r < s->rows; r++) {
    sheet_row(s, r)[holm].number = values[s->rows + r];
  }
  free(values);
  return STATUS_OK;
}
