/* Pruning the linears of one block, shared among the ranks of a group: one rank prunes a linear and
 * broadcasts it, so that equal statistics give equal masks whatever the size of the group. */
#ifndef ESPALIER_PRUNE_BLOCK_PRUNE_H
#define ESPALIER_PRUNE_BLOCK_PRUNE_H

#include "prune/progress.h"
#include "prune/prune.h"

/* Who gets the pruned linears of a block, each once. */
struct block_taker {
  void *user;
  status (*take)(void *user, int block, int linear, const float *weights /* [rows][cols] */,
                 struct error *err);
};

struct block_pruner {
  const struct model *model;
  const struct prune_options *options;
  const struct linear *linears; /* [count] */
  int count, inputs;
  int *owner;        /* [count]: the rank that prunes the linear */
  int *factor_owner; /* [inputs]: the rank that needs the input's factor */
  float **weights;   /* [count]: [rows][cols]; on every rank of a group the block's pruned linears,
                        else all of them `room` */
  float *room;       /* in a group of one: the linear at hand, as large as the largest; or NULL */
  struct stats *stats;        /* [inputs] of the block; NULL when the method needs none */
  struct shared_pass *shared; /* has the statistics of the first `known` blocks; or NULL */
  int known, snapshot;
  float *gram; /* a Gram matrix of the shared pass, as large as the largest; NULL without them */
  struct stats recalled; /* of the shared pass: the input at hand */
  float **factors;       /* [inputs]: [cols][cols] or NULL */
  double *damps;         /* [inputs]: what the factor took */
  double *seconds;       /* [inputs]: of the factor, not yet given to a linear */
  float *original;       /* the largest linear as it was; NULL without Gram matrices */
  struct progress *progress;
};

status block_pruner_open(struct block_pruner *out, const struct model *m,
                         const struct prune_options *options, struct progress *progress,
                         struct error *err);
void block_pruner_close(struct block_pruner *p);

/* Refuses statistics that are not finite. */
status block_pruner_check(const struct stats *s, int block, int input, struct error *err);

/* Prunes all linears of a block, hands them over, the same on every rank, and fills layers [count].
 * A process of its own hands each over before it prunes the next, and so holds one at a time.
 * Collective; p->stats is reduced already,
 * unless the block is one of the known. */
status block_pruner_run(struct block_pruner *p, int block, struct prune_layer *layers,
                        const struct block_taker *to, struct error *err);

#endif
