#include "prune/select.h"

#include <stdint.h>
#include <string.h>

/* Numbers >= 0 are ordered as their bits are, so the k-th smallest is found digit by digit: count
 * how often each value of the top bits occurs, go into the bin that holds rank k, repeat. */
enum { DIGITS = 3, RADIX_BITS = 11, RADIX = 1 << RADIX_BITS, PARALLEL_FROM = 1 << 17 };
static const int SHIFTS[DIGITS] = {21, 10, 0};
static const int WIDTHS[DIGITS] = {11, 11, 10};

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits & 0x7fffffffU; /* −0 is 0 */
}

/* Adds, for the scores whose bits above the digit equal `prefix`, how often each digit occurs. */
static void count_digit(const float *scores, size_t n, int digit, uint32_t prefix, size_t *counts) {
  int shift = SHIFTS[digit];
  uint32_t mask = (1U << WIDTHS[digit]) - 1, low = prefix << WIDTHS[digit];
  for (size_t i = 0; i < n; i++) {
    uint32_t top = bits_of(scores[i]) >> shift;
    if ((top & ~mask) == low) {
      counts[top & mask]++;
    }
  }
}

static void count_all(const float *scores, size_t n, int digit, uint32_t prefix,
                      size_t counts[RADIX]) {
  memset(counts, 0, RADIX * sizeof *counts);
  if (n < PARALLEL_FROM) {
    count_digit(scores, n, digit, prefix, counts);
    return;
  }
#pragma omp parallel for schedule(static) reduction(+ : counts[:RADIX])
  for (size_t first = 0; first < n; first += PARALLEL_FROM / 4) {
    size_t left = n - first;
    count_digit(scores + first, left < PARALLEL_FROM / 4 ? left : PARALLEL_FROM / 4, digit, prefix,
                counts);
  }
}

float select_nth(const float *scores, size_t n, size_t k) {
  uint32_t prefix = 0;
  size_t counts[RADIX];
  for (int d = 0; d < DIGITS; d++) {
    count_all(scores, n, d, prefix, counts);
    uint32_t digit = 0;
    while (k >= counts[digit]) {
      k -= counts[digit++];
    }
    prefix = prefix << WIDTHS[d] | digit;
  }
  float value;
  memcpy(&value, &prefix, sizeof value);
  return value;
}

size_t select_count(size_t n, double ratio) {
  size_t count = (size_t)((double)n * ratio);
  /* A ratio within rounding of 1 must not run off the end. */
  return count < n ? count : n - 1;
}

float select_threshold(const float *scores, size_t n, double ratio) {
  return ratio > 0 ? select_nth(scores, n, select_count(n, ratio)) : -1;
}

void select_smallest(const float *scores, float *weights, size_t n, size_t count) {
  if (count == 0) {
    return;
  }
  float edge = select_nth(scores, n, count - 1);
  size_t below = 0;
  for (size_t i = 0; i < n; i++) {
    below += scores[i] < edge;
  }
  size_t ties = count - below;
  for (size_t i = 0; i < n; i++) {
    if (scores[i] < edge) {
      weights[i] = 0;
    } else if (scores[i] == edge && ties > 0) {
      weights[i] = 0;
      ties--;
    }
  }
}

/* Whether the element `i` of one group is among its n smallest: fewer than n stand before it. */
static int stands_before(const float *scores, int m, int i) {
  int before = 0;
  for (int j = 0; j < m; j++) {
    before += scores[j] < scores[i] || (scores[j] == scores[i] && j < i);
  }
  return before;
}

void select_groups(const float *scores, float *weights, int cols, int n, int m) {
  for (int first = 0; first + m <= cols; first += m) {
    for (int i = 0; i < m; i++) {
      if (stands_before(scores + first, m, i) < n) {
        weights[first + i] = 0;
      }
    }
  }
}

void select_rows(const float *scores, float *weights, int rows, int cols,
                 const struct sparsity *sparsity) {
  size_t width = (size_t)cols, count = select_count(width, sparsity->ratio);
#pragma omp parallel for schedule(static)
  for (int r = 0; r < rows; r++) {
    const float *row = scores + (size_t)r * width;
    float *w = weights + (size_t)r * width;
    if (sparsity->m) {
      select_groups(row, w, cols, sparsity->n, sparsity->m);
    } else {
      select_smallest(row, w, width, count);
    }
  }
}

void select_matrix(const float *scores, float *weights, int rows, int cols,
                   const struct sparsity *sparsity) {
  if (sparsity->m) {
    select_rows(scores, weights, rows, cols, sparsity);
    return;
  }
  size_t n = (size_t)rows * (size_t)cols;
  float threshold = select_threshold(scores, n, sparsity->ratio);
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n; i++) {
    if (scores[i] <= threshold) {
      weights[i] = 0;
    }
  }
}
