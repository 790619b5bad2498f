/* `espalier table`: results pivoted into rows and columns of means and spreads, and printed. */
#ifndef ESPALIER_CLI_TABLE_H
#define ESPALIER_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"
#include "store/results.h"

/* What a cell is told apart by: rows and columns are combinations of these. */
enum table_field {
  FIELD_MODEL,
  FIELD_METHOD, /* with the parameters that are not the default or differ between variants */
  FIELD_SPARSITY,
  FIELD_CALIBRATION,
  FIELD_SAMPLES,
  FIELD_LENGTH,
  FIELD_PROPAGATE,
  FIELD_DRAW,
  FIELD_DATASET,
  FIELD_COUNT
};
extern const char *const table_field_names[FIELD_COUNT];

/* Words of a comma-separated option, in one copy. */
struct word_list {
  char *copy;
  const char **at; /* [count] */
  size_t count;
};
status word_list_add(struct word_list *list, const char *text, struct error *err);
void word_list_free(struct word_list *list);

struct table_query {
  enum table_field rows[FIELD_COUNT], columns[FIELD_COUNT];
  size_t row_fields, column_fields; /* 0: the defaults */
  struct word_list metrics; /* per data set the first of these that it has; empty: its first */
  struct word_list datasets, methods; /* kept; empty: all. The dense model is always kept. */
  bool by_kind;                       /* data sets, which are columns, are averaged by kind */
  bool drop;                          /* values are differences to the dense model's */
};

/* Distinct values of a field, in order of first appearance. */
struct labels {
  char **at; /* [count] */
  size_t count, cap;
};

/* One row or column: a value of each of its fields, LABEL_DENSE where the dense model has none. */
enum { LABEL_DENSE = -1 };
struct table_line {
  int values[FIELD_COUNT]; /* by position in query.rows or .columns */
};

/* All observations of one row and column. */
struct table_spread {
  size_t planned, good, failed;
  double mean, squares, sum; /* of the good ones; squares: summed squared deviations */
  double errors;             /* summed standard errors of the good ones */
  bool dense;                /* the dense model's, never a difference */
  bool averaged;             /* over data sets; squares is then the mean's squared error */
};

struct table_dataset {
  const char *name, *metric; /* metric: NULL when no cell has one */
  int64_t least, most;       /* items of its good cells */
  const char *kind;          /* NULL likewise */
};

struct table {
  struct table_query query; /* as resolved; its word lists stay the caller's */
  struct labels labels[FIELD_COUNT];
  struct table_line *rows, *columns; /* [row_count], [column_count], sorted */
  size_t row_count, column_count;
  struct table_spread *spreads;   /* [row_count][column_count] */
  struct table_dataset *datasets; /* [labels[FIELD_DATASET].count] */
  bool over[FIELD_COUNT];         /* fields that differ inside a spread */
  size_t most;                    /* largest planned of a spread of pruned models */
  size_t failed, pending;         /* cells */
  struct str members;             /* by kind: what each mean is over, for the note */
  size_t unpaired; /* differences whose standard error is not from the same items; by kind */
};

/* path names the file in messages. The strings of f must outlive the table. */
status table_build(struct table *out, const struct results_file *f, const struct table_query *query,
                   const char *path, struct error *err);
void table_free(struct table *t);

bool table_uses(const struct table_query *q, enum table_field field);
/* Settles which fields rows and columns have, from labels without those of the data sets: the side
 * that the query leaves open gets the data sets if the other has not, else what the file varies. */
status table_resolve(struct table *t, struct error *err);

/* The label of each variant's method, e.g. "ria a=0.5"; frees nothing of f. out [variant_count] */
status table_method_labels(const struct results_file *f, char **out, struct error *err);

/* A line's value of its i-th field. */
const char *table_row_label(const struct table *t, size_t row, size_t i);
const char *table_column_label(const struct table *t, size_t column, size_t i);
/* The data set of a cell; its metric decides how the value is printed. */
const struct table_dataset *table_dataset_of(const struct table *t, size_t row, size_t column);
static inline const struct table_spread *table_spread_at(const struct table *t, size_t row,
                                                         size_t column) {
  return &t->spreads[row * t->column_count + column];
}
double table_mean(const struct table_spread *s); /* infinite where a value is */
/* n - 1, NaN below two values; of a mean over data sets its standard error. */
double table_deviation(const struct table_spread *s);

/* Whether values of a metric have no upper end (perplexities): no mean is taken with them. */
bool table_open_ended(const char *metric);
/* Averages the columns of data sets by kind, unweighted; what is open-ended keeps its column. */
status table_kinds(struct table *t, struct error *err);
/* Standard errors of the differences of a data set's metric to the dense model of the same name,
 * over the same items, [variant_count]; NaN where the results keep no items that tell. */
status table_paired_errors(const struct results_file *f, const char *path, const char *dataset,
                           const char *metric, double *out, struct error *err);

enum table_format { TABLE_TEXT, TABLE_MARKDOWN, TABLE_LATEX, TABLE_CSV, TABLE_FORMATS };
extern const char *const table_format_names[TABLE_FORMATS];

/* What a printed cell says: "failed", "-", or the mean with 3 decimals (4 significant digits for
 * perplexities and their like); rest is "", " ± 0.021", " (1/2)" or both. */
struct table_words {
  char mean[32], rest[64];
};
void table_words(const struct table *t, size_t row, size_t column, struct table_words *out);

/* What ± is, over how many draws and items, the metrics; a second line when cells are missing. */
status table_note(const struct table *t, const char *path, struct str *out, struct error *err);

/* The whole table with its note (CSV: none) onto *to. */
status table_print(const struct table *t, enum table_format format, const char *path,
                   struct str *to, struct error *err);
status table_print_text(const struct table *t, struct str *to, struct error *err);
/* A field as RFC 4180 has it: quoted when it holds a comma, a quote or a line's end. */
status csv_field(struct str *to, bool first, const char *text, struct error *err);
status table_print_csv(const struct table *t, struct str *to, struct error *err);

#endif
