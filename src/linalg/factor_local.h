/* SparseGPT's factor on one process, in tiles of fixed size: the bits do not depend on the number
 * of threads. The Cholesky factor is found in float64, where float32 would lose what damping leaves
 * of nearly dependent inputs. Its inverse loses hardly anything: of large matrices it is taken in
 * float32, at twice the speed. At orders 4096 and 8192, full-rank, rank-deficient and badly scaled,
 * SparseGPT's masks were mostly the same in every weight and always in 99.997 %: a weight on the
 * edge now and then, and what follows from it in its row. */
#ifndef ESPALIER_LINALG_FACTOR_LOCAL_H
#define ESPALIER_LINALG_FACTOR_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { FACTOR_SINGLE_FROM = 4096 }; /* order; below that the whole takes well below a second */

/* Scratch for matrices of one order, made once for all tries. */
struct factor_local {
  int n;
  bool single;     /* invert in float32; set by factor_local_open from the order */
  int blocks;      /* tiles in a row of the matrix, which is padded with the identity */
  double *tiles;   /* the upper triangle's, by columns: tile (i, k) is number k·(k + 1)/2 + i */
  double *panel;   /* [blocks] tiles: one column of them, half done */
  double *inverse; /* a tile: what undoes the factor of one on the diagonal */
};

/* About 4·n² bytes. */
status factor_local_open(struct factor_local *out, int n, struct error *err);
void factor_local_close(struct factor_local *f);

/* Replaces h [n][n] (symmetric) by upper triangular U, zeros below, with (h + add·I)⁻¹ = UᵀU. When
 * that is not positive definite, *positive is false and h as it was. */
status factor_local_try(const struct factor_local *f, float *h, double add, bool *positive,
                        struct error *err);

#endif
