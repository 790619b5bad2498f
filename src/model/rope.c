#include "model/rope.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static double llama3(const struct model_config *c, double frequency) {
  double wavelength = 2 * M_PI / frequency, original = c->rope_original;
  if (wavelength < original / c->rope_high) {
    return frequency;
  }
  if (wavelength > original / c->rope_low) {
    return frequency / c->rope_factor;
  }
  double t = (original / wavelength - c->rope_low) / (c->rope_high - c->rope_low);
  return ((1 - t) / c->rope_factor + t) * frequency;
}

void rope_frequencies(const struct model_config *c, enum rope_use use, double *out) {
  double theta = use == ROPE_WINDOW ? c->rope_window_theta : c->rope_theta;
  int pairs = c->rope_dims / 2;
  for (int i = 0; i < pairs; i++) {
    double frequency = pow(theta, -2.0 * i / c->rope_dims);
    switch (use == ROPE_WINDOW ? ROPE_PLAIN : c->rope_scaling) {
    case ROPE_PLAIN:
      break;
    case ROPE_LINEAR:
      frequency /= c->rope_factor;
      break;
    case ROPE_LLAMA3:
      frequency = llama3(c, frequency);
      break;
    case ROPE_LONG:
      frequency /= c->rope_divisors[use == ROPE_BEYOND ? pairs + i : i];
      break;
    }
    out[i] = frequency;
  }
}

void rope_free(struct rope *r) {
  free(r->cos);
  free(r->sin);
  *r = (struct rope){0};
}

static void fill(struct rope *r, const double *frequency, double magnitude) {
#pragma omp parallel for schedule(static)
  for (int p = 0; p < r->positions; p++) {
    for (int i = 0; i < r->pairs; i++) {
      double angle = p * frequency[i];
      r->cos[(size_t)p * r->pairs + i] = (float)(magnitude * cos(angle));
      r->sin[(size_t)p * r->pairs + i] = (float)(magnitude * sin(angle));
    }
  }
}

status rope_reserve(struct rope *r, const struct model_config *c, enum rope_use use, int positions,
                    struct error *err) {
  if (positions <= r->positions) {
    return STATUS_OK;
  }
  rope_free(r);
  size_t pairs = (size_t)(c->rope_dims / 2), cells = pairs * (size_t)positions;
  double *frequency = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&frequency, pairs, sizeof *frequency, err));
  TRY_GOTO(st, done, mem_alloc_raw(&r->cos, cells, sizeof *r->cos, err));
  TRY_GOTO(st, done, mem_alloc_raw(&r->sin, cells, sizeof *r->sin, err));
  r->pairs = (int)pairs;
  r->positions = positions;
  rope_frequencies(c, use, frequency);
  fill(r, frequency, c->rope_scaling == ROPE_LONG ? c->rope_magnitude : 1);
done:
  free(frequency);
  return st;
}

static void rotate_half(float *restrict x, const float *restrict cosine, const float *restrict sine,
                        int pairs) {
  for (int i = 0; i < pairs; i++) {
    float a = x[i], b = x[i + pairs];
    x[i] = a * cosine[i] - b * sine[i];
    x[i + pairs] = b * cosine[i] + a * sine[i];
  }
}

static void rotate_interleaved(float *restrict x, const float *restrict cosine,
                               const float *restrict sine, int pairs) {
  for (int i = 0; i < pairs; i++) {
    float a = x[2 * i], b = x[2 * i + 1];
    x[2 * i] = a * cosine[i] - b * sine[i];
    x[2 * i + 1] = b * cosine[i] + a * sine[i];
  }
}

void rope_apply(const struct rope *r, enum position_kind kind, const int32_t *at, int rows,
                float *x, int heads, int head_dim) {
#pragma omp parallel for schedule(static)
  for (int row = 0; row < rows; row++) {
    const float *cosine = r->cos + (size_t)at[row] * r->pairs;
    const float *sine = r->sin + (size_t)at[row] * r->pairs;
    for (int h = 0; h < heads; h++) {
      float *head = x + ((size_t)row * heads + h) * head_dim;
      if (kind == POSITION_ROPE_HALF) {
        rotate_half(head, cosine, sine, r->pairs);
      } else {
        rotate_interleaved(head, cosine, sine, r->pairs);
      }
    }
  }
}
