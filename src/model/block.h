/* One block's weights: for block.c and block_load.c only. */
#ifndef ESPALIER_MODEL_BLOCK_H
#define ESPALIER_MODEL_BLOCK_H

#include "model/workspace.h"

struct block {
  const struct model *model;
  const struct model_config *config;
  struct packed *weights[SLOT_COUNT]; /* the linears by slot */
  int input[SLOT_COUNT];              /* struct linear's, by slot */
  float *norm[SLOT_COUNT];            /* [hidden]: SLOT_ATTENTION_NORM, SLOT_MLP_NORM */
  float *bias[SLOT_COUNT];            /* of linears and norms */
  bool biased[SLOT_COUNT];
};

static inline const float *block_bias(const struct block *b, enum slot slot) {
  return b->biased[slot] ? b->bias[slot] : NULL;
}

#endif
