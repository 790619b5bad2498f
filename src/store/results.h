/* The results file, one HDF5 file per experiment, built whole from records and renamed into place:
 * readers see the last complete one. Layout: README.md. */
#ifndef ESPALIER_STORE_RESULTS_H
#define ESPALIER_STORE_RESULTS_H

#include "base/sequences.h"
#include "store/attribution.h"
#include "store/distances.h"
#include "store/journal.h"
#include "store/record.h"

/* A planned variant: the columns of /variants that the plan knows. Strings are the caller's. */
struct variant_info {
  const char *id, *model, *method, *parameters /* JSON */, *sparsity, *calibration /* "" if none */;
  int32_t samples, length, draw; /* 0, 0, -1 when there is no calibration */
  const char *propagate;         /* "pruned" or "dense"; NULL or "" likewise */
  int32_t position;              /* in its plan, from 0: what puts shards back into one order */
  bool elsewhere;                /* another shard's: gets no row, and has no records here */
};

struct dataset_info {
  const char *name, *kind;
};

struct calibration_info {
  const char *set;
  int32_t draw, samples, length;
  const struct sequences *ids;
  const char *model; /* whose tokens they are; may be NULL */
};

/* Attribute of the root group, in order. */
struct attribute {
  const char *name, *text;
};

struct results {
  const struct attribute *attributes;
  size_t attribute_count;
  const struct variant_info *variants; /* in plan order */
  size_t variant_count;
  const struct dataset_info *datasets;
  size_t dataset_count;
  const struct calibration_info *calibrations;
  size_t calibration_count;
  const struct variant_record *const *variant_records; /* [variant_count], NULL: not done */
  const struct cell_record *const
      *cell_records;  /* [variant_count][dataset_count], NULL: not done */
  const bool *wanted; /* [variant_count][dataset_count], false: a cell that the plan leaves out,
                         which gets no row; NULL: all are wanted */
  const char *const *cell_ids;   /* [variant_count][dataset_count]: identities of the planned cells;
                                    NULL: those of the records */
  const struct journal *journal; /* read again for masks, one record at a time; NULL: none */
  const bool *masks;             /* [variant_count], true: all parts of its masks are there */
  const struct distance_record *distances; /* [distance_count], in plan order */
  size_t distance_count;
  /* [variant_count][dataset_count], NULL: not there; NULL altogether: there are none */
  const struct attribution_base *const *attribution_bases;
  const struct attribution_loss *const *attribution_losses;
};

/* Writes path whole: temporary file beside it, close, sync, rename. Rows are in plan order, so
 * equal records give equal /metrics bytes. What is not done has status "pending"; the cells of a
 * failed variant fail with its error. A schema_version attribute is added where the caller gives
 * none. */
status results_write(const char *path, const struct results *r, struct error *err);

/* What table and status read back. */
struct results_variant {
  char *id, *model, *method, *parameters, *sparsity, *calibration, *status, *error;
  int samples, length, draw;
  const char *propagate; /* "" without calibration; "pruned" in files older than the column */
  int position;          /* in its plan; the row's own number in files older than the column */
  double achieved_sparsity, seconds;
};
struct results_metric {
  char *variant, *dataset, *kind, *metric;
  double value, stderr_;
  int64_t items;
};
struct results_cell {
  char *variant, *dataset, *status /* done, failed, pending */, *error;
  const char *id; /* identity of the planned cell; "" in files older than the column */
  double seconds; /* NaN where there is none */
};
struct results_dataset {
  char *name, *kind;
};
struct results_file {
  struct results_variant *variants;
  size_t variant_count;
  struct results_metric *metrics; /* of good cells */
  size_t metric_count;
  struct results_cell *cells; /* every planned cell, in plan order */
  size_t cell_count;
  struct results_dataset *datasets; /* in plan order; none in files older than /datasets */
  size_t dataset_count;
  unsigned char *text[4]; /* holds the strings */
};
/* STATUS_INPUT for a file that is damaged or is no results file. */
status results_read(struct results_file *out, const char *path, struct error *err);
void results_close(struct results_file *r);

/* Per-item results of one data set, for the variants asked for. */
struct results_items {
  size_t variant_count;
  int64_t items;         /* of the widest variant of the file */
  int choices;           /* likewise; 1 for perplexity windows */
  bool *there;           /* [variant_count]: false: not done, failed, or not kept */
  int64_t *counts;       /* [variant_count]: items that the variant has, the first of `items` */
  int32_t *gold;         /* [items]; -1 without one */
  float *loglikelihoods; /* [variant_count][items][choices], NaN where there is none */
  int8_t *correct;       /* [variant_count][items], -1 where it has no meaning */
  int8_t *correct_norm;  /* likewise */
};
/* ids: [variant_count] of /variants. A data set without items, or a file that keeps none, gives
 * variants that are not there. STATUS_INPUT for a damaged file. */
status results_items_read(struct results_items *out, const char *path, const char *dataset,
                          const char *const *ids, size_t variant_count, struct error *err);
void results_items_free(struct results_items *r);

/* One root attribute as text; the caller frees. */
status results_attribute(const char *path, const char *name, char **out, struct error *err);

#endif
