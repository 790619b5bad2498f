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

/* Cuts the sequences into batches, by the data alone, and takes every size-th batch of the group
 * for this rank. The sequences must stay. On failure *out is empty. */
status streams_open(struct streams *out, const struct sequences *s, const struct group *group,
                    int hidden, struct error *err);
void streams_close(struct streams *c);

/* Embeds every batch. */
status streams_embed(struct streams *c, const struct model *m, struct workspace *w,
                     struct error *err);

/* Runs the block on copies and adds what its linears see to stats [inputs]. */
status streams_observe(struct streams *c, const struct block *b, struct workspace *w,
                       struct stats *stats, struct progress *progress, struct error *err);

/* Runs the block: the streams are then the next block's. */
status streams_advance(struct streams *c, const struct block *b, struct workspace *w,
                       struct progress *progress, struct error *err);

#endif
