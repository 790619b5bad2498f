/* The two steps of SparseGPT's factor on one process, in tiles of fixed size: each tile is one
 * single-threaded BLAS call, threads share tiles, and the bits do not depend on their number. */
#ifndef ESPALIER_LINALG_FACTOR_LOCAL_H
#define ESPALIER_LINALG_FACTOR_LOCAL_H

#include <stdbool.h>

#include "base/error.h"

/* a [n][n] row-major, lower triangle read: replaced by L with a = L·Lᵀ; false when a is not
 * positive definite. The upper triangle is left undefined. */
bool factor_cholesky(double *a, int n);

/* Replaces the lower triangular a [n][n] of factor_cholesky by its inverse. False when a diagonal
 * element is zero. panel: [n][FACTOR_TILE], scratch. */
enum { FACTOR_TILE = 128 };
bool factor_invert_lower(double *a, int n, double *panel);

#endif
