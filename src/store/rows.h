/* Tables in HDF5: a data set of compounds, one per row, of 64-bit numbers and fixed-width UTF-8
 * text (as wide as its longest value): what h5py, h5dump and pandas show as a table without help.
 */
#ifndef ESPALIER_STORE_ROWS_H
#define ESPALIER_STORE_ROWS_H

#include <stdint.h>

#include "store/h5.h"

enum column_kind { COLUMN_TEXT, COLUMN_REAL, COLUMN_INTEGER };

struct column {
  const char *name;
  enum column_kind kind;
};

union value {
  const char *text; /* the caller's, until the table is written */
  double real;
  int64_t integer;
};

enum { COLUMNS_MOST = 16 };

/* A table under way; zero-initialise with columns and column_count, free with rows_free. */
struct rows {
  const struct column *columns; /* [column_count] */
  size_t column_count;
  union value *values; /* [count][column_count] */
  size_t count, cap;   /* rows; values */
};

/* values: [column_count], in the columns' order. */
status rows_add(struct rows *r, const union value *values, struct error *err);
/* Bytes that are no UTF-8 are written as '?'. */
status rows_write(const struct rows *r, const struct h5 *h, const char *place, struct error *err);
void rows_free(struct rows *r);

/* A table read back: rows of NUL-terminated text and native numbers. */
struct read_rows {
  size_t count, stride;         /* rows; bytes of a row */
  size_t offsets[COLUMNS_MOST]; /* of each column in a row */
  unsigned char *at;            /* [count][stride]; free() it */
};

/* Whether there is such a table with such a column. */
bool rows_have(const struct h5 *h, const char *place, const char *column);

/* STATUS_INPUT when there is no such table or it lacks one of the columns. */
status rows_read(struct read_rows *out, const struct h5 *h, const char *place,
                 const struct column *columns, size_t column_count, struct error *err);

char *read_text(const struct read_rows *r, size_t row, size_t column);
double read_real(const struct read_rows *r, size_t row, size_t column);
int64_t read_integer(const struct read_rows *r, size_t row, size_t column);

#endif
