#include "prune/scores.h"

#include <math.h>

void scores_input_norms(const struct stats *stats, float *out) {
  for (int j = 0; j < stats->cols; j++) {
    out[j] = sqrtf((float)(stats->squares[j] / (double)stats->samples));
  }
}
