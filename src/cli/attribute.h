/* `espalier attribute`: words, units and losses of a results file, or of two checkpoints, in words
 * and numbers. */
#ifndef ESPALIER_CLI_ATTRIBUTE_H
#define ESPALIER_CLI_ATTRIBUTE_H

#include "attribution/link.h"
#include "cli/sensitivity.h"
#include "store/attribution_read.h"

/* A pruned model on a data set. */
struct attribute_line {
  const struct attribution_loss *loss;
  const struct attribution_base *base; /* NULL: there is none that it could be measured from */
  const struct results_variant *variant;
  const char *label; /* method and parameters */
};

struct attribute_base {
  const struct attribution_base *base;
  const char *model;
};

/* What is shown: everything is borrowed but the two lists and the labels. */
struct attribute_view {
  struct attribute_base *bases; /* [base_count] */
  size_t base_count;
  struct attribute_line *lines; /* [line_count]: by base, those without one behind; plan order */
  size_t line_count;
  char **labels; /* [label_count] */
  size_t label_count;
  size_t neurons; /* units per word, at most */
  bool draws;     /* a line for each draw, and for each random set of units */
  unsigned seed;
};

/* q: what is wanted of variants and data sets. Refuses words of the query that name nothing in the
 * file, and a file without attributions. */
status attribute_view_make(struct attribute_view *out, const struct results_file *f,
                           const struct attribution_file *a, const char *path,
                           const struct design_query *q, struct error *err);
void attribute_view_free(struct attribute_view *v);

/* Whether lines differ in nothing but their draw. */
bool attribute_same(const struct attribute_line *a, const struct attribute_line *b);

/* The sheets: each fills *s, whose name, title and columns it sets. */
status attribute_words(const struct attribute_view *v, struct sheet *s, struct error *err);
status attribute_units(const struct attribute_view *v, struct sheet *s, struct error *err);
status attribute_apart(const struct attribute_view *v, struct sheet *s, struct error *err);
status attribute_causal(const struct attribute_view *v, struct sheet *s, struct error *err);
status attribute_losses(const struct attribute_view *v, struct sheet *s, struct error *err);
status attribute_layers(const struct attribute_view *v, struct sheet *s, struct error *err);
status attribute_link(const struct attribute_view *v, struct sheet *s, struct error *err);

/* Sentences below the link's table. */
status attribute_link_words(const struct attribute_view *v, const struct link *l, struct str *to,
                            struct error *err);

/* The columns that sheets of pruned models begin with. */
#define ATTRIBUTE_COLUMNS                                                                          \
  [ATTRIBUTE_DATASET] = {"dataset", SHEET_TEXT, SHEET_ALWAYS},                                     \
  [ATTRIBUTE_MODEL] = {"model", SHEET_TEXT, SHEET_VARIED},                                         \
  [ATTRIBUTE_SPARSITY] = {"sparsity", SHEET_TEXT, SHEET_VARIED},                                   \
  [ATTRIBUTE_SAMPLES] = {"samples", SHEET_COUNT, SHEET_VARIED},                                    \
  [ATTRIBUTE_LENGTH] = {"length", SHEET_COUNT, SHEET_VARIED},                                      \
  [ATTRIBUTE_PROPAGATE] = {"propagate", SHEET_TEXT, SHEET_VARIED},                                 \
  [ATTRIBUTE_METHOD] = {"method", SHEET_TEXT, SHEET_ALWAYS},                                       \
  [ATTRIBUTE_CALIBRATION] = {"calibration", SHEET_TEXT, SHEET_FILLED},                             \
  [ATTRIBUTE_DRAW] = {"draw", SHEET_COUNT, SHEET_FILLED}
enum {
  ATTRIBUTE_DATASET,
  ATTRIBUTE_MODEL,
  ATTRIBUTE_SPARSITY,
  ATTRIBUTE_SAMPLES,
  ATTRIBUTE_LENGTH,
  ATTRIBUTE_PROPAGATE,
  ATTRIBUTE_METHOD,
  ATTRIBUTE_CALIBRATION,
  ATTRIBUTE_DRAW,
  ATTRIBUTE_OWN /* the first of a sheet's own */
};
/* draw: fills its column too. */
void attribute_head(struct sheet_cell *row, const struct attribute_line *l, bool draw);

#endif
