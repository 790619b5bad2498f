/* SparseGPT inside one block of columns: rows do not know of each other there, so several go at
 * once, one in each lane of a vector. */
#ifndef ESPALIER_PRUNE_SPARSEGPT_STRIP_H
#define ESPALIER_PRUNE_SPARSEGPT_STRIP_H

#include <stddef.h>

enum { STRIP_ROWS = 16 };

/* What all rows of a block share. */
struct strip_block {
  int width;
  const float *factor; /* [width][width]: the factor's diagonal block */
  int n, m;            /* of the pattern; m is 0 for a threshold */
  float threshold;     /* scores up to it go */
};

/* w² / u_ii² in float32, in the order of the authors' operations. */
static inline float strip_score(float w, float diagonal) {
  return w * w / (diagonal * diagonal);
}

/* Floats that strip_prune works in. */
static inline size_t strip_room(int width) {
  return (size_t)width * STRIP_ROWS * 3;
}

/* Goes through the block's columns from the left in each of `rows` <= STRIP_ROWS rows of weights,
 * ldw apart: a weight that goes leaves its error to the columns behind it in the block. errors:
 * rows lde apart, [width] each: what was removed, over the factor's diagonal, 0 for the kept. */
void strip_prune(const struct strip_block *b, int rows, float *weights, size_t ldw, float *errors,
                 size_t lde, float *room);

#endif
