/* Normalisation of rows. */
#ifndef ESPALIER_MODEL_NORM_H
#define ESPALIER_MODEL_NORM_H

#include "linalg/precision.h"
#include "model/config.h"

/* y [rows][width] from x [rows][width], which may be y; w [width], b [width] or NULL (NORM_RMS has
 * none). Sums are kept in double. Sources: Zhang & Sennrich, arXiv 1910.07467; Ba et al., arXiv
 * 1607.06450. */
void norm_rows(enum norm_kind kind, float eps, const float *w, const float *b, const float *x,
               float *y, int rows, int width);

/* The same into operands (linalg/operand.h); y may be x when they are float32. */
void norm_rows_to(enum precision precision, enum norm_kind kind, float eps, const float *w,
                  const float *b, const float *x, void *y, int rows, int width);

/* Each head of x [rows][heads][width] in place, by its own weights w [heads][width], no bias. */
void norm_heads(enum norm_kind kind, float eps, const float *w, float *x, int rows, int heads,
                int width);

#endif
