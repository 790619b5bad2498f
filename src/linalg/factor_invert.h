/* The second half of SparseGPT's factor for large matrices: a triangular inverse in float32.
 * Private to linalg. */
#ifndef ESPALIER_LINALG_FACTOR_INVERT_H
#define ESPALIER_LINALG_FACTOR_INVERT_H

#include "base/error.h"

/* u [n][n] holds an upper triangular R in the blocks of FACTOR_EDGE rows and columns above its
 * diagonal blocks, in those their inverses, and zeros below: it becomes R⁻¹. panel:
 * [n][FACTOR_EDGE], scratch. The bits do not depend on the number of threads. */
status factor_invert_blocks(float *u, int n, float *panel, struct error *err);

#endif
