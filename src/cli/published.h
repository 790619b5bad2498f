/* `espalier table --published`: measured values beside the numbers of a paper's tables. */
#ifndef ESPALIER_CLI_PUBLISHED_H
#define ESPALIER_CLI_PUBLISHED_H

#include "base/yaml.h"
#include "cli/table.h"
#include "data/task.h"

/* A model as the source calls it, and shell patterns of the names that checkpoints of it have. */
struct published_model {
  const char *name;
  const struct yaml *patterns; /* a text or a list of texts */
};

/* One number. Texts belong to the file. */
struct published_cell {
  const struct published_model *model;
  const char *method, *sparsity; /* sparsity: "" for the dense model */
  const char *dataset, *metric;
  long window;             /* tokens; 0: the metric knows no windows */
  const char *calibration; /* NULL: not said */
  long samples, length;    /* 0: not said */
  double value, sd;        /* sd: NaN where there is none */
};

struct published {
  struct yaml_file file;
  const char *name, *source, *caveat; /* caveat may be NULL */
  struct published_model *models;
  size_t model_count;
  struct published_cell *cells;
  size_t count, cap;
};

/* name: of configs/published, or a path. Format: ../../configs/published/README.md. */
status published_open(struct published *out, const char *name, const struct search *search,
                      struct error *err);
void published_close(struct published *p);

/* A measured value: a cell of the results file with its protocol. */
struct measured {
  const struct results_variant *variant;
  const struct results_metric *metric;
  long window;  /* 0: unknown, or the metric knows no windows */
  bool plain;   /* the method's parameters are its defaults */
  bool matched; /* by a published number */
};

/* Measured values of one published number that were made in one way. */
struct published_match {
  const struct published_cell *cell;
  const struct results_variant *variant; /* the first of them */
  size_t count;
  double mean, squares; /* squared deviations, summed */
  int64_t items;
};

struct published_table {
  const struct published *source;
  struct measured *measured; /* [measured_count] */
  size_t measured_count;
  struct published_match *matches; /* [count], in the source's order */
  size_t count, cap;
};

status published_match(struct published_table *out, const struct published *source,
                       const struct results_file *f, const char *path, struct error *err);
void published_table_free(struct published_table *t);

/* Why a measured value stands beside no published one: the first of its properties that the
 * source lacks among what agrees so far. */
const char *published_lacks(const struct published *p, const struct measured *m);
bool published_is_model(const struct published_model *model, const char *name);

/* TABLE_TEXT or TABLE_CSV. */
status published_print(const struct published_table *t, enum table_format format, struct str *to,
                       struct error *err);

#endif
