#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/results_parts.h"

static status read_variants(struct results_file *out, const struct h5 *h, struct error *err) {
  struct read_rows r;
  bool old = !rows_have(h, "/variants", "propagate");
  bool unplaced = old || !rows_have(h, "/variants", "position");
  TRY(rows_read(&r, h, "/variants", variant_columns, (size_t)(VARIANT_COLUMNS - old - unplaced),
                err));
  out->text[0] = r.at;
  TRY(mem_alloc(&out->variants, r.count, sizeof *out->variants, err));
  out->variant_count = r.count;
  for (size_t i = 0; i < r.count; i++) {
    out->variants[i] = (struct results_variant){
        .id = read_text(&r, i, 0),
        .model = read_text(&r, i, 1),
        .method = read_text(&r, i, 2),
        .parameters = read_text(&r, i, 3),
        .sparsity = read_text(&r, i, 4),
        .calibration = read_text(&r, i, 5),
        .samples = (int)read_integer(&r, i, 6),
        .length = (int)read_integer(&r, i, 7),
        .draw = (int)read_integer(&r, i, 8),
        .status = read_text(&r, i, 9),
        .error = read_text(&r, i, 10),
        .achieved_sparsity = read_real(&r, i, 11),
        .seconds = read_real(&r, i, 12),
    };
    struct results_variant *v = &out->variants[i];
    v->propagate = !old ? read_text(&r, i, 14) : v->calibration[0] ? "pruned" : "";
    v->position = unplaced ? (int)i : (int)read_integer(&r, i, 15);
  }
  return STATUS_OK;
}

static status read_metrics(struct results_file *out, const struct h5 *h, struct error *err) {
  struct read_rows r;
  TRY(rows_read(&r, h, "/metrics", metric_columns, METRIC_COLUMNS, err));
  out->text[1] = r.at;
  TRY(mem_alloc(&out->metrics, r.count, sizeof *out->metrics, err));
  out->metric_count = r.count;
  for (size_t i = 0; i < r.count; i++) {
    out->metrics[i] = (struct results_metric){
        .variant = read_text(&r, i, 0),
        .dataset = read_text(&r, i, 1),
        .kind = read_text(&r, i, 2),
        .metric = read_text(&r, i, 3),
        .value = read_real(&r, i, 4),
        .stderr_ = read_real(&r, i, 5),
        .items = read_integer(&r, i, 6),
    };
  }
  return STATUS_OK;
}

static status read_cells(struct results_file *out, const struct h5 *h, struct error *err) {
  struct read_rows r;
  bool old = !rows_have(h, "/cells", "id");
  TRY(rows_read(&r, h, "/cells", cell_columns, (size_t)(CELL_COLUMNS - old), err));
  out->text[2] = r.at;
  TRY(mem_alloc(&out->cells, r.count, sizeof *out->cells, err));
  out->cell_count = r.count;
  for (size_t i = 0; i < r.count; i++) {
    out->cells[i] = (struct results_cell){
        .variant = read_text(&r, i, 0),
        .dataset = read_text(&r, i, 1),
        .status = read_text(&r, i, 2),
        .error = read_text(&r, i, 3),
        .seconds = read_real(&r, i, 4),
        .id = old ? "" : read_text(&r, i, 5),
    };
  }
  return STATUS_OK;
}

static status read_datasets(struct results_file *out, const struct h5 *h, struct error *err) {
  struct read_rows r;
  if (!rows_have(h, "/datasets", "name")) {
    return STATUS_OK;
  }
  TRY(rows_read(&r, h, "/datasets", dataset_columns, DATASET_COLUMNS, err));
  out->text[3] = r.at;
  TRY(mem_alloc(&out->datasets, r.count, sizeof *out->datasets, err));
  out->dataset_count = r.count;
  for (size_t i = 0; i < r.count; i++) {
    out->datasets[i] = (struct results_dataset){read_text(&r, i, 0), read_text(&r, i, 1)};
  }
  return STATUS_OK;
}

status results_bad_input(status st, struct error *err) {
  if (st == STATUS_IO) {
    st = STATUS_INPUT;
    if (err) {
      err->code = st;
    }
  }
  return st;
}

status results_check_schema(const struct h5 *h, struct error *err) {
  if (H5Aexists(h->file, "schema_version") <= 0) {
    return err_at(err, STATUS_INPUT, h->path, 0, "not a results file of espalier");
  }
  char *schema;
  TRY(h5_read_attribute(h, "schema_version", &schema, err));
  status st = STATUS_OK;
  if (strcmp(schema, RESULTS_SCHEMA) != 0) {
    st = err_at(err, STATUS_INPUT, h->path, 0,
                "results of schema version '%s' (this program reads %s)", schema, RESULTS_SCHEMA);
  }
  free(schema);
  return st;
}

static status read_all(struct results_file *out, const struct h5 *h, struct error *err) {
  TRY(results_check_schema(h, err));
  TRY(read_variants(out, h, err));
  TRY(read_metrics(out, h, err));
  TRY(read_cells(out, h, err));
  return read_datasets(out, h, err);
}

status results_read(struct results_file *out, const char *path, struct error *err) {
  *out = (struct results_file){0};
  struct h5 h;
  TRY(h5_open(&h, path, err));
  status st = results_bad_input(read_all(out, &h, err), err);
  h5_close(&h);
  if (st != STATUS_OK) {
    results_close(out);
  }
  return st;
}

void results_close(struct results_file *r) {
  free(r->variants);
  free(r->metrics);
  free(r->cells);
  free(r->datasets);
  for (size_t i = 0; i < sizeof r->text / sizeof r->text[0]; i++) {
    free(r->text[i]);
  }
  *r = (struct results_file){0};
}

status results_attribute(const char *path, const char *name, char **out, struct error *err) {
  struct h5 h;
  TRY(h5_open(&h, path, err));
  status st = results_bad_input(h5_read_attribute(&h, name, out, err), err);
  h5_close(&h);
  return st;
}
