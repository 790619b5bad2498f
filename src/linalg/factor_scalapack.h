/* SparseGPT's factor by all ranks of a group together: ScaLAPACK on the group's own BLACS grid. */
#ifndef ESPALIER_LINALG_FACTOR_SCALAPACK_H
#define ESPALIER_LINALG_FACTOR_SCALAPACK_H

#include <stdbool.h>

#include "linalg/group.h"

/* A grid over the first rows·cols ranks of a group; the others only wait for the result. */
struct process_grid {
  MPI_Comm comm; /* MPI_COMM_NULL on ranks outside the grid */
  int handle;    /* of BLACS for comm */
  int context;   /* of BLACS; -1 on ranks outside */
  int rows, cols, row, col;
  int block; /* edge of the square blocks that are dealt out */
};

/* Collective. As square as the ranks allow, and shrunk until every rank owns several blocks of a
 * matrix of order n: tiny orders end on one rank. */
status process_grid_open(struct process_grid *out, const struct group *group, int n,
                         struct error *err);
void process_grid_close(struct process_grid *g);

/* This rank's part of a matrix of order n: [local_cols][local_rows], column-major as ScaLAPACK has
 * it. Both may be 0. */
int process_grid_local_rows(const struct process_grid *g, int n);
int process_grid_local_cols(const struct process_grid *g, int n);

/* local, this rank's part of a symmetric matrix of which the lower half counts, becomes the inverse
 * of its Cholesky factor. Called by the grid's ranks. */
status process_grid_run(const struct process_grid *g, int n, double *local, bool *positive,
                        struct error *err);

/* One try: adds `damp` to the diagonal of h [n][n] (equal on all ranks, not changed), factors it
 * and writes this rank's elements of U into u [n][n], whose other elements it leaves alone. local:
 * this rank's part. *positive is false when H is not positive definite. Called by the grid's ranks.
 */
status process_grid_factor(const struct process_grid *g, const float *h, int n, double damp,
                           double *local, float *u, bool *positive, struct error *err);

#endif
