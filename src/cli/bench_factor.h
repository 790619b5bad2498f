/* The ways to SparseGPT's factor that the section factor of `espalier bench` compares. */
#ifndef ESPALIER_CLI_BENCH_FACTOR_H
#define ESPALIER_CLI_BENCH_FACTOR_H

#include <stdbool.h>

#include "linalg/group.h"

enum factor_way {
  FACTOR_BY_TILES,  /* one rank: linalg/factor.h */
  FACTOR_BY_LAPACK, /* one rank: dpotrf and dtrtri */
  FACTOR_BY_GRID,   /* all ranks: linalg/shared_gram.h; needs MPI */
  FACTOR_WAYS
};

struct factor_sample {
  double seconds; /* of the Cholesky factorisation and the triangular inverse */
  double residual; /* largest |zᵀ·(U·H·Uᵀ − 1)·z| / n over some z of signs; NaN: not looked at */
  double memory; /* bytes that the Gram matrix and the way to its factor take, of the rank with
                    the most; NaN: the system does not tell */
};

/* Makes a Gram matrix of order n, the same every time, and factors it once. Collective; *out is
 * rank 0's. Threads: linalg's. */
status bench_factor_once(enum factor_way way, const struct group *group, int n, bool look,
                         struct factor_sample *out, struct error *err);

#endif
