/* One tile of a product on the calling thread: what matmul, packed_multiply and gram_add hand out
 * to their threads. Private to linalg. */
#ifndef ESPALIER_LINALG_TILE_H
#define ESPALIER_LINALG_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
  TILE_EDGE = 288,  /* rows and columns of a tile, a multiple of TILE_GROUP; a third of 1 MiB */
  TILE_PANEL = 768, /* products summed by one library call */
  GRAM_EDGE = 256,  /* of a block of a Gram matrix; half that for small ones, for balance */
  /* The library sums rows in another order when there are few (AVX-512) or when they do not fill
   * its register tiles (elsewhere); those rows are computed apart, padded to a number that does. */
  TILE_ROWS = 16,
  TILE_GROUP = 12,
};

/* c [m][n] = alpha·a·b + beta·c in row-major order; a [m][k] (or [k][m] when ta), b [k][n] (or
 * [n][k] when tb); m, n <= TILE_EDGE. */
struct tile {
  bool ta, tb;
  int m, n, k;
  float alpha, beta;
  const float *a;
  int lda;
  const float *b;
  int ldb;
  float *c;
  int ldc;
};

/* Must be called inside an OpenMP region, or with one thread, so that the library stays on one
 * thread. A row's bits depend on nothing but its own numbers and n, k and the strides: not on m nor
 * on its place in the tile. Returns 0, or oneDNN's status. */
int tile_multiply(const struct tile *t);

/* How many of a tile's first rows the library computes alike whatever their number; the others are
 * padded with zeros to tile_padded_rows(), at most TILE_ROWS. */
int tile_direct_rows(int rows);
int tile_padded_rows(void);

/* Turns the largest status of all tiles into an error. */
status tile_check(int worst, const char *what, struct error *err);

static inline int tile_count(int size) {
  return (size + TILE_EDGE - 1) / TILE_EDGE;
}

/* Size of the tile that starts at `first`. */
static inline int tile_size(int size, int first) {
  return size - first < TILE_EDGE ? size - first : TILE_EDGE;
}

#endif
