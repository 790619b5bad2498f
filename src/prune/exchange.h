/* Activations on their way through a group whose ranks hold blocks of Gram matrices: what one rank
 * computes, all must see. Ranks run their own batches, each as many as it has and through inputs in
 * an order of its own; whenever one comes to an input with a shared Gram matrix, it waits until all
 * have come to one (or to their end), and the activations pass round in panels. */
#ifndef ESPALIER_PRUNE_EXCHANGE_H
#define ESPALIER_PRUNE_EXCHANGE_H

#include <stdbool.h>

#include "prune/stats.h"

struct offer;

struct exchange {
  const struct group *group;
  struct stats *stats;  /* [inputs], the caller's */
  int inputs, widest;   /* widest: columns of the largest shared one; 0: none is shared */
  float *panel;         /* [EXCHANGE_TOKENS][widest] */
  struct offer *offers; /* [size] of a round */
  bool broken;          /* another rank failed in this round */
};

enum { EXCHANGE_TOKENS = 256 };

/* Makes the Gram matrices of `shared` [inputs] inputs the group's; stats were created without
 * STATS_GRAM for those. Collective. */
status exchange_open(struct exchange *out, const struct group *group, struct stats *stats,
                     const bool *shared, int inputs, struct error *err);
void exchange_close(struct exchange *e);

/* Gives x [tokens][cols], seen by e->stats' member `to`, to all ranks, and takes what they give. */
status exchange_give(struct exchange *e, const struct stats *to, const float *x, int tokens,
                     struct error *err);

/* This rank's batches are through, or have failed with st: takes what others still give. Returns
 * st, or STATUS_OK when it was another rank that failed, which has to say so itself. */
status exchange_end(struct exchange *e, status st, struct error *err);

#endif
