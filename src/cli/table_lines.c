#include <stdlib.h>

#include "cli/table.h"

void table_free(struct table *t) {
  for (int i = 0; i < FIELD_COUNT; i++) {
    for (size_t k = 0; k < t->labels[i].count; k++) {
      free(t->labels[i].at[k]);
    }
    free((void *)t->labels[i].at);
  }
  free(t->rows);
  free(t->columns);
  free(t->spreads);
  free(t->datasets);
  str_free(&t->members);
  *t = (struct table){0};
}

/* The dense model says so where the method stands, or in its first empty place without one. */
static const char *label(const struct table *t, const enum table_field *fields, size_t count,
                         const struct table_line *line, size_t i) {
  if (line->values[i] != LABEL_DENSE) {
    return t->labels[fields[i]].at[line->values[i]];
  }
  size_t says = count;
  for (size_t k = count; k-- > 0;) {
    says = line->values[k] == LABEL_DENSE ? k : says;
  }
  for (size_t k = 0; k < count; k++) {
    says = fields[k] == FIELD_METHOD ? k : says;
  }
  return i == says ? "dense" : "-";
}

const char *table_row_label(const struct table *t, size_t row, size_t i) {
  return label(t, t->query.rows, t->query.row_fields, &t->rows[row], i);
}

const char *table_column_label(const struct table *t, size_t column, size_t i) {
  return label(t, t->query.columns, t->query.column_fields, &t->columns[column], i);
}

const struct table_dataset *table_dataset_of(const struct table *t, size_t row, size_t column) {
  for (size_t i = 0; i < t->query.column_fields; i++) {
    if (t->query.columns[i] == FIELD_DATASET) {
      return &t->datasets[t->columns[column].values[i]];
    }
  }
  for (size_t i = 0; i < t->query.row_fields; i++) {
    if (t->query.rows[i] == FIELD_DATASET) {
      return &t->datasets[t->rows[row].values[i]];
    }
  }
  return NULL;
}
