/* Matrices and a double-precision product for the tests of linalg. */
#ifndef ESPALIER_TESTS_LINALG_PRODUCTS_H
#define ESPALIER_TESTS_LINALG_PRODUCTS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Numbers in [-1, 1) from a linear congruential generator: the same in every run. */
static inline float *random_matrix(size_t count, uint32_t seed) {
  float *m = NULL;
  if (mem_alloc(&m, count, sizeof *m, NULL) != STATUS_OK) {
    abort();
  }
  uint32_t state = seed * 2654435761U + 1;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525U + 1013904223U;
    m[i] = (float)(state >> 8) / 8388608.0F - 1.0F;
  }
  return m;
}

static inline double exact_product(bool ta, bool tb, int i, int j, int k, const float *a, int lda,
                                   const float *b, int ldb) {
  double sum = 0;
  for (int p = 0; p < k; p++) {
    sum += (double)a[ta ? (size_t)p * lda + i : (size_t)i * lda + p] *
           (double)b[tb ? (size_t)j * ldb + p : (size_t)p * ldb + j];
  }
  return sum;
}

/* What float32 may lose in a sum of k products of numbers below 1. */
static inline double product_tolerance(int k) {
  return 1e-6 * (4 + sqrt((double)k));
}

#endif
