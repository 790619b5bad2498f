/* A printed table whose columns have types: aligned text, CSV, or JSON for scripts. */
#ifndef ESPALIER_CLI_SHEET_H
#define ESPALIER_CLI_SHEET_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "base/str.h"

enum sheet_kind {
  SHEET_TEXT,
  SHEET_COUNT,  /* a whole number */
  SHEET_SCORE,  /* 3 decimals; 4 significant digits where the cell is open-ended */
  SHEET_CHANGE, /* likewise with its sign */
  SHEET_SHARE,  /* 3 decimals */
  SHEET_P       /* a probability of a test: 4 decimals, or its power of ten */
};

/* When text shows a column; CSV and JSON have all of them. */
enum sheet_show {
  SHEET_ALWAYS,
  SHEET_VARIED, /* where rows that have something in it differ */
  SHEET_FILLED, /* where a row has something in it */
  SHEET_DATA    /* never */
};

struct sheet_column {
  const char *name; /* "sd_set"; text shows "sd set" */
  enum sheet_kind kind;
  enum sheet_show show;
};

struct sheet_cell {
  const char *text; /* of SHEET_TEXT, NULL is empty; not owned */
  double number;    /* of the others; NaN: none */
  double of;        /* text shows "number/of" where it is larger; 0: never */
  bool open_ended;
  bool mark; /* text puts a star behind it */
};

/* Zero-initialise with what is not owned set; free with sheet_free. */
struct sheet {
  const char *name, *title; /* "spread"; a line above the table */
  const struct sheet_column *columns;
  size_t column_count;
  struct sheet_cell *cells; /* [rows][column_count] */
  size_t rows, cap;
  struct str notes; /* lines below the table, each with its '\n' */
  char **words;     /* [word_count]: of sheet_word */
  size_t word_count, word_cap;
};

/* A new row, its numbers NaN; the pointer holds until the next one. */
status sheet_add(struct sheet *s, struct sheet_cell **row, struct error *err);
/* A copy of text [n] that lives as long as the sheet, the same for equal texts. */
status sheet_word(struct sheet *s, const char *text, size_t n, const char **out, struct error *err);
void sheet_free(struct sheet *s);
static inline struct sheet_cell *sheet_row(const struct sheet *s, size_t row) {
  return s->cells + row * s->column_count;
}

enum sheet_format { SHEET_AS_TEXT, SHEET_AS_CSV, SHEET_AS_JSON, SHEET_FORMATS };
extern const char *const sheet_format_names[SHEET_FORMATS];

status sheet_print_text(const struct sheet *s, struct str *to, struct error *err);
status sheet_print_csv(const struct sheet *s, struct str *to, struct error *err);
/* {"rows": [{column: value}], "notes": [lines]}; numbers that are not finite are null. NULL when
 * memory is short. */
cJSON *sheet_json(const struct sheet *s);

#endif
