/* Where the rows of a packed triangle of order n begin. */
#ifndef ESPALIER_PRUNE_TRIANGLE_H
#define ESPALIER_PRUNE_TRIANGLE_H

#include <stddef.h>

/* Elements before row i of a lower triangle, and all of one of order i. */
static inline size_t triangle_before(size_t i) {
  return i * (i + 1) / 2;
}

/* Elements before row i of an upper triangle of order n. */
static inline size_t triangle_before_upper(size_t i, size_t n) {
  return triangle_before(n) - triangle_before(n - i);
}

#endif
