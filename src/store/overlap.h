/* How far pruned models agree: the weights that two of them have removed, as sets. */
#ifndef ESPALIER_STORE_OVERLAP_H
#define ESPALIER_STORE_OVERLAP_H

#include "store/masks.h"

/* Two masks of one linear, or of several added up. */
struct overlap {
  double weights;     /* of the linears together */
  double a, b, both;  /* removed by the one, by the other, by both */
  double chance_both; /* removed by both, expected of masks drawn at random in each linear with
                         the same numbers of removed weights: a * b / weights of each, added up */
};

/* Intersection over union of the removed weights; NaN when neither removes any. */
double overlap_iou(const struct overlap *o);
/* The same of the expected numbers: s / (2 - s) for two masks of sparsity s. */
double overlap_chance(const struct overlap *o);

void overlap_add(struct overlap *to, const struct overlap *more);

/* Of two masks in memory [mask_bytes(rows, cols)]; bits behind the last column do not count. */
struct overlap overlap_of(const unsigned char *a, const unsigned char *b, int rows, int cols);

/* Called for every linear and every pair i < j of the variants asked for. A status other than OK
 * ends the computation with it. */
typedef status overlap_see(void *user, const struct mask_tensor *t, size_t i, size_t j,
                           const struct overlap *o, struct error *err);

/* All pairs of ids [count], variants of one model (equal tensors; else STATUS_INPUT). totals
 * [count][count] gets the sums over all linears, symmetric, with a of the row and b of the column,
 * on the diagonal a variant with itself; may be NULL, as may see. Streams one linear at a time:
 * memory is count masks of the largest linear. */
status overlap_pairs(const struct masks *m, const char *const *ids, size_t count,
                     struct overlap *totals, overlap_see *see, void *user, struct error *err);

#endif
