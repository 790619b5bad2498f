#include "model/activation.h"

#include <math.h>

#include "linalg/operand.h"
#include "model/vector.h"

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

static void activate(enum activation kind, float *x, int count) {
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

void activation_apply(enum activation kind, enum precision precision, float *x, const void *factor,
                      int count) {
  activate(kind, x, count);
  if (!factor) {
    return;
  }
  if (precision == PRECISION_BFLOAT16) {
    const uint16_t *by = factor;
    for (int i = 0; i < count; i++) {
      x[i] *= bfloat16_value(by[i]);
    }
  } else {
    const float *by = factor;
    for (int i = 0; i < count; i++) {
      x[i] *= by[i];
    }
  }
}
