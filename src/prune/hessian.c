#include "prune/hessian.h"

#include <stddef.h>

void hessian_fill(const struct stats *stats, float *h) {
  size_t n = (size_t)stats->cols;
  float scale = (float)(2.0 / (double)stats->samples);
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n; i++) {
    for (size_t j = 0; j < n; j++) {
      h[i * n + j] = stats->gram[i * n + j] * scale;
    }
    if (stats->gram[i * n + i] == 0) {
      h[i * n + i] = 1;
    }
  }
}
