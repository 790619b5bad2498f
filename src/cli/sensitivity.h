/* `espalier sensitivity`: how much the calibration set decides, from a results file. */
#ifndef ESPALIER_CLI_SENSITIVITY_H
#define ESPALIER_CLI_SENSITIVITY_H

#include "cli/sheet.h"
#include "cli/table.h"
#include "store/results.h"

/* What is looked at; empty lists keep all. Lists are the caller's. */
struct design_query {
  struct word_list metrics, datasets, kinds;
  /* of variants; what calibration sets say does not concern methods without one */
  struct word_list methods, models, sparsities, calibrations, samples, lengths, propagates;
  bool drop; /* values are differences to the dense model's */
  unsigned seed;
};

struct design_dataset {
  const char *name, *kind, *metric;
  bool lower_is_better;
  bool open_ended; /* table_open_ended */
};

/* Variants that differ in their calibration set and draw alone. */
struct design_group {
  const struct results_variant *as; /* one of them */
  const char *label;                /* method and parameters */
  bool calibrated;                  /* false: one variant, without a draw */
  size_t *at;                       /* [count]: variants, by calibration set, then by draw */
  size_t count, cap;
};

enum design_state { DESIGN_NONE, DESIGN_DONE, DESIGN_FAILED, DESIGN_PENDING };

/* A results file as its statistics see it. Strings are the file's. */
struct design {
  const struct results_file *file;
  const char *path;
  unsigned seed;
  bool drop;
  struct design_dataset *datasets; /* [dataset_count]: those with results */
  size_t dataset_count;
  struct design_group *groups; /* [group_count], in the file's order */
  size_t group_count;
  const char **sets; /* [set_count]: calibration sets, in the file's order */
  size_t set_count;
  int *set_of;           /* [variants]; -1: none */
  char **labels;         /* [variants]; owned */
  double *values;        /* [dataset_count][variants]: NaN where there is none */
  double *errors;        /* likewise: standard errors over items */
  unsigned char *states; /* likewise: enum design_state of the cell */
  double *dense; /* [dataset_count][group_count]: of the same model; NaN where there is none */
  size_t variants, variants_failed, variants_pending; /* kept ones: groups' and dense */
  size_t cells, cells_failed, cells_pending;          /* theirs, of these data sets */
  size_t not_numbers;                                 /* good cells whose value is NaN */
  struct str empty; /* names of data sets without results, with commas between */
};

/* Refuses words of the query that name nothing in the file, and a choice that leaves no pruned
 * model. f must outlive the design. */
status design_make(struct design *out, const struct results_file *f, const char *path,
                   const struct design_query *q, struct error *err);
void design_free(struct design *d);

/* Fills the design's values, states and counts; for design_make. keep [variants] */
status design_fill(struct design *d, const bool *keep, struct error *err);
/* keep [variants] says which the query wants; dense models of theirs are kept as well. */
status design_choose(const struct results_file *f, const char *path, const struct design_query *q,
                     bool *keep, struct error *err);

static inline size_t design_at(const struct design *d, size_t dataset, size_t variant) {
  return dataset * d->file->variant_count + variant;
}
/* NaN where there is none. */
static inline double design_value(const struct design *d, size_t dataset, size_t variant) {
  return d->values[design_at(d, dataset, variant)];
}
/* The group's variant of this calibration set and draw whose value is there; of a group without
 * calibration its only one. False: there is none. */
bool design_find(const struct design *d, const struct design_group *g, size_t dataset, int set,
                 int draw, size_t *variant);
/* Whether groups differ in nothing that stands against a comparison of their methods: same model
 * and sparsity, same sample count, length and propagation unless one of them has no
 * calibration. */
bool design_comparable(const struct design_group *a, const struct design_group *b);

/* The columns that every sheet begins with, up to COLUMN_METHOD. */
#define DESIGN_COLUMNS                                                                             \
  [COLUMN_DATASET] = {"dataset", SHEET_TEXT, SHEET_FILLED},                                        \
  [COLUMN_METRIC] = {"metric", SHEET_TEXT, SHEET_VARIED},                                          \
  [COLUMN_MODEL] = {"model", SHEET_TEXT, SHEET_VARIED},                                            \
  [COLUMN_SPARSITY] = {"sparsity", SHEET_TEXT, SHEET_VARIED},                                      \
  [COLUMN_SAMPLES] = {"samples", SHEET_COUNT, SHEET_VARIED},                                       \
  [COLUMN_LENGTH] = {"length", SHEET_COUNT, SHEET_VARIED},                                         \
  [COLUMN_PROPAGATE] = {"propagate", SHEET_TEXT, SHEET_VARIED}
enum {
  COLUMN_DATASET,
  COLUMN_METRIC,
  COLUMN_MODEL,
  COLUMN_SPARSITY,
  COLUMN_SAMPLES,
  COLUMN_LENGTH,
  COLUMN_PROPAGATE,
  COLUMN_METHOD,
  COLUMN_OWN /* the first of a sheet's own */
};
/* set: NULL for sheets without data sets. */
void design_label(struct sheet_cell *row, const struct design_dataset *set,
                  const struct design_group *g);
/* Puts Holm's correction of column p, over all rows, into column holm. */
status design_holm(struct sheet *s, size_t p, size_t holm, struct error *err);

/* What is looked at, and what is missing. */
status sensitivity_head(const struct design *d, struct str *to, struct error *err);
cJSON *sensitivity_head_json(const struct design *d);

/* The sections: each fills *s, whose name, title and columns it sets. */
status sensitivity_spread(const struct design *d, struct sheet *s, struct error *err);
status sensitivity_components(const struct design *d, struct sheet *s, struct error *err);
status sensitivity_beats(const struct design *d, struct sheet *s, struct error *err);
status sensitivity_ranks(const struct design *d, struct sheet *s, struct error *err);
status sensitivity_overlap(const struct design *d, struct sheet *s, struct error *err);
status sensitivity_distance(const struct design *d, struct sheet *s, struct error *err);

#endif
