/* The tables of /attribution. Every row but those of the two that examples point into starts with
 * the variant's id and the data set. */
#ifndef ESPALIER_STORE_ATTRIBUTION_TABLES_H
#define ESPALIER_STORE_ATTRIBUTION_TABLES_H

#include "store/attribution.h"
#include "store/rows.h"

#define ATTRIBUTION_GROUP "/attribution"

enum attribution_table {
  TABLE_BASES, /* the dense model on each data set */
  TABLE_WORDS,
  TABLE_UNITS,
  TABLE_MATCHES,
  TABLE_APART,
  TABLE_CAUSAL,
  TABLE_EXAMPLES,
  TABLE_EXAMPLE_TOKENS, /* of all examples, one after the other */
  TABLE_BLOCKS,         /* of the bases, then of the losses */
  TABLE_LOSSES,         /* the pruned variants on each data set */
  TABLE_WORD_LOSSES,
  TABLE_ACTIVATIONS,
  TABLE_TRACES,
  ATTRIBUTION_TABLES
};

struct attribution_layout {
  const char *place;
  const struct column *columns; /* [count] */
  size_t count;
};
extern const struct attribution_layout attribution_layouts[ATTRIBUTION_TABLES];

/* float32 [tokens of all traces]: what TABLE_TRACES points into. */
#define ATTRIBUTION_TRACE_TOKENS ATTRIBUTION_GROUP "/trace_tokens"

/* "always_on", "massive" */
extern const char *const attribution_apart_names[2];

/* Refuses with `code` a record whose indices point nowhere. */
status attribution_base_check(const struct attribution_base *r, status code, struct error *err);

#endif
