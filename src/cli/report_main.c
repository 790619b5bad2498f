#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "cli/report.h"
#include "cli/table.h"
#include "store/attributes.h"

enum { DIGITS = 10 };

bool report_find(const struct results_file *f, const char *id, size_t *at) {
  for (size_t i = 0; i < f->variant_count; i++) {
    size_t v = (*at + i) % f->variant_count;
    if (strcmp(f->variants[v].id, id) == 0) {
      *at = v;
      return true;
    }
  }
  return false;
}

/* Distinct names in order of first appearance; the next one asked for is often the next one here.
 */
struct names {
  const char **at; /* [count] */
  size_t count, cap, last;
};

static status name_index(struct names *n, const char *name, size_t *out, struct error *err) {
  for (size_t i = 0; i < n->count; i++) {
    size_t k = (n->last + i) % n->count;
    if (strcmp(n->at[k], name) == 0) {
      *out = n->last = k;
      return STATUS_OK;
    }
  }
  TRY(mem_reserve(&n->at, &n->cap, n->count + 1, sizeof(char *), err));
  n->at[n->count] = name;
  *out = n->last = n->count++;
  return STATUS_OK;
}

static status add_provenance(const struct report *r, cJSON *to, struct error *err) {
  cJSON *object = cJSON_AddObjectToObject(to, "provenance");
  struct attributes a;
  status st = attributes_read(&a, r->path, err);
  for (size_t i = 0; st == STATUS_OK && i < a.count; i++) {
    (void)cJSON_AddStringToObject(object, a.names[i], a.texts[i]);
  }
  attributes_free(&a);
  return st;
}

static void add_variants(const struct report *r, cJSON *to) {
  cJSON *o = cJSON_AddObjectToObject(to, "variants");
  cJSON *id = report_list(o, "id"), *model = report_list(o, "model");
  cJSON *method = report_list(o, "method"), *dense = report_list(o, "dense");
  cJSON *parameters = report_list(o, "parameters"), *sparsity = report_list(o, "sparsity");
  cJSON *calibration = report_list(o, "calibration"), *samples = report_list(o, "samples");
  cJSON *length = report_list(o, "length"), *draw = report_list(o, "draw");
  cJSON *propagate = report_list(o, "propagate");
  cJSON *state = report_list(o, "status"), *error = report_list(o, "error");
  cJSON *achieved = report_list(o, "achieved_sparsity"), *seconds = report_list(o, "seconds");
  for (size_t i = 0; i < r->file.variant_count; i++) {
    const struct results_variant *v = &r->file.variants[i];
    report_text(id, v->id);
    report_text(model, v->model);
    report_text(method, r->methods[i]);
    report_integer(dense, strcmp(v->method, "dense") == 0);
    report_text(parameters, v->parameters);
    report_text(sparsity, v->sparsity);
    report_text(calibration, v->calibration);
    report_integer(samples, v->samples);
    report_integer(length, v->length);
    report_integer(draw, v->draw);
    report_text(propagate, v->propagate);
    report_text(state, v->status);
    report_text(error, v->error);
    report_number(achieved, v->achieved_sparsity, DIGITS);
    report_number(seconds, v->seconds, 4);
  }
}

static status add_cells(const struct report *r, cJSON *to, struct names *datasets,
                        struct error *err) {
  const struct results_file *f = &r->file;
  cJSON *o = cJSON_AddObjectToObject(to, "cells");
  cJSON *variant = report_list(o, "variant"), *dataset = report_list(o, "dataset");
  cJSON *state = report_list(o, "status"), *error = report_list(o, "error");
  cJSON *seconds = report_list(o, "seconds");
  size_t v = 0, d;
  for (size_t i = 0; i < f->cell_count; i++) {
    const struct results_cell *c = &f->cells[i];
    if (!report_find(f, c->variant, &v)) {
      return err_at(err, STATUS_INPUT, r->path, 0, "/cells names a variant '%s' that is not there",
                    c->variant);
    }
    TRY(name_index(datasets, c->dataset, &d, err));
    report_integer(variant, (int64_t)v);
    report_integer(dataset, (int64_t)d);
    report_text(state, c->status);
    report_text(error, c->error);
    report_number(seconds, c->seconds, 4);
  }
  return STATUS_OK;
}

static status add_values(const struct report *r, cJSON *to, struct names *datasets,
                         struct names *metrics, struct error *err) {
  const struct results_file *f = &r->file;
  cJSON *o = cJSON_AddObjectToObject(to, "values");
  cJSON *variant = report_list(o, "variant"), *dataset = report_list(o, "dataset");
  cJSON *metric = report_list(o, "metric"), *value = report_list(o, "value");
  cJSON *error = report_list(o, "stderr"), *items = report_list(o, "items");
  size_t v = 0, d, k;
  for (size_t i = 0; i < f->metric_count; i++) {
    const struct results_metric *m = &f->metrics[i];
    if (!report_find(f, m->variant, &v)) {
      return err_at(err, STATUS_INPUT, r->path, 0,
                    "/metrics names a variant '%s' that is not there", m->variant);
    }
    TRY(name_index(datasets, m->dataset, &d, err));
    TRY(name_index(metrics, m->metric, &k, err));
    report_integer(variant, (int64_t)v);
    report_integer(dataset, (int64_t)d);
    report_integer(metric, (int64_t)k);
    report_number(value, m->value, DIGITS);
    report_number(error, m->stderr_, 4);
    report_integer(items, m->items);
  }
  return STATUS_OK;
}

/* The kind of task of a data set; "" when none of its cells is good. */
static const char *kind_of(const struct results_file *f, const char *dataset) {
  for (size_t i = 0; i < f->metric_count; i++) {
    if (strcmp(f->metrics[i].dataset, dataset) == 0) {
      return f->metrics[i].kind;
    }
  }
  return "";
}

static void add_names(const struct report *r, cJSON *to, const struct names *datasets,
                      const struct names *metrics) {
  cJSON *names = report_list(to, "datasets"), *kinds = report_list(to, "kinds");
  for (size_t i = 0; i < datasets->count; i++) {
    report_text(names, datasets->at[i]);
    report_text(kinds, kind_of(&r->file, datasets->at[i]));
  }
  cJSON *open = NULL;
  names = report_list(to, "metrics");
  open = report_list(to, "open");
  for (size_t i = 0; i < metrics->count; i++) {
    report_text(names, metrics->at[i]);
    report_integer(open, table_open_ended(metrics->at[i]));
  }
}

status report_main(const struct report *r, cJSON **out, struct error *err) {
  struct names datasets = {0}, metrics = {0};
  cJSON *o = cJSON_CreateObject();
  (void)cJSON_AddStringToObject(o, "file", path_base(r->path));
  status st = add_provenance(r, o, err);
  if (st == STATUS_OK) {
    add_variants(r, o);
    st = add_cells(r, o, &datasets, err);
  }
  if (st == STATUS_OK) {
    st = add_values(r, o, &datasets, &metrics, err);
  }
  if (st == STATUS_OK) {
    add_names(r, o, &datasets, &metrics);
  } else {
    cJSON_Delete(o);
    o = NULL;
  }
  free((void *)datasets.at);
  free((void *)metrics.at);
  *out = o;
  return st;
}
