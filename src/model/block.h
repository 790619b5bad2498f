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
  struct packed **weights;  /* [count] */
  float **biases;           /* [count]: [rows] or NULL */
  int first[SLOT_COUNT];    /* the linear of the slot's first matrix, or -1 */
  int per_expert;           /* linears of an expert, which stand together */
  float *norm[SLOT_COUNT];  /* [hidden], or as qk_norm says; NULL: the family has none */
  float *shift[SLOT_COUNT]; /* the norms' biases, or NULL */
  struct packed *router;    /* [experts][hidden], or NULL */
};

/* What a step of the pass needs to know. */
struct pass {
  const struct block *b;
  struct workspace *w;
  const struct batch *batch;
  const struct tap *tap;
};

/* Shows the tap x [rows][cols], which the slot's linears read. expert: 0 where there are none. */
status block_see(const struct pass *p, enum slot slot, int expert, float *x, int rows,
                 struct error *err);

/* y [rows][width] = x [rows][cols] by the slot's linear. */
status block_linear(const struct pass *p, enum slot slot, int expert, const float *x, int rows,
                    float *y, int width, bool accumulate, struct error *err);

/* The attention branch from w->normed to w->q [tokens][heads·head_dim], what SLOT_O reads. */
status block_attend(const struct pass *p, struct error *err);

/* One MLP from x [rows][hidden] to y [rows][hidden]; x was not seen by the tap yet, unless it is
 * what the attention read. */
status block_mlp(const struct pass *p, int expert, float *x, int rows, float *y, bool accumulate,
                 struct error *err);

/* The experts' MLPs from x [tokens][hidden] to y [tokens][hidden]. */
status block_experts(const struct pass *p, const float *x, float *y, struct error *err);

#endif
