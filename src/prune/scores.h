/* What scores of several methods are made of. */
#ifndef ESPALIER_PRUNE_SCORES_H
#define ESPALIER_PRUNE_SCORES_H

#include "prune/stats.h"

/* out [cols]: the root of each input's mean over samples of its sum of squares over tokens, in the
 * steps of the authors' code (the mean is rounded to float32 before the root). */
void scores_input_norms(const struct stats *stats, float *out);

#endif
