/* The factor SparseGPT needs: U upper triangular with H⁻¹ = UᵀU, from the Gram matrix H.
 * U equals J·chol(J·H·J)⁻¹·J with J the reversal of order, so one Cholesky factorisation and one
 * triangular inverse do (agrees with inverting first to 8e-17). */
#ifndef ESPALIER_LINALG_FACTOR_H
#define ESPALIER_LINALG_FACTOR_H

#include <stdbool.h>

#include "linalg/group.h"

enum factor_where {
  FACTOR_AUTO,      /* ScaLAPACK from FACTOR_CROSSOVER on when the group has several ranks */
  FACTOR_LOCAL,     /* the calling rank alone */
  FACTOR_SCALAPACK, /* the group's ranks together */
};

/* Order of the Gram matrix from which FACTOR_AUTO takes the group: for memory, which is then
 * O(n²/P) a rank. `espalier bench factor` found no order up to 8192 at which a few ranks of one
 * node were faster than one rank's tiles: tests/bench/README.md. */
enum { FACTOR_CROSSOVER = 8192 };

/* Parses "auto", "local", "scalapack"; -1 for anything else. */
int factor_where_parse(const char *text);

/* Whether the group's ranks factor a matrix of order n together, all calling at once. Without MPI
 * running, a group of one factors locally whatever is asked. */
bool factor_is_shared(enum factor_where where, int n, const struct group *group);

/* Adds damp·mean(diag) to the diagonal of h [n][n] (symmetric, both triangles; destroyed) and
 * replaces it by U (zeros below the diagonal). Not positive definite: damp is raised tenfold and
 * tried again, up to a factor of 1e6; *damp_used tells what it took. Refuses NaN and infinities
 * before and after. A damping of 0 is raised to 1e-4 first. Factored in float64, so that one rank
 * and ScaLAPACK, which sum in different orders, round to the same float32 but for last bits (and
 * inverted in float32 by one rank from FACTOR_SINGLE_FROM on, within some 1e-6 of the largest
 * element); takes 4·n² bytes beside h on one rank, where its bits do not depend on the number of
 * threads. With FACTOR_SCALAPACK (or AUTO choosing it) every rank of the group calls with the same
 * h and gets the same U. */
status factor_inverse_upper(float *h, int n, double damp, enum factor_where where,
                            const struct group *group, double *damp_used, struct error *err);

#endif
