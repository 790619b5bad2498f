#include "prune/relative_error.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "linalg/matmul.h"

enum { ROWS_AT_ONCE = 256, COLUMNS_AT_ONCE = 256 };

/* product [rows][cols] = w·T, where T is the gram matrix above its diagonal blocks twice, in them
 * once, and nothing below: in Σ w∘(w·T) every pair of inputs counts as often as with the whole
 * matrix, for half the products. */
static status multiply(const float *w, int rows, int cols, const float *gram, float *product,
                       struct error *err) {
  int worst = STATUS_OK, blocks = (cols + COLUMNS_AT_ONCE - 1) / COLUMNS_AT_ONCE;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int block = blocks - 1; block >= 0; block--) { /* the longest sums first */
    int first = block * COLUMNS_AT_ONCE;
    int width = cols - first < COLUMNS_AT_ONCE ? cols - first : COLUMNS_AT_ONCE;
    int above = matmul(false, false, rows, width, first, 2, w, cols, gram + first, cols, 0,
                       product + first, cols, NULL);
    int within =
        matmul(false, false, rows, width, width, 1, w + first, cols,
               gram + (size_t)first * (size_t)(cols + 1), cols, 1, product + first, cols, NULL);
    int st = above > within ? above : within;
    worst = st > worst ? st : worst;
  }
  return worst == STATUS_OK
             ? STATUS_OK
             : err_set(err, (status)worst, "a product with a Gram matrix of order %d failed", cols);
}

/* out[r] = Σ w∘(w·G) over row r of w [rows][cols]. product: [ROWS_AT_ONCE][cols]. */
static status energy(const float *w, int rows, int cols, const float *gram, float *product,
                     double *out, struct error *err) {
  for (int first = 0; first < rows; first += ROWS_AT_ONCE) {
    int count = rows - first < ROWS_AT_ONCE ? rows - first : ROWS_AT_ONCE;
    const float *part = w + (size_t)first * (size_t)cols;
    TRY(multiply(part, count, cols, gram, product, err));
#pragma omp parallel for schedule(static)
    for (int r = 0; r < count; r++) {
      double row = 0;
      for (int j = 0; j < cols; j++) {
        size_t i = (size_t)r * (size_t)cols + (size_t)j;
        row += (double)part[i] * (double)product[i];
      }
      out[first + r] = row;
    }
  }
  return STATUS_OK;
}

status relative_error_rows(float *original, const float *pruned, int rows, int cols,
                           const float *gram, double *before, double *lost, struct error *err) {
  float *product;
  TRY(mem_alloc_raw(&product, (size_t)ROWS_AT_ONCE * (size_t)cols, sizeof *product, err));
  status st;
  TRY_GOTO(st, done, energy(original, rows, cols, gram, product, before, err));
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < (size_t)rows * (size_t)cols; i++) {
    original[i] -= pruned[i];
  }
  st = energy(original, rows, cols, gram, product, lost, err);
done:
  free(product);
  return st;
}

/* Rounding may leave a little below zero. */
static double total(const double *values, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) {
    sum += values[i];
  }
  return sum > 0 ? sum : 0;
}

double relative_error_sum(const double *before, const double *lost, int rows) {
  double whole = total(before, rows);
  return whole > 0 ? sqrt(total(lost, rows) / whole) : 0;
}

status relative_error(float *original, const float *pruned, int rows, int cols, const float *gram,
                      double *out, struct error *err) {
  double *before;
  TRY(mem_alloc(&before, 2 * (size_t)rows, sizeof *before, err));
  double *lost = before + rows;
  status st = relative_error_rows(original, pruned, rows, cols, gram, before, lost, err);
  if (st == STATUS_OK) {
    *out = relative_error_sum(before, lost, rows);
  }
  free(before);
  return st;
}
