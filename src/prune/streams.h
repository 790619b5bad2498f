/* The calibration tokens on their way through the model: the residual streams of this rank's
 * batches stay in memory and move on block by block. */
#ifndef ESPALIER_PRUNE_STREAMS_H
#define ESPALIER_PRUNE_STREAMS_H

#include "base/sequences.h"
#include "linalg/group.h"
#include "model/forward.h"
#include "prune/progress.h"
#include "prune/stats.h"

struct streams {
  struct batch *batches; /* [count], this rank's; ids belong to the sequences */
  size_t count;
  struct span *spans; /* of all batches */
  float **x;          /* [count]: [tokens][hidden] */
  float *copy;        /* [tokens of the longest batch][hidden] */
  size_t hidden;
};

/* Cuts the sequences into batches and takes every size-th batch of the group for this rank. Where
 * cuts fall depends on the sequences before them alone: the first n of a longer list are cut as a
 * list of n is, but for the batch that the n-th falls into. The sequences must stay. On failure
 * *out is empty. */
status streams_open(struct streams *out, const struct sequences *s, const struct group *group,
                    int hidden, struct error *err);
void streams_close(struct streams *c);

/* Embeds every batch. */
status streams_embed(struct streams *c, const struct model *m, struct workspace *w,
                     struct error *err);

/* Runs the block: the streams are then the next block's. stats [inputs] (or NULL) gets what its
 * linears see. */
status streams_advance(struct streams *c, const struct block *b, struct workspace *w,
                       struct stats *stats, struct progress *progress, struct error *err);

/* The same of one batch, without progress. */
status streams_advance_batch(struct streams *c, size_t batch, const struct block *b,
                             struct workspace *w, struct stats *stats, struct error *err);

/* As streams_advance, on copies: the streams stay where they are. */
status streams_observe(struct streams *c, const struct block *b, struct workspace *w,
                       struct stats *stats, struct progress *progress, struct error *err);

/* Runs the block on a copy of a batch's first `count` sequences, as if they were the whole batch.
 */
status streams_observe_first(struct streams *c, size_t batch, size_t count, const struct block *b,
                             struct workspace *w, struct stats *stats, struct error *err);

#endif
