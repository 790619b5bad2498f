#include "linalg/factor_tile.h"

enum {
  L = FACTOR_LANES,
  DEEP = 3,
  GROUP = FACTOR_EDGE * L, /* numbers in a group of rows */
  LINE = 8,                /* numbers in a line of the cache */
  /* Of each tile to come, this many lines are fetched by each block of products; steps in a block
   * between two of them. */
  LINES = DEEP * L * L / LINE,
  FETCH_STEP = FACTOR_EDGE / (2 * LINES),
};

typedef double lanes __attribute__((vector_size(FACTOR_LANES * sizeof(double)), may_alias));

/* DEEP groups of rows by L columns: with AVX-512 24 of 32 registers hold sums, which is what hides
 * the latency of two multiplications a cycle. */
static inline void multiply(double *restrict c, const double *restrict a, const double *restrict b,
                            const double *next_a, const double *next_b) {
  lanes sum[L][DEEP];
#pragma GCC unroll 8
  for (int j = 0; j < L; j++) {
#pragma GCC unroll 3
    for (int v = 0; v < DEEP; v++) {
      sum[j][v] = *(const lanes *)(c + v * GROUP + j * L);
    }
  }
  for (int p = 0; p < FACTOR_EDGE; p++) {
    lanes rows[DEEP];
    int fetch = p / FETCH_STEP;
    if (p % FETCH_STEP == 0 && fetch < 2 * LINES) {
      __builtin_prefetch((fetch % 2 ? next_a : next_b) + fetch / 2 * LINE, 0, 2);
    }
#pragma GCC unroll 3
    for (int v = 0; v < DEEP; v++) {
      rows[v] = *(const lanes *)(a + v * GROUP + p * L);
    }
#pragma GCC unroll 8
    for (int j = 0; j < L; j++) {
#pragma GCC unroll 3
      for (int v = 0; v < DEEP; v++) {
        sum[j][v] -= rows[v] * b[p * L + j];
      }
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < L; j++) {
#pragma GCC unroll 3
    for (int v = 0; v < DEEP; v++) {
      *(lanes *)(c + v * GROUP + j * L) = sum[j][v];
    }
  }
}

void factor_tile_subtract(double *restrict c, const double *a, const double *b,
                          const double *next_a, const double *next_b) {
  int fetched = 0;
  for (int i = 0; i < FACTOR_AREA; i += DEEP * GROUP) {
    for (int j = 0; j < FACTOR_EDGE; j += L) {
      multiply(c + i + (size_t)j * L, a + i, b + (size_t)j * FACTOR_EDGE, next_a + fetched,
               next_b + fetched);
      fetched += LINES * LINE;
    }
  }
}
