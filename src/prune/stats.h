/* One statistics record per input of a block: what every method asks of the calibration data. */
#ifndef ESPALIER_PRUNE_STATS_H
#define ESPALIER_PRUNE_STATS_H

#include <stdint.h>

#include "linalg/group.h"

struct exchange;
struct shared_gram;

enum {
  STATS_NONE = 0,
  STATS_SQUARES = 1, /* Σ x_j² */
  STATS_SUMS = 2,    /* Σ x_j */
  STATS_GRAM = 4,    /* Σ x xᵀ */
};

struct stats {
  int cols;
  unsigned has;    /* STATS_* bits */
  int64_t samples; /* calibration sequences */
  int64_t tokens;
  double *squares; /* [cols] */
  double *sums;    /* [cols] */
  float *gram;     /* [cols][cols], both triangles; valid once stats_reduce was called */
  /* [cols · (cols + 1) / 2], the lower triangle by rows: float32 Gram matrices of single calls
   * summed in float64. Such sums hardly ever round, so their order, and with it how calls are
   * spread over ranks, does not show: SparseGPT would turn a last bit into other masks a few blocks
   * on. */
  double *gram_sums;
  /* Instead of gram and gram_sums, where the ranks of a group hold blocks of the Gram matrix: made
   * and freed by the exchange, through which its activations go. NULL otherwise. */
  struct shared_gram *shared;
  struct exchange *exchange;
};

/* Element (j, j) of the finished Gram matrix. */
float stats_diagonal(const struct stats *s, size_t j);

status stats_create(struct stats *out, int cols, unsigned has, struct error *err);
void stats_free(struct stats *s);
void stats_clear(struct stats *s);
/* to = from, of the same shape, while tokens are still being added to either. */
void stats_copy(struct stats *to, const struct stats *from);

/* Adds x [tokens][cols], the activations of `samples` sequences. Equal calls in any order and on
 * any ranks end in equal Gram matrices. */
status stats_add(struct stats *s, const float *x, int tokens, int samples, struct error *err);

/* Sums what a group's ranks have so far; all get the result, to which more can be added. For
 * records whose Gram matrix is not shared. Collective. */
status stats_sum(struct stats *s, const struct group *group, struct error *err);

/* Sums the records of a group's ranks; all get the result. Called once, after the last stats_add
 * and in a group of one too. An input that no token reached, as an expert's may be, ends with
 * squares of 1 and the identity as if of one sample, so that methods go by the weights alone
 * instead of taking the input for dead; tokens stays 0. */
status stats_reduce(struct stats *s, const struct group *group, struct error *err);

#endif
