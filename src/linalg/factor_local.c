#include "linalg/factor_local.h"

#include <cblas.h>
#include <lapacke.h>
#include <stddef.h>
#include <string.h>

/* OpenBLAS runs on one thread when it is called inside a parallel region or with one thread set, so
 * every call below stands inside one. */

static int tile_size(int n, int first) {
  return n - first < FACTOR_TILE ? n - first : FACTOR_TILE;
}

static double *tile(double *a, int n, int row, int col) {
  return a + (size_t)row * (size_t)n + (size_t)col;
}

/* Factors the diagonal tile and clears what lies above its diagonal, so that the inverse can treat
 * it as a full matrix. */
static bool factor_diagonal(double *a, int n, int k) {
  int size = tile_size(n, k);
  double *d = tile(a, n, k, k);
  /* Row-major lower is LAPACK's upper: no transposed copy. */
  if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', size, d, n) != 0) {
    return false;
  }
  for (int i = 0; i + 1 < size; i++) {
    memset(d + (size_t)i * (size_t)n + i + 1, 0, (size_t)(size - i - 1) * sizeof *d);
  }
  return true;
}

/* One column of tiles behind (k, k): a_ij −= a_ik·a_jkᵀ for i >= j > k, work item `item` of the
 * triangle's count. */
static void update_tile(double *a, int n, int k, int i, int j) {
  int depth = tile_size(n, k);
  if (i == j) {
    cblas_dsyrk(CblasRowMajor, CblasLower, CblasNoTrans, tile_size(n, i), depth, -1,
                tile(a, n, i, k), n, 1, tile(a, n, i, i), n);
  } else {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, tile_size(n, i), tile_size(n, j), depth,
                -1, tile(a, n, i, k), n, tile(a, n, j, k), n, 1, tile(a, n, i, j), n);
  }
}

bool factor_cholesky(double *a, int n) {
  bool good = true;
#pragma omp parallel
  for (int k = 0; k < n; k += FACTOR_TILE) {
#pragma omp single
    good = good && factor_diagonal(a, n, k);
    if (!good) { /* read behind the single's barrier: the same on every thread */
      break;
    }
#pragma omp for schedule(dynamic)
    for (int i = k + FACTOR_TILE; i < n; i += FACTOR_TILE) {
      cblas_dtrsm(CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, tile_size(n, i),
                  tile_size(n, k), 1, tile(a, n, k, k), n, tile(a, n, i, k), n);
    }
    int left = (n - k - 1) / FACTOR_TILE; /* rows of tiles behind k */
#pragma omp for schedule(dynamic)
    for (int item = 0; item < left * left; item++) {
      int i = item / left, j = item % left;
      if (j <= i) {
        update_tile(a, n, k, k + (i + 1) * FACTOR_TILE, k + (j + 1) * FACTOR_TILE);
      }
    }
  }
  return good;
}

/* From the last column of tiles to the first: with the part behind inverted already (M₂₂), the
 * column below the diagonal is −M₂₂·L₂₁·M₁₁. */
bool factor_invert_lower(double *a, int n, double *panel) {
  bool good = true;
  int last = (n - 1) / FACTOR_TILE * FACTOR_TILE;
#pragma omp parallel
  for (int k = last; k >= 0; k -= FACTOR_TILE) {
    int size = tile_size(n, k);
#pragma omp single
    {
      good =
          good && LAPACKE_dtrtri_work(LAPACK_COL_MAJOR, 'U', 'N', size, tile(a, n, k, k), n) == 0;
      for (int i = k + FACTOR_TILE; i < n; i++) {
        memcpy(panel + (size_t)i * FACTOR_TILE, tile(a, n, i, k), (size_t)size * sizeof *panel);
      }
    }
    if (!good) {
      break;
    }
#pragma omp for schedule(dynamic)
    for (int back = last; back > k; back -= FACTOR_TILE) { /* the longest rows first */
      int rows = tile_size(n, back), depth = back + rows - k - FACTOR_TILE;
      double *out = tile(a, n, back, k);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, size, depth, -1,
                  tile(a, n, back, k + FACTOR_TILE), n,
                  panel + (size_t)(k + FACTOR_TILE) * FACTOR_TILE, FACTOR_TILE, 0, out, n);
      cblas_dtrmm(CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, rows, size, 1,
                  tile(a, n, k, k), n, out, n);
    }
  }
  return good;
}
