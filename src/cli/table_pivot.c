#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/table.h"

/* What a build needs beside the table: the labels of every variant, and cursors that make looking
 * up rows in the order in which they were written a matter of one step. */
struct build {
  struct table *t;
  const struct results_file *f;
  const char *path;
  char **methods;             /* [variant_count] */
  int (*values)[FIELD_COUNT]; /* [variant_count]: label indices; FIELD_DATASET unused */
  bool *dense;                /* [variant_count] */
  double *paired; /* [data sets][variant_count]: errors of differences; NULL: not wanted */
  size_t variant_at, metric_at; /* cursors */
  size_t row_cap, column_cap;
};

static status intern(struct labels *l, const char *text, int *out, struct error *err) {
  for (size_t i = 0; i < l->count; i++) {
    if (strcmp(l->at[i], text) == 0) {
      *out = (int)i;
      return STATUS_OK;
    }
  }
  TRY(mem_reserve(&l->at, &l->cap, l->count + 1, sizeof(char *), err));
  TRY(mem_dup(&l->at[l->count], text, strlen(text), err));
  *out = (int)l->count++;
  return STATUS_OK;
}

static bool listed(const struct word_list *list, const char *word) {
  for (size_t i = 0; i < list->count; i++) {
    if (strcmp(list->at[i], word) == 0) {
      return true;
    }
  }
  return false;
}

static status label_variant(struct build *b, size_t v, struct error *err) {
  const struct results_variant *r = &b->f->variants[v];
  char samples[16] = "-", length[16] = "-", draw[16] = "-";
  if (r->calibration[0]) {
    (void)snprintf(samples, sizeof samples, "%d", r->samples);
    (void)snprintf(length, sizeof length, "%d", r->length);
    (void)snprintf(draw, sizeof draw, "%d", r->draw);
  }
  const char *texts[FIELD_COUNT] = {[FIELD_MODEL] = r->model,
                                    [FIELD_METHOD] = b->methods[v],
                                    [FIELD_SPARSITY] = r->sparsity[0] ? r->sparsity : "-",
                                    [FIELD_CALIBRATION] = r->calibration[0] ? r->calibration : "-",
                                    [FIELD_SAMPLES] = samples,
                                    [FIELD_LENGTH] = length,
                                    [FIELD_PROPAGATE] = r->propagate[0] ? r->propagate : "-",
                                    [FIELD_DRAW] = draw};
  b->dense[v] = strcmp(r->method, "dense") == 0;
  for (int i = 0; i < FIELD_DATASET; i++) {
    b->values[v][i] = LABEL_DENSE;
    if (i == FIELD_MODEL || !b->dense[v]) {
      TRY(intern(&b->t->labels[i], texts[i], &b->values[v][i], err));
    }
  }
  return STATUS_OK;
}

static status find_variant(struct build *b, const char *id, size_t *out, struct error *err) {
  for (size_t n = 0; n < b->f->variant_count; n++, b->variant_at++) {
    b->variant_at = b->variant_at < b->f->variant_count ? b->variant_at : 0;
    if (strcmp(b->f->variants[b->variant_at].id, id) == 0) {
      *out = b->variant_at;
      return STATUS_OK;
    }
  }
  return err_at(err, STATUS_INPUT, b->path, 0, "/cells names a variant that /variants lacks (%s)",
                id);
}

static const struct results_metric *find_metric(struct build *b, const char *variant,
                                                const char *dataset, const char *metric) {
  for (size_t n = 0; n < b->f->metric_count; n++, b->metric_at++) {
    b->metric_at = b->metric_at < b->f->metric_count ? b->metric_at : 0;
    const struct results_metric *m = &b->f->metrics[b->metric_at];
    if (strcmp(m->variant, variant) == 0 && strcmp(m->dataset, dataset) == 0 &&
        strcmp(m->metric, metric) == 0) {
      return m;
    }
  }
  return NULL;
}

static bool has_metric(const struct results_file *f, const char *dataset, const char *metric) {
  for (size_t i = 0; i < f->metric_count; i++) {
    if (strcmp(f->metrics[i].dataset, dataset) == 0 &&
        (!metric || strcmp(f->metrics[i].metric, metric) == 0)) {
      return true;
    }
  }
  return false;
}

/* The metric a data set is shown with: its first, or the first of the wanted ones that it has. */
static const char *metric_for(const struct build *b, const char *dataset) {
  const struct word_list *wanted = &b->t->query.metrics;
  for (size_t i = 0; i < wanted->count; i++) {
    if (has_metric(b->f, dataset, wanted->at[i])) {
      return wanted->at[i];
    }
  }
  for (size_t i = 0; wanted->count == 0 && i < b->f->metric_count; i++) {
    if (strcmp(b->f->metrics[i].dataset, dataset) == 0) {
      return b->f->metrics[i].metric;
    }
  }
  return NULL;
}

static const char *kind_of(const struct results_file *f, const char *dataset) {
  for (size_t i = 0; i < f->metric_count; i++) {
    if (strcmp(f->metrics[i].dataset, dataset) == 0) {
      return f->metrics[i].kind;
    }
  }
  return NULL;
}

/* Data sets that are shown, in plan order, each with its metric. One without any of the metrics
 * that
 * --metric asks for is left out; one that has no metrics yet is not. */
static status choose_datasets(struct build *b, struct error *err) {
  struct labels *names = &b->t->labels[FIELD_DATASET];
  size_t cap = 0;
  for (size_t i = 0; i < b->f->cell_count; i++) {
    const char *name = b->f->cells[i].dataset;
    size_t before = names->count;
    int at;
    if (b->t->query.datasets.count && !listed(&b->t->query.datasets, name)) {
      continue;
    }
    TRY(intern(names, name, &at, err));
    if (names->count > before) {
      TRY(mem_reserve(&b->t->datasets, &cap, names->count, sizeof *b->t->datasets, err));
      b->t->datasets[at] = (struct table_dataset){
          .name = names->at[at], .metric = metric_for(b, name), .kind = kind_of(b->f, name)};
    }
  }
  return STATUS_OK;
}

static bool is_shown(const struct build *b, const struct table_dataset *d) {
  return d->metric || !b->t->query.metrics.count || !has_metric(b->f, d->name, NULL);
}

static int find_dataset(const struct table *t, const char *name) {
  for (size_t i = 0; i < t->labels[FIELD_DATASET].count; i++) {
    if (strcmp(t->labels[FIELD_DATASET].at[i], name) == 0) {
      return (int)i;
    }
  }
  return -1;
}

/* Index of the line with these values, added when there is none. */
static status find_line(struct table_line **lines, size_t *count, size_t *cap,
                        const enum table_field *fields, size_t field_count, const int *values,
                        size_t *out, struct error *err) {
  struct table_line line = {0};
  for (size_t i = 0; i < field_count; i++) {
    line.values[i] = values[fields[i]];
  }
  for (size_t i = 0; i < *count; i++) {
    if (memcmp(&(*lines)[i], &line, sizeof line) == 0) {
      *out = i;
      return STATUS_OK;
    }
  }
  TRY(mem_reserve(lines, cap, *count + 1, sizeof line, err));
  *out = *count;
  (*lines)[(*count)++] = line;
  return STATUS_OK;
}

/* The first field decides; LABEL_DENSE comes before all. */
static int compare_lines(const void *a, const void *b) {
  const struct table_line *x = a, *y = b;
  for (int i = 0; i < FIELD_COUNT; i++) {
    if (x->values[i] != y->values[i]) {
      return x->values[i] < y->values[i] ? -1 : 1;
    }
  }
  return 0;
}

/* One cell of the file that the table shows. */
struct observation {
  const struct results_cell *cell;
  size_t variant;
  int values[FIELD_COUNT];
};

/* *shown is false for what the query leaves out. */
static status observe(struct build *b, size_t i, struct observation *o, bool *shown,
                      struct error *err) {
  *shown = false;
  o->cell = &b->f->cells[i];
  int dataset = find_dataset(b->t, o->cell->dataset);
  if (dataset < 0 || !is_shown(b, &b->t->datasets[dataset])) {
    return STATUS_OK;
  }
  TRY(find_variant(b, o->cell->variant, &o->variant, err));
  const struct word_list *methods = &b->t->query.methods;
  if (methods->count && !b->dense[o->variant] &&
      !listed(methods, b->f->variants[o->variant].method)) {
    return STATUS_OK;
  }
  memcpy(o->values, b->values[o->variant], sizeof o->values);
  o->values[FIELD_DATASET] = dataset;
  *shown = true;
  return STATUS_OK;
}

static status place(struct build *b, const struct observation *o, size_t *row, size_t *column,
                    struct error *err) {
  struct table *t = b->t;
  TRY(find_line(&t->rows, &t->row_count, &b->row_cap, t->query.rows, t->query.row_fields, o->values,
                row, err));
  return find_line(&t->columns, &t->column_count, &b->column_cap, t->query.columns,
                   t->query.column_fields, o->values, column, err);
}

/* The dense model's of the same name; its rows come first. */
static const struct results_metric *dense_metric(struct build *b, size_t variant,
                                                 const struct table_dataset *d) {
  const struct results_metric *found = NULL;
  size_t v = 0, kept = b->metric_at;
  while (v < b->f->variant_count &&
         (!b->dense[v] || strcmp(b->f->variants[v].model, b->f->variants[variant].model) != 0)) {
    v++;
  }
  if (v < b->f->variant_count) {
    b->metric_at = 0;
    found = find_metric(b, b->f->variants[v].id, d->name, d->metric);
    b->metric_at = kept;
  }
  return found;
}

/* An observation's value and its standard error; false where there is none. */
static bool value_of(struct build *b, const struct observation *o, const struct table_dataset *d,
                     const struct results_metric *m, double *value, double *error) {
  *value = m->value;
  *error = m->stderr_;
  if (!b->t->query.drop || b->dense[o->variant]) {
    return true;
  }
  const struct results_metric *dense = dense_metric(b, o->variant, d);
  if (!dense) {
    return false;
  }
  size_t at = (size_t)o->values[FIELD_DATASET] * b->f->variant_count + o->variant;
  double paired = b->paired ? b->paired[at] : NAN;
  *value = m->value - dense->value;
  *error = isnan(paired) ? hypot(m->stderr_, dense->stderr_) : paired;
  b->t->unpaired += isnan(paired) && !table_open_ended(d->metric);
  return true;
}

/* Counts an observation in; first is the first variant of the same spread. */
static void add(struct build *b, const struct observation *o, struct table_spread *s, int first) {
  struct table *t = b->t;
  for (int i = 0; i < FIELD_DATASET; i++) {
    t->over[i] |= b->values[first][i] != o->values[i];
  }
  s->planned++;
  t->most = s->planned > t->most ? s->planned : t->most;
  struct table_dataset *d = &t->datasets[o->values[FIELD_DATASET]];
  if (strcmp(o->cell->status, "failed") == 0) {
    s->failed++;
    t->failed++;
  } else if (strcmp(o->cell->status, "done") != 0) {
    t->pending++;
  }
  const struct results_metric *m =
      d->metric ? find_metric(b, o->cell->variant, d->name, d->metric) : NULL;
  double value, error;
  s->dense = b->dense[o->variant];
  if (!m || !value_of(b, o, d, m, &value, &error)) {
    return;
  }
  s->good++;
  s->sum += value;
  s->errors += error;
  double from_old = value - s->mean;
  s->mean += from_old / (double)s->good;
  s->squares += from_old * (value - s->mean);
  d->least = d->most == 0 || m->items < d->least ? m->items : d->least;
  d->most = m->items > d->most ? m->items : d->most;
}

/* Lines first, then, when they are sorted, what stands where they cross. */
static status fill(struct build *b, struct error *err) {
  struct table *t = b->t;
  struct observation o;
  size_t row, column;
  bool shown;
  for (size_t i = 0; i < b->f->cell_count; i++) {
    TRY(observe(b, i, &o, &shown, err));
    if (shown) {
      TRY(place(b, &o, &row, &column, err));
    }
  }
  if (t->row_count == 0) {
    return err_at(err, STATUS_INPUT, b->path, 0, "no cells to show");
  }
  qsort(t->rows, t->row_count, sizeof *t->rows, compare_lines);
  qsort(t->columns, t->column_count, sizeof *t->columns, compare_lines);
  TRY(mem_alloc(&t->spreads, t->row_count * t->column_count, sizeof *t->spreads, err));
  int *firsts;
  TRY(mem_alloc(&firsts, t->row_count * t->column_count, sizeof *firsts, err));
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < b->f->cell_count; i++) {
    st = observe(b, i, &o, &shown, err);
    if (st == STATUS_OK && shown && (st = place(b, &o, &row, &column, err)) == STATUS_OK) {
      size_t at = row * t->column_count + column;
      firsts[at] = t->spreads[at].planned ? firsts[at] : (int)o.variant;
      add(b, &o, &t->spreads[at], firsts[at]);
    }
  }
  free(firsts);
  return st;
}

/* Exchanges two labels of the models, so that the second sorts where the first did. */
static void swap_models(struct build *b, int x, int y) {
  char **at = b->t->labels[FIELD_MODEL].at, *kept = at[x];
  at[x] = at[y];
  at[y] = kept;
  for (size_t v = 0; v < b->f->variant_count; v++) {
    int *value = &b->values[v][FIELD_MODEL];
    *value = *value == x ? y : *value == y ? x : *value;
  }
}

/* Where only models are told apart, the dense one would be averaged with its pruned ones: it gets a
 * name of its own, before theirs. */
static status part_dense(struct build *b, struct error *err) {
  for (int i = FIELD_METHOD; i < FIELD_DATASET; i++) {
    if (table_uses(&b->t->query, (enum table_field)i)) {
      return STATUS_OK;
    }
  }
  for (size_t v = 0; v < b->f->variant_count; v++) {
    if (b->dense[v]) {
      char *name;
      int own, model = b->values[v][FIELD_MODEL];
      TRY(str_format(&name, err, "%s (dense)", b->f->variants[v].model));
      status st = intern(&b->t->labels[FIELD_MODEL], name, &own, err);
      free(name);
      TRY(st);
      b->values[v][FIELD_MODEL] = own;
      swap_models(b, model, own);
    }
  }
  return STATUS_OK;
}

static status pair_errors(struct build *b, struct error *err) {
  size_t datasets = b->t->labels[FIELD_DATASET].count, variants = b->f->variant_count;
  TRY(mem_alloc(&b->paired, datasets * variants, sizeof *b->paired, err));
  for (size_t d = 0; d < datasets; d++) {
    const struct table_dataset *s = &b->t->datasets[d];
    TRY(table_paired_errors(b->f, b->path, s->name, s->metric ? s->metric : "",
                            b->paired + d * variants, err));
  }
  return STATUS_OK;
}

static status build(struct build *b, struct error *err) {
  size_t n = b->f->variant_count;
  TRY(mem_alloc(&b->methods, n, sizeof(char *), err));
  TRY(mem_alloc(&b->values, n, sizeof *b->values, err));
  TRY(mem_alloc(&b->dense, n, sizeof *b->dense, err));
  TRY(table_method_labels(b->f, b->methods, err));
  for (size_t v = 0; v < n; v++) {
    TRY(label_variant(b, v, err));
  }
  TRY(table_resolve(b->t, err));
  TRY(part_dense(b, err));
  TRY(choose_datasets(b, err));
  if (b->t->query.by_kind && b->t->query.drop) {
    TRY(pair_errors(b, err));
  }
  TRY(fill(b, err));
  return b->t->query.by_kind ? table_kinds(b->t, err) : STATUS_OK;
}

status table_build(struct table *out, const struct results_file *f, const struct table_query *query,
                   const char *path, struct error *err) {
  *out = (struct table){.query = *query};
  struct build b = {.t = out, .f = f, .path = path};
  status st = build(&b, err);
  for (size_t v = 0; b.methods && v < f->variant_count; v++) {
    free(b.methods[v]);
  }
  free((void *)b.methods);
  free(b.values);
  free(b.dense);
  free(b.paired);
  if (st != STATUS_OK) {
    table_free(out);
  }
  return st;
}
