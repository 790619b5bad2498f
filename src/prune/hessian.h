/* SparseGPT's Hessian from a statistics record. */
#ifndef ESPALIER_PRUNE_HESSIAN_H
#define ESPALIER_PRUNE_HESSIAN_H

#include "prune/stats.h"

/* h [cols][cols] = 2/samples · Σ x xᵀ, with 1 on the diagonal of inputs that were always zero
 * (arXiv 2301.00774, as the authors' code has it). Needs STATS_GRAM. */
void hessian_fill(const struct stats *stats, float *h);

#endif
