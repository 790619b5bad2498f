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

/* Σ w∘(w·G) over the rows of w [rows][cols]. product: [ROWS_AT_ONCE][cols]. */
static status energy(const float *w, int rows, int cols, const float *gram, float *product,
                     double *out, struct error *err) {
  double sum = 0;
  for (int first = 0; first < rows; first += ROWS_AT_ONCE) {
    int count = rows - first < ROWS_AT_ONCE ? rows - first : ROWS_AT_ONCE;
    const float *part = w + (size_t)first * (size_t)cols;
    TRY(multiply(part, count, cols, gram, product, err));
    double by_row[ROWS_AT_ONCE];
#pragma omp parallel for schedule(static)
    for (int r = 0; r < count; r++) {
      double row = 0;
      for (int j = 0; j < cols; j++) {
        size_t i = (size_t)r * (size_t)cols + (size_t)j;
        row += (double)part[i] * (double)product[i];
      }
      by_row[r] = row;
    }
    for (int r = 0; r < count; r++) {
      sum += by_row[r];
    }
  }
  *out = sum > 0 ? sum : 0; /* rounding may leave a little below zero */
  return STATUS_OK;
}

status relative_error(float *original, const float *pruned, int rows, int cols, const float *gram,
                      double *out, struct error *err) {
  float *product;
  TRY(mem_alloc_raw(&product, (size_t)ROWS_AT_ONCE * (size_t)cols, sizeof *product, err));
  double before = 0, lost = 0;
  status st;
  TRY_GOTO(st, done, energy(original, rows, cols, gram, product, &before, err));
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < (size_t)rows * (size_t)cols; i++) {
    original[i] -= pruned[i];
  }
  TRY_GOTO(st, done, energy(original, rows, cols, gram, product, &lost, err));
  *out = before > 0 ? sqrt(lost / before) : 0;
done:
  free(product);
  return st;
}
