/* Square tiles of float64 in the order in which the processor multiplies them. OpenBLAS takes its
 * kernel by the processor's model number and misses AVX-512 on newer ones; this one is written in
 * vectors of the compiler's widest kind, and needs no packing. Private to linalg. */
#ifndef ESPALIER_LINALG_FACTOR_TILE_H
#define ESPALIER_LINALG_FACTOR_TILE_H

#include <stddef.h>

enum {
#if defined __AVX512F__
  FACTOR_LANES = 8,
#elif defined __AVX__
  FACTOR_LANES = 4,
#else
  FACTOR_LANES = 2,
#endif
  FACTOR_EDGE = 192, /* three tiles of it in 1 MiB of cache; a multiple of 3·FACTOR_LANES */
  FACTOR_AREA = FACTOR_EDGE * FACTOR_EDGE,
};

/* A tile is [FACTOR_EDGE / FACTOR_LANES][FACTOR_EDGE][FACTOR_LANES], aligned to MEM_ALIGN: groups
 * of rows, in each column by column. */
static inline size_t factor_tile_index(size_t row, size_t col) {
  return (row / FACTOR_LANES * FACTOR_EDGE + col) * FACTOR_LANES + row % FACTOR_LANES;
}

/* c −= a·bᵀ, on the calling thread; sums run through the columns in order. next_a and next_b, the
 * tiles of the call to come (or any), are fetched into the cache meanwhile. */
void factor_tile_subtract(double *restrict c, const double *a, const double *b,
                          const double *next_a, const double *next_b);

#endif
