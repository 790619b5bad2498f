#include "model/norm.h"

#include <math.h>
#include <stddef.h>

static void rms(float eps, const float *w, const float *x, float *y, int width) {
  double squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int i = 0; i < width; i++) {
    squares += (double)x[i] * (double)x[i];
  }
  float scale = (float)(1.0 / sqrt(squares / width + (double)eps));
  for (int i = 0; i < width; i++) {
    y[i] = x[i] * scale * w[i];
  }
}

static void layer(float eps, const float *w, const float *b, const float *x, float *y, int width) {
  double sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int i = 0; i < width; i++) {
    sum += (double)x[i];
  }
  double mean = sum / width, squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int i = 0; i < width; i++) {
    squares += ((double)x[i] - mean) * ((double)x[i] - mean);
  }
  float scale = (float)(1.0 / sqrt(squares / width + (double)eps)), centre = (float)mean;
  if (b) {
    for (int i = 0; i < width; i++) {
      y[i] = (x[i] - centre) * scale * w[i] + b[i];
    }
  } else {
    for (int i = 0; i < width; i++) {
      y[i] = (x[i] - centre) * scale * w[i];
    }
  }
}

void norm_rows(enum norm_kind kind, float eps, const float *w, const float *b, const float *x,
               float *y, int rows, int width) {
#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    const float *from = x + (size_t)i * width;
    float *to = y + (size_t)i * width;
    if (kind == NORM_RMS) {
      rms(eps, w, from, to, width);
    } else {
      layer(eps, w, b, from, to, width);
    }
  }
}

void norm_heads(enum norm_kind kind, float eps, const float *w, float *x, int rows, int heads,
                int width) {
#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    for (int h = 0; h < heads; h++) {
      float *at = x + ((size_t)i * heads + h) * width;
      const float *own = w + (size_t)h * width;
      if (kind == NORM_RMS) {
        rms(eps, own, at, at, width);
      } else {
        layer(eps, own, NULL, at, at, width);
      }
    }
  }
}
