/* Eigenvalues and singular values, by LAPACK on one rank or by ScaLAPACK over a group. */
#ifndef ESPALIER_LINALG_SPECTRAL_H
#define ESPALIER_LINALG_SPECTRAL_H

#include "linalg/factor.h"

/* a [n][n], symmetric, becomes its eigenvectors, one in each row; values [n] are rising. Whoever
 * works (see factor_is_shared), every rank of the group calls with the same a and gets the same
 * results. Refuses what is not finite, before and after; debug builds look at the residual. */
status spectral_symmetric(double *a, int n, double *values, enum factor_where where,
                          const struct group *group, struct error *err);

/* values [least of rows and cols], falling, of a [rows][cols], which is destroyed. Likewise. */
status spectral_singular(double *a, int rows, int cols, double *values, enum factor_where where,
                         const struct group *group, struct error *err);

#endif
