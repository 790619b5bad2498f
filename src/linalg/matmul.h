/* Matrix products in float32 with a fixed order of summation: the bits of a result do not depend on
 * the number of threads, and those of a row of a product (with a not transposed) not on how many
 * rows are computed with it, so that ranks may split rows as they like. Work is cut into tiles of
 * fixed size, one library call per tile on one thread; any of these may be called inside an OpenMP
 * region, and then stays on its thread. All matrices are row-major without gaps unless a leading
 * dimension is given. */
#ifndef ESPALIER_LINALG_MATMUL_H
#define ESPALIER_LINALG_MATMUL_H

#include <stdbool.h>

#include "base/error.h"

/* Threads that this process uses for everything; >= 1. Call once per process. */
void linalg_set_threads(int threads);
int linalg_threads(void);

/* c [m][n] = alpha·a·b + beta·c, a [m][k] (or [k][m] when ta), b [k][n] (or [n][k] when tb). */
status matmul(bool ta, bool tb, int m, int n, int k, float alpha, const float *a, int lda,
              const float *b, int ldb, float beta, float *c, int ldc, struct error *err);

/* g [n][n] += xᵀ·x for x [tokens][n]: both triangles are kept. Half the products. */
status gram_add(float *g, const float *x, int tokens, int n, struct error *err);

#endif
