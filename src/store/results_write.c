#include <math.h>
#include <string.h>

#include "store/results_parts.h"

static const char *state(bool there, bool failed) {
  return !there ? "pending" : failed ? "failed" : "done";
}

static status write_variants(const struct results *r, const struct h5 *h, struct error *err) {
  struct rows rows = {.columns = variant_columns, .column_count = VARIANT_COLUMNS};
  status st = STATUS_OK;
  for (size_t v = 0; st == STATUS_OK && v < r->variant_count; v++) {
    const struct variant_info *i = &r->variants[v];
    const struct variant_record *d = r->variant_records[v];
    if (i->elsewhere) {
      continue;
    }
    st = rows_add(&rows,
                  (union value[]){{.text = i->id},
                                  {.text = i->model},
                                  {.text = i->method},
                                  {.text = i->parameters},
                                  {.text = i->sparsity},
                                  {.text = i->calibration},
                                  {.integer = i->samples},
                                  {.integer = i->length},
                                  {.integer = i->draw},
                                  {.text = state(d, d && d->failed)},
                                  {.text = d && d->failed ? d->error : ""},
                                  {.real = d && !d->failed ? d->achieved_sparsity : NAN},
                                  {.real = d ? d->seconds : NAN},
                                  {.integer = d ? d->ranks : 0},
                                  {.text = i->propagate ? i->propagate : ""},
                                  {.integer = i->position}},
                  err);
  }
  if (st == STATUS_OK) {
    st = rows_write(&rows, h, "/variants", err);
  }
  rows_free(&rows);
  return st;
}

static status add_metrics(struct rows *rows, const struct results *r, size_t v, size_t d,
                          struct error *err) {
  const struct cell_record *c = results_cell_record(r, v, d);
  for (size_t m = 0; c && !c->failed && m < c->metric_count; m++) {
    const struct metric_row *row = &c->metrics[m];
    TRY(rows_add(rows,
                 (union value[]){{.text = r->variants[v].id},
                                 {.text = r->datasets[d].name},
                                 {.text = r->datasets[d].kind},
                                 {.text = row->name},
                                 {.real = row->value},
                                 {.real = row->stderr_},
                                 {.integer = row->items}},
                 err));
  }
  return STATUS_OK;
}

static const char *cell_id(const struct results *r, size_t v, size_t d,
                           const struct cell_record *c) {
  return r->cell_ids ? r->cell_ids[v * r->dataset_count + d] : c ? c->id : "";
}

static status add_cell(struct rows *rows, const struct results *r, size_t v, size_t d,
                       struct error *err) {
  if (!results_wanted(r, v, d)) {
    return STATUS_OK;
  }
  const struct cell_record *c = results_cell_record(r, v, d);
  const struct variant_record *p = r->variant_records[v];
  bool unpruned = !c && p && p->failed;
  return rows_add(rows,
                  (union value[]){{.text = r->variants[v].id},
                                  {.text = r->datasets[d].name},
                                  {.text = state(c || unpruned, unpruned || (c && c->failed))},
                                  {.text = unpruned         ? p->error
                                           : c && c->failed ? c->error
                                                            : ""},
                                  {.real = c ? c->seconds : NAN},
                                  {.text = cell_id(r, v, d, c)}},
                  err);
}

/* One table with rows of every (variant, data set), in plan order. */
static status write_crossed(const struct results *r, const struct h5 *h, const char *place,
                            const struct column *columns, size_t column_count,
                            status (*add)(struct rows *rows, const struct results *r, size_t v,
                                          size_t d, struct error *err),
                            struct error *err) {
  struct rows rows = {.columns = columns, .column_count = column_count};
  status st = STATUS_OK;
  for (size_t v = 0; v < r->variant_count; v++) {
    for (size_t d = 0; st == STATUS_OK && d < r->dataset_count; d++) {
      st = add(&rows, r, v, d, err);
    }
  }
  if (st == STATUS_OK) {
    st = rows_write(&rows, h, place, err);
  }
  rows_free(&rows);
  return st;
}

static status write_datasets(const struct results *r, const struct h5 *h, struct error *err) {
  struct rows rows = {.columns = dataset_columns, .column_count = DATASET_COLUMNS};
  status st = STATUS_OK;
  for (size_t d = 0; st == STATUS_OK && d < r->dataset_count; d++) {
    st = rows_add(
        &rows, (union value[]){{.text = r->datasets[d].name}, {.text = r->datasets[d].kind}}, err);
  }
  if (st == STATUS_OK) {
    st = rows_write(&rows, h, "/datasets", err);
  }
  rows_free(&rows);
  return st;
}

static status write_layers(const struct results *r, const struct h5 *h, struct error *err) {
  struct rows rows = {.columns = layer_columns, .column_count = LAYER_COLUMNS};
  status st = STATUS_OK;
  for (size_t v = 0; v < r->variant_count; v++) {
    const struct variant_record *p = r->variant_records[v];
    for (size_t i = 0; p && st == STATUS_OK && i < p->layer_count; i++) {
      const struct layer_row *l = &p->layers[i];
      st = rows_add(&rows,
                    (union value[]){{.text = r->variants[v].id},
                                    {.integer = l->block},
                                    {.text = l->linear},
                                    {.real = l->sparsity},
                                    {.real = l->relative_error},
                                    {.real = l->damp},
                                    {.real = l->seconds}},
                    err);
    }
  }
  if (st == STATUS_OK) {
    st = rows_write(&rows, h, "/layers", err);
  }
  rows_free(&rows);
  return st;
}

static status write_attributes(const struct results *r, const struct h5 *h, struct error *err) {
  bool schema = false;
  for (size_t i = 0; i < r->attribute_count; i++) {
    const struct attribute *a = &r->attributes[i];
    schema |= strcmp(a->name, "schema_version") == 0;
    TRY(h5_text_attribute(h, "/", a->name, a->text ? a->text : "", err));
  }
  return schema ? STATUS_OK : h5_text_attribute(h, "/", "schema_version", RESULTS_SCHEMA, err);
}

static status write_all(const struct results *r, const struct h5 *h, struct error *err) {
  TRY(write_attributes(r, h, err));
  TRY(write_variants(r, h, err));
  TRY(write_crossed(r, h, "/metrics", metric_columns, METRIC_COLUMNS, add_metrics, err));
  TRY(write_crossed(r, h, "/cells", cell_columns, CELL_COLUMNS, add_cell, err));
  TRY(write_datasets(r, h, err));
  TRY(write_layers(r, h, err));
  TRY(results_write_items(r, h, err));
  TRY(results_write_calibrations(r, h, err));
  TRY(results_write_distances(r, h, err));
  TRY(results_write_attribution(r, h, err));
  return results_write_masks(r, h, err);
}

status results_write(const char *path, const struct results *r, struct error *err) {
  struct h5 h;
  TRY(h5_create(&h, path, err));
  status st = write_all(r, &h, err);
  if (st == STATUS_OK) {
    st = h5_publish(&h, err);
  }
  h5_close(&h);
  return st;
}
