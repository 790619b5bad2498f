/* Symmetric positive definite matrices for tests, and how far U is from factoring their inverse. */
#ifndef ESPALIER_TESTS_LINALG_SPD_H
#define ESPALIER_TESTS_LINALG_SPD_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* A [n][n] = XᵀX / tokens of reproducible numbers, well conditioned; the caller frees it. */
static inline float *spd_make(int n, uint64_t seed) {
  int tokens = 2 * n + 8;
  size_t width = (size_t)n;
  double *x = malloc((size_t)tokens * width * sizeof *x);
  float *a = malloc(width * width * sizeof *a);
  for (size_t i = 0; i < (size_t)tokens * width; i++) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    x[i] = (double)(seed >> 11) / 9007199254740992.0 - 0.5;
  }
  for (size_t i = 0; i < width; i++) {
    for (size_t j = 0; j <= i; j++) {
      double sum = 0;
      for (int t = 0; t < tokens; t++) {
        sum += x[(size_t)t * width + i] * x[(size_t)t * width + j];
      }
      a[i * width + j] = a[j * width + i] = (float)(sum / tokens);
    }
  }
  free(x);
  return a;
}

/* Largest element of |U·(H + damp·mean·I)·Uᵀ − I|: 0 when (H + ..)⁻¹ = UᵀU. */
static inline double spd_residual(const float *h, const float *u, int n, double damp) {
  size_t width = (size_t)n;
  double mean = 0, worst = 0, *uh = calloc(width * width, sizeof *uh);
  for (size_t i = 0; i < width; i++) {
    mean += (double)h[i * width + i] / n;
  }
  for (size_t i = 0; i < width; i++) {
    for (size_t k = i; k < width; k++) {
      for (size_t j = 0; j < width; j++) {
        double value = (double)h[k * width + j] + (k == j ? damp * mean : 0);
        uh[i * width + j] += (double)u[i * width + k] * value;
      }
    }
  }
  for (size_t i = 0; i < width; i++) {
    for (size_t j = 0; j < width; j++) {
      double sum = 0;
      for (size_t k = j; k < width; k++) {
        sum += uh[i * width + k] * (double)u[j * width + k];
      }
      worst = fmax(worst, fabs(sum - (i == j)));
    }
  }
  free(uh);
  return worst;
}

#endif
