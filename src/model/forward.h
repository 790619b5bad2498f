/* The forward pass, block by block. Sequential by design: one block's weights are in memory at a
 * time unless the caller keeps more. */
#ifndef ESPALIER_MODEL_FORWARD_H
#define ESPALIER_MODEL_FORWARD_H

#include "linalg/window.h"
#include "model/batch.h"
#include "model/model.h"
#include "model/overlay.h"

/* Activations that a pass needs beside the residual stream; grows to the largest batch seen. One
 * per caller: a pass uses all threads inside. */
struct workspace;
status workspace_create(struct workspace **out, const struct model *m, struct error *err);
void workspace_free(struct workspace *w);

/* One block's weights in float32, ready for products. */
struct block;
status block_create(struct block **out, const struct model *m, struct error *err);
/* One for the ranks of a group on each machine, each of which converts a part of it. Collective, as
 * are then block_load, which returns when the block is whole, and block_meet; block_free is not. */
status block_create_shared(struct block **out, const struct model *m, const struct group *group,
                           struct error *err);
/* The same in memory that is in common already, block_window_bytes() of it from byte `at` on, a
 * multiple of MEM_ALIGN. Not collective itself. The window stays the caller's. */
status block_create_within(struct block **out, const struct model *m, const struct window *window,
                           size_t at, struct error *err);
size_t block_window_bytes(const struct model *m);
void block_free(struct block *b);

/* Loads block `index` from the checkpoint, taking linears that the overlay (or NULL) has from
 * there. NaN and infinite weights are refused with the tensor's name. */
status block_load(struct block *b, int index, const struct overlay *overlay, struct error *err);

/* Replaces one linear by w [rows][cols], the same on all ranks that share the block. */
void block_set_linear(struct block *b, int linear, const float *w);
/* After the last block_set_linear, before the block runs. */
status block_meet(const struct block *b, struct error *err);

/* Called with the input of the linears whose `input` is the given one, x [rows][cols], before they
 * are applied. The rows are the batch's; of an expert's inputs those tokens that chose it, in the
 * batch's order, and no call where none did. May change x, which changes what these linears read
 * and nothing else. */
struct tap {
  void *user;
  status (*see)(void *user, int input, float *x, int rows, const struct batch *batch,
                struct error *err);
};

/* x [tokens][hidden]: the residual stream, by embedding and positions. Ids are checked. */
status forward_embed(const struct model *m, struct workspace *w, const struct batch *batch,
                     float *x, struct error *err);

/* One block, in place. tap may be NULL. A sequence's bits depend neither on the number of threads
 * nor on what else is in the batch. */
status forward_block(const struct block *b, struct workspace *w, const struct batch *batch,
                     float *x, const struct tap *tap, struct error *err);

/* What the head says of chosen rows. */
struct query {
  int32_t row;    /* of x */
  int32_t target; /* token id */
};
struct answer {
  double logprob; /* natural log of p(target) */
  int32_t greedy; /* 1 when no token is more probable than the target (first maximum wins) */
};

/* Final norm and vocabulary projection at the queried rows only. Queries with equal rows are
 * projected once when they stand next to each other. The head's weights are loaded into the
 * workspace at first use. */
status forward_head(const struct model *m, struct workspace *w, const float *x,
                    const struct query *queries, size_t count, struct answer *answers,
                    struct error *err);

/* Whole logits [vocab] of one row, for tests and generation. */
status forward_logits(const struct model *m, struct workspace *w, const float *x_row, float *logits,
                      struct error *err);

#endif
