/* The units of a model: a block's intermediate activations, the inputs of its MLP's down projection
 * (after the gate product where the family has a gate, after the activation otherwise). */
#ifndef ESPALIER_ATTRIBUTION_UNITS_H
#define ESPALIER_ATTRIBUTION_UNITS_H

#include "model/model.h"

struct units {
  int blocks, width; /* units of a block */
  int linear, input; /* the down projection, and its input as a probe names it */
  size_t count;      /* blocks * width: unit u of block b is number b * width + u */
};

/* STATUS_UNSUPPORTED for mixtures of experts. */
status units_of(const struct model *m, struct units *out, struct error *err);

/* STATUS_INPUT unless both models have the same blocks and widths. */
status units_match(const struct model *a, const struct model *b, struct error *err);

#endif
