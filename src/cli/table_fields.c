#include <string.h>

#include "cli/table.h"

const char *const table_field_names[FIELD_COUNT] = {"model",       "method",  "sparsity",
                                                    "calibration", "samples", "length",
                                                    "propagate",   "draw",    "dataset"};

bool table_uses(const struct table_query *q, enum table_field field) {
  for (size_t i = 0; i < q->row_fields; i++) {
    if (q->rows[i] == field) {
      return true;
    }
  }
  for (size_t i = 0; i < q->column_fields; i++) {
    if (q->columns[i] == field) {
      return true;
    }
  }
  return false;
}

static bool tells_variants_apart(const struct table *t, enum table_field field) {
  const struct labels *l = &t->labels[field];
  size_t known = l->count;
  for (size_t i = 0; field >= FIELD_SAMPLES && i < l->count; i++) {
    known -= strcmp(l->at[i], "-") == 0;
  }
  return known > 1;
}

/* What the file varies except the draw, onto one side of the table. */
static void default_fields(const struct table *t, enum table_field *fields, size_t *count) {
  for (int i = FIELD_MODEL; i < FIELD_DRAW; i++) {
    enum table_field field = (enum table_field)i;
    bool always = field == FIELD_METHOD || field == FIELD_SPARSITY || field == FIELD_CALIBRATION;
    if (!table_uses(&t->query, field) && (always || tells_variants_apart(t, field))) {
      fields[(*count)++] = field;
    }
  }
}

/* The side that the query leaves open gets the data sets if the other has not, else the variants.
 */
status table_resolve(struct table *t, struct error *err) {
  struct table_query *q = &t->query;
  bool no_rows = q->row_fields == 0;
  if (q->column_fields == 0 && !table_uses(q, FIELD_DATASET)) {
    q->columns[q->column_fields++] = FIELD_DATASET;
  }
  if (q->column_fields == 0) {
    default_fields(t, q->columns, &q->column_fields);
  }
  if (no_rows && !table_uses(q, FIELD_DATASET)) {
    q->rows[q->row_fields++] = FIELD_DATASET;
  }
  if (no_rows) {
    default_fields(t, q->rows, &q->row_fields);
  }
  if (!table_uses(q, FIELD_DATASET)) {
    return err_set(err, STATUS_INPUT,
                   "--rows and --columns leave out dataset (scores of different data sets do not "
                   "average)");
  }
  return STATUS_OK;
}
