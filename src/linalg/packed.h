/* Products with a weight matrix that is used many times: packed once, multiplied in either
 * precision. As in matmul.h, a result's bits depend neither on the number of threads nor on how
 * many rows are computed with it, and work is cut into tiles of fixed size. */
#ifndef ESPALIER_LINALG_PACKED_H
#define ESPALIER_LINALG_PACKED_H

#include <stddef.h>

#include "base/error.h"
#include "linalg/precision.h"

enum { PRODUCT_TILE = 288 }; /* rows and columns of a tile of the result */

/* A weight matrix [n][k] in the form the product wants. */
struct packed;

/* Refuses bfloat16 where the library has no product for this processor. */
status packed_create(struct packed **out, int n, int k, enum precision precision,
                     struct error *err);
/* In memory of the caller's, packed_bytes() of it aligned to MEM_ALIGN, which outlives it. */
status packed_create_in(struct packed **out, int n, int k, enum precision precision, void *memory,
                        struct error *err);
size_t packed_bytes(int n, int k, enum precision precision);
void packed_fill(struct packed *p, const float *w /* [n][k] */);
/* A part: w [rows][k] are the rows from `first` on, a multiple of PRODUCT_TILE. */
void packed_fill_rows(struct packed *p, int first, int rows, const float *w);
void packed_free(struct packed *p);

enum product_output {
  PRODUCT_SET,    /* y = result, float32 */
  PRODUCT_ADD,    /* y += result, float32 */
  PRODUCT_NARROW, /* y = result, in the weights' precision */
  PRODUCT_NONE,   /* `finish` takes what it wants */
};

/* result = x·wᵀ (+ bias), then `finish`, then into y. */
struct product {
  const void *x; /* [m][k] in the weights' precision (linalg/operand.h) */
  int m;
  const float *bias; /* [n] or NULL */
  enum product_output output;
  void *y; /* [m][n], rows ldy apart */
  int ldy;
  /* Changes or reads one tile of the result while it is in the cache: rows row .. row + rows - 1,
   * columns col .. col + cols - 1, tile [rows][cols]. Columns start at multiples of PRODUCT_TILE.
   * Called on any thread, once per tile. May be NULL. */
  void (*finish)(const void *user, int row, int rows, int col, int cols, float *tile);
  const void *user;
};

status packed_multiply(const struct packed *p, const struct product *q, struct error *err);

#endif
