/* What the dense model says of sequences: samplers that look at it and statistics of a draw. One
 * pass costs what a calibration pass over as many tokens costs; a block's weights are in memory at
 * a time, and residual streams of at most DENSE_BYTES (or of one sequence). */
#ifndef ESPALIER_CALIB_DENSE_H
#define ESPALIER_CALIB_DENSE_H

#include "base/sequences.h"
#include "model/model.h"

enum { DENSE_BYTES = 256 << 20, DENSE_BATCH = 4096 /* tokens, or one sequence */ };

/* Sum of -ln p over the tokens of each sequence behind its first, into nll [s->count]. */
status dense_nll(const struct model *m, const struct sequences *s, double *nll, struct error *err);

/* Mean over the tokens of the residual stream behind the last block, into means
 * [s->count][hidden]. */
status dense_means(const struct model *m, const struct sequences *s, float *means,
                   struct error *err);

#endif
