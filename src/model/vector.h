/* Arithmetic in plain C that the compiler turns into vectors. */
#ifndef ESPALIER_MODEL_VECTOR_H
#define ESPALIER_MODEL_VECTOR_H

#include <stdint.h>
#include <string.h>

/* e^x within 1.5 ulp for -87 <= x <= 88; beyond, the value at that end. NaN stays NaN.
 * x = n·ln 2 + r with |r| <= ln 2 / 2, and the Taylor series of e^r to r^7 (rest below 2^-27). */
static inline float vector_exp(float x) {
  x = x < -87.0F ? -87.0F : x > 88.0F ? 88.0F : x;
  float shifted = x * 1.44269504F + 12582912.0F; /* 1.5·2^23: rounds to an integer, held below */
  float n = shifted - 12582912.0F;
  float r = x - n * 0.693145752F; /* ln 2 in two parts: n times the first is exact */
  r = r - n * 1.42860682e-6F;
  float p = r * (1.0F / 5040) + 1.0F / 720;
  p = p * r + 1.0F / 120;
  p = p * r + 1.0F / 24;
  p = p * r + 1.0F / 6;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

/* x = cap · tanh(x / cap) in place. */
static inline void vector_cap(float *x, int count, float cap) {
  float twice = 2.0F / cap;
  for (int i = 0; i < count; i++) {
    x[i] = cap - 2.0F * cap / (vector_exp(x[i] * twice) + 1.0F);
  }
}

static inline float vector_max(const float *x, int count) {
  float max = x[0];
#pragma omp simd reduction(max : max)
  for (int i = 0; i < count; i++) {
    max = x[i] > max ? x[i] : max;
  }
  return max;
}

/* x = e^(x − shift) in place; returns the sum. */
static inline float vector_exp_sum(float *x, int count, float shift) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < count; i++) {
    x[i] = vector_exp(x[i] - shift);
    sum += x[i];
  }
  return sum;
}

#endif
