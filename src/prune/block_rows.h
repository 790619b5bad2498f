/* Pruning the linears of one block by a group of ranks: every rank has some rows of each linear.
 * Private to prune. */
#ifndef ESPALIER_PRUNE_BLOCK_ROWS_H
#define ESPALIER_PRUNE_BLOCK_ROWS_H

#include "prune/block_prune.h"

/* As block_pruner_run, for several ranks. */
status block_rows_run(struct block_pruner *p, int block, struct prune_layer *layers,
                      const struct block_taker *to, struct error *err);

#endif
