/* A finished statistics record at rest: half the memory of one at work. */
#ifndef ESPALIER_PRUNE_STATS_KEPT_H
#define ESPALIER_PRUNE_STATS_KEPT_H

#include "prune/stats.h"

struct stats_kept {
  int cols;
  unsigned has;
  int64_t samples, tokens;
  double *squares, *sums; /* [cols] */
  float *gram;            /* [cols · (cols + 1) / 2], the lower triangle by rows */
};

/* Bytes that the numbers of a record take, a multiple of MEM_ALIGN. */
size_t stats_kept_bytes(int cols, unsigned has);

/* An empty record whose numbers stand at `at`, so many bytes, which stay the caller's. */
void stats_kept_place(struct stats_kept *k, int cols, unsigned has, void *at);

/* Takes down what `from`, between two additions, would be after stats_reduce in a group of one. */
void stats_keep(struct stats_kept *to, const struct stats *from);

/* *out is the record again, bit for bit, with the parts `needs` alone. Its vectors are k's; its
 * Gram matrix, when needed, is written to gram [cols][cols]. Not to be freed. */
void stats_recall(const struct stats_kept *k, unsigned needs, float *gram, struct stats *out);

#endif
