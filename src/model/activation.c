#include "model/activation.h"

#include <math.h>

#include "model/vector.h"

enum { CHUNK = 4096 }; /* numbers per piece of work */

static void silu(float *x, int count) {
  for (int i = 0; i < count; i++) {
    x[i] = x[i] / (1.0F + vector_exp(-x[i]));
  }
}

static void relu(float *x, int count) {
  for (int i = 0; i < count; i++) {
    x[i] = x[i] < 0 ? 0 : x[i]; /* NaN passes */
  }
}

static void gelu(float *x, int count) {
  for (int i = 0; i < count; i++) {
    x[i] = 0.5F * x[i] * (1.0F + erff(x[i] * 0.70710678F));
  }
}

/* x/2 · (1 + tanh u) is x / (1 + e^(−2u)). */
static void gelu_tanh(float *x, int count) {
  for (int i = 0; i < count; i++) {
    float u = 0.797884561F * (x[i] + 0.044715F * x[i] * x[i] * x[i]);
    x[i] = x[i] / (1.0F + vector_exp(-2.0F * u));
  }
}

static void piece(enum activation kind, float *x, int count) {
  switch (kind) {
  case ACTIVATION_SILU:
    silu(x, count);
    break;
  case ACTIVATION_RELU:
    relu(x, count);
    break;
  case ACTIVATION_GELU:
    gelu(x, count);
    break;
  case ACTIVATION_GELU_TANH:
    gelu_tanh(x, count);
    break;
  }
}

void activation_apply(enum activation kind, float *x, const float *factor, size_t count) {
#pragma omp parallel for schedule(static)
  for (size_t first = 0; first < count; first += CHUNK) {
    int n = (int)(count - first < CHUNK ? count - first : CHUNK);
    piece(kind, x + first, n);
    if (factor) {
      for (int i = 0; i < n; i++) {
        x[first + i] *= factor[first + i];
      }
    }
  }
}
