/* Pruning the linears of one block, shared among the ranks of a group: each rank has some rows of
 * every linear and gets the others', so that equal statistics give equal masks whatever the size of
 * the group. */
#ifndef ESPALIER_PRUNE_BLOCK_PRUNE_H
#define ESPALIER_PRUNE_BLOCK_PRUNE_H

#include "prune/exchange.h"
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
  int *factor_owner;          /* [inputs]: the rank that makes the input's factor, where one does */
  float *room;                /* the linear at hand, as large as the largest */
  struct stats *stats;        /* [inputs] of the block; NULL when the method needs none */
  struct exchange exchange;   /* of the inputs whose Gram matrices the group's ranks share */
  struct shared_pass *shared; /* has the statistics of the first `known` blocks; or NULL */
  int known, snapshot;
  size_t gram_bytes; /* of the options, the same on every rank */
  float *gram; /* a Gram matrix of the shared pass, as large as the largest; NULL without them */
  struct stats recalled; /* of the shared pass: the input at hand */
  float **factors;       /* [inputs]: [cols][cols] or NULL */
  double *damps;         /* [inputs]: what the factor took */
  double *seconds;       /* [inputs]: of the factor, not yet given to a linear */
  float *original;       /* the largest linear as it was; NULL without Gram matrices */
  struct progress *progress;
};

/* Collective. *p must stay where it is; empty on failure. */
status block_pruner_open(struct block_pruner *p, const struct model *m,
                         const struct prune_options *options, struct progress *progress,
                         struct error *err);
void block_pruner_close(struct block_pruner *p);

/* Refuses statistics that are not finite. */
status block_pruner_check(const struct stats *s, int block, int input, struct error *err);

/* Prunes all linears of a block, hands each over before the next is pruned, the same on every rank,
 * and fills layers [count]. Collective; p->stats is reduced already, unless the block is one of the
 * known. */
status block_pruner_run(struct block_pruner *p, int block, struct prune_layer *layers,
                        const struct block_taker *to, struct error *err);

/* Of the block's inputs: what the shared pass or the streams have; NULL when the method needs none.
 * One of the known must be the last that was recalled. */
const struct stats *block_pruner_stats(const struct block_pruner *p, int block, int input);
status block_pruner_recall(struct block_pruner *p, int block, int input, struct error *err);

/* The factor of one input, of its whole Gram matrix, on this rank; the method's damping. */
status block_pruner_factor(struct block_pruner *p, int block, int input, struct error *err);
double block_pruner_damp(const struct block_pruner *p);

#endif
