/* One block's weights: for block.c, attend.c, experts.c and block_load.c only. */
#ifndef ESPALIER_MODEL_BLOCK_H
#define ESPALIER_MODEL_BLOCK_H

#include "model/workspace.h"

struct block {
  const struct model *model;
  const struct model_config *config;
  int index;                    /* of the loaded block */
  const struct linear *linears; /* [count], the model's */
  int count;
  struct packed **weights;       /* [count] */
  struct window own;             /* closed unless this is a block_create_shared */
  const struct window *together; /* where the weights lie when ranks share them, or NULL */
  float **biases;                /* [count]: [rows] or NULL */
  int first[SLOT_COUNT];         /* the linear of the slot's first matrix, or -1 */
  int per_expert;                /* linears of an expert, which stand together */
  float *norm[SLOT_COUNT];       /* [hidden], or as qk_norm says; NULL: the family has none */
  float *shift[SLOT_COUNT];      /* the norms' biases, or NULL */
  struct packed *router;         /* [experts][hidden], or NULL */
};

/* What a step of the pass needs to know. */
struct pass {
  const struct block *b;
  struct workspace *w;
  const struct batch *batch;
  const struct tap *tap;
};

/* Shows the tap x [rows][cols], operands that the slot's linears read. expert: 0 where there are
 * none. */
status block_see(const struct pass *p, enum slot slot, int expert, void *x, int rows,
                 struct error *err);

/* y [rows][width] = x [rows][cols], operands, by the slot's linear. */
status block_linear(const struct pass *p, enum slot slot, int expert, const void *x, int rows,
                    void *y, int width, enum product_output output, struct error *err);

/* The attention branch from w->normed to *out [tokens][heads·head_dim], operands that SLOT_O reads
 * and the workspace keeps. */
status block_attend(const struct pass *p, void **out, struct error *err);

/* One MLP from x [rows][hidden], operands, to y [rows][hidden]; x was not seen by the tap yet,
 * unless it is what the attention read. */
status block_mlp(const struct pass *p, int expert, void *x, int rows, float *y,
                 enum product_output output, struct error *err);

/* The experts' MLPs from x [tokens][hidden], operands, to y [tokens][hidden]. */
status block_experts(const struct pass *p, const void *x, float *y, struct error *err);

#endif
