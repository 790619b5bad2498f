#include "model/norm.h"

#include <math.h>
#include <stddef.h>

#include "linalg/operand.h"

enum { CHUNK = 512 }; /* numbers on their way to operands */

/* y = (x − centre)·scale·w + b */
struct row_norm {
  float centre, scale;
};

static struct row_norm rms(float eps, const float *x, int width) {
  double squares = 0;
#pragma omp simd reduction(+ : squares)
  for (int i = 0; i < width; i++) {
    squares += (double)x[i] * (double)x[i];
  }
  return (struct row_norm){0, (float)(1.0 / sqrt(squares / width + (double)eps))};
}

static struct row_norm layer(float eps, const float *x, int width) {
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
  return (struct row_norm){(float)mean, (float)(1.0 / sqrt(squares / width + (double)eps))};
}

static struct row_norm measure(enum norm_kind kind, float eps, const float *x, int width) {
  return kind == NORM_RMS ? rms(eps, x, width) : layer(eps, x, width);
}

static void apply(struct row_norm n, const float *w, const float *b, const float *x, float *y,
                  int count) {
  if (b) {
    for (int i = 0; i < count; i++) {
      y[i] = (x[i] - n.centre) * n.scale * w[i] + b[i];
    }
  } else {
    for (int i = 0; i < count; i++) {
      y[i] = (x[i] - n.centre) * n.scale * w[i];
    }
  }
}

static void narrow_row(struct row_norm n, const float *w, const float *b, const float *x,
                       uint16_t *y, int width) {
  for (int first = 0; first < width; first += CHUNK) {
    float part[CHUNK];
    int count = width - first < CHUNK ? width - first : CHUNK;
    apply(n, w + first, b ? b + first : NULL, x + first, part, count);
    operand_narrow(PRECISION_BFLOAT16, part, (size_t)count, y + first);
  }
}

void norm_rows_to(enum precision precision, enum norm_kind kind, float eps, const float *w,
                  const float *b, const float *x, void *y, int rows, int width) {
#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    const float *from = x + (size_t)i * width;
    void *to = operand_at(precision, y, (size_t)i * width);
    struct row_norm n = measure(kind, eps, from, width);
    if (precision == PRECISION_FLOAT32) {
      apply(n, w, b, from, to, width);
    } else {
      narrow_row(n, w, b, from, to, width);
    }
  }
}

void norm_rows(enum norm_kind kind, float eps, const float *w, const float *b, const float *x,
               float *y, int rows, int width) {
  norm_rows_to(PRECISION_FLOAT32, kind, eps, w, b, x, y, rows, width);
}

void norm_heads(enum norm_kind kind, float eps, const float *w, float *x, int rows, int heads,
                int width) {
#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    for (int h = 0; h < heads; h++) {
      float *at = x + ((size_t)i * heads + h) * width;
      const float *own = w + (size_t)h * width;
      apply(measure(kind, eps, at, width), own, NULL, at, at, width);
    }
  }
}
