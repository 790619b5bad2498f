/* SparseGPT's factor on one process, in float64 tiles of fixed size: the bits do not depend on the
 * number of threads. */
#ifndef ESPALIER_LINALG_FACTOR_LOCAL_H
#define ESPALIER_LINALG_FACTOR_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Scratch for matrices of one order, made once for all tries. */
struct factor_local {
  int n;
  int blocks;      /* tiles in a row of the matrix, which is padded with the identity */
  double *tiles;   /* the upper triangle's, by columns: tile (i, k) is number k·(k + 1)/2 + i */
  double *panel;   /* [blocks] tiles: one column of them, half done */
  double *inverse; /* two tiles: what undoes the factor of one tile on the diagonal, and its like */
};

/* About 4·n² bytes. */
status factor_local_open(struct factor_local *out, int n, struct error *err);
void factor_local_close(struct factor_local *f);

/* Replaces h [n][n] (symmetric) by upper triangular U, zeros below, with (h + add·I)⁻¹ = UᵀU;
 * false, and h as it was, when that is not positive definite. */
bool factor_local_try(const struct factor_local *f, float *h, double add);

#endif
