/* Inside of the forward pass: for embed.c, block.c and head.c only. */
#ifndef ESPALIER_MODEL_WORKSPACE_H
#define ESPALIER_MODEL_WORKSPACE_H

#include "linalg/matmul.h"
#include "linalg/operand.h"
#include "linalg/packed.h"
#include "model/attention.h"
#include "model/config.h"
#include "model/forward.h"
#include "model/rope.h"

/* An array that only grows; contents are lost when it does. It has room for floats, and where a
 * comment says operands it may hold narrower ones (linalg/operand.h). */
struct buffer {
  float *at;
  size_t cap; /* floats */
};

/* What stands before the first block beside the embedding's rows, loaded at first use. */
struct entrance {
  bool loaded;
  float *norm, *norm_bias;   /* [hidden], or NULL */
  float *positions;          /* [positions + offset][hidden], or NULL */
  struct packed *project_in; /* [hidden][embed_dim], or NULL */
};

/* What stands behind the last block, loaded at first use. */
struct head {
  bool loaded;
  float *norm, *norm_bias;    /* [hidden], or NULL */
  struct packed *project_out; /* [embed_dim][hidden], or NULL */
  struct packed *weights;     /* [vocab][embed_dim] */
  float *bias;                /* [vocab], or NULL */
};

/* What one piece of the vocabulary says of one row. */
struct partial {
  float max;
  int32_t first; /* the first token that has it */
  double sum;    /* of e^(logit − max) */
};

/* Which experts take which tokens of the batch. */
struct routing {
  struct buffer shares;  /* [tokens][experts]: factor of the expert's output, 0 for most */
  struct buffer in, out; /* [rows][hidden] of the expert at hand; in: operands */
  int32_t *rows;         /* [rows]: of the batch */
  size_t rows_cap;
};

struct workspace {
  const struct model *model;
  const struct model_config *config;
  enum precision precision; /* of operands */
  struct entrance entrance;
  struct head head;
  struct attention_kernels attention;
  struct rope ropes[ROPE_USES];
  float *slopes; /* [heads], POSITION_ALIBI only */

  /* Per batch, set by workspace_fit. */
  int32_t *positions; /* [tokens] */
  struct attention_tile *tiles;
  size_t positions_cap, tiles_cap, tile_count;
  bool *beyond; /* [spans]: of sequences that ROPE_BEYOND rotates; ROPE_LONG only */
  size_t beyond_cap;
  struct buffer normed;  /* [tokens][hidden]: a branch's input, operands */
  struct buffer beside;  /* [tokens][hidden]: the MLP's of a parallel block with two norms,
                            operands */
  struct buffer branch;  /* [tokens][hidden]: a branch's output that is not added as it comes */
  struct buffer fused;   /* [tokens][rows of the fused linear] */
  struct buffer q, k, v; /* [tokens][heads·head_dim], twice [tokens][kv_heads·head_dim] */
  struct buffer queries, keys, values; /* the same as operands, where those are not float32 */
  struct buffer gate, up;              /* [tokens][ffn], operands */
  struct buffer seen;   /* [rows][cols]: what a tap sees of operands that are not float32 */
  struct buffer scores; /* [threads][attention_scratch] */
  struct routing routing;

  /* Of the head, for a chunk of rows: see head.c. */
  struct buffer rows, projected; /* [rows][hidden], [rows][embed_dim] */
  struct buffer ready;           /* [rows][embed_dim or hidden]: operands */
  float *targets;                /* [queries]: logits of the targets */
  int32_t *starts;               /* [rows + 1]: first query of a row */
  struct partial *partials;      /* [pieces of the vocabulary][rows] */
  size_t targets_cap, starts_cap, partials_cap;
};

/* Checks the batch's spans and makes everything large enough for it. */
status workspace_fit(struct workspace *w, const struct batch *batch, struct error *err);

status buffer_fit(struct buffer *b, size_t rows, size_t cols, struct error *err);

status entrance_load(struct workspace *w, struct error *err);
void entrance_free(struct entrance *e);
status head_load(struct workspace *w, struct error *err);
void head_free(struct head *h);

/* x [count] as operands into to, on all threads. */
void workspace_narrow(const struct workspace *w, const float *x, size_t count, void *to);

/* A matrix of the checkpoint as packed weights; *out stays NULL when the checkpoint has none. */
status packed_load(struct packed **out, const struct model *m, enum slot slot, int rows, int cols,
                   struct error *err);

/* A norm's weight and bias [width], allocated; they stay NULL when the checkpoint has none. */
status norm_load(float **weight, float **bias, const struct model *m, enum slot slot, int width,
                 struct error *err);

/* A norm's weight into out, as norm_rows wants it; a global's or a block's. */
status norm_read(const struct model *m, enum slot slot, int block, float *out, int count,
                 struct error *err);

#endif
