/* Masks made up for tests, as bits and as records. */
#ifndef ESPALIER_TESTS_STORE_MADE_MASKS_H
#define ESPALIER_TESTS_STORE_MADE_MASKS_H

#include "base/mem.h"
#include "base/rng.h"
#include "store/mask_record.h"

/* Weights [rows][cols] of which about `removed` (0 to 1) are zero, some of them negative zero. */
static inline float *masks_weights(struct rng *rng, int rows, int cols, double removed) {
  size_t count = (size_t)rows * (size_t)cols;
  float *w = malloc((count ? count : 1) * sizeof *w);
  assert_non_null(w);
  for (size_t i = 0; i < count; i++) {
    bool zero = rng_double(rng) < removed;
    w[i] = zero ? (i % 3 ? 0.0F : -0.0F) : (float)(rng_double(rng) + 0.01);
  }
  return w;
}

/* The bits of such weights; the caller frees them. */
static inline unsigned char *masks_bits(struct rng *rng, int rows, int cols, double removed) {
  float *w = masks_weights(rng, rows, cols, removed);
  unsigned char *bits = malloc(mask_bytes(rows, cols) + 1);
  assert_non_null(bits);
  mask_pack(w, rows, cols, bits);
  free(w);
  return bits;
}

static inline bool masks_bit(const unsigned char *bits, int cols, int row, int col) {
  return bits[(size_t)row * mask_row_bytes(cols) + (size_t)col / 8] >> (col % 8) & 1;
}

#endif
