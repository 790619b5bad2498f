/* How much of a linear's output pruning changed, from the Gram matrix of its inputs. */
#ifndef ESPALIER_PRUNE_RELATIVE_ERROR_H
#define ESPALIER_PRUNE_RELATIVE_ERROR_H

#include "base/error.h"

/* *out = ‖X(W−W′)ᵀ‖ / ‖XWᵀ‖ (Frobenius norms) for gram = XᵀX [cols][cols] and W, W′ [rows][cols];
 * 0 when W's output is 0. original (W) is overwritten. */
status relative_error(float *original, const float *pruned, int rows, int cols, const float *gram,
                      double *out, struct error *err);

/* The same of each row by itself: before[r] = ‖Xw_r‖², lost[r] = ‖X(w_r−w′_r)‖². */
status relative_error_rows(float *original, const float *pruned, int rows, int cols,
                           const float *gram, double *before, double *lost, struct error *err);

/* What both amount to, over all rows in their order. */
double relative_error_sum(const double *before, const double *lost, int rows);

#endif
