#include "linalg/factor_invert.h"

#include <stddef.h>

#include "linalg/factor_tile.h"
#include "linalg/matmul.h"

enum { EDGE = FACTOR_EDGE };

struct inverse {
  float *u; /* [n][n] */
  int n;
  float *panel; /* [n][EDGE] */
};

static float *block_at(const struct inverse *t, int row, int col) {
  return t->u + (size_t)row * (size_t)t->n + (size_t)col;
}

static float *panel_at(const struct inverse *t, int row) {
  return t->panel + (size_t)row * EDGE;
}

/* U_ik = Σ_j U_ij·(−R_jk·U_kk) over the blocks from i to the one before k. */
static int invert_column(const struct inverse *t, int k) {
  int width = t->n - k < EDGE ? t->n - k : EDGE, worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int j = 0; j < k; j += EDGE) {
    int st = matmul(false, false, EDGE, width, width, -1, block_at(t, j, k), t->n,
                    block_at(t, k, k), t->n, 0, panel_at(t, j), EDGE, NULL);
    worst = st > worst ? st : worst;
  }
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int i = 0; i < k; i += EDGE) { /* the longest sums first */
    int st = matmul(false, false, EDGE, width, k - i, 1, block_at(t, i, i), t->n, panel_at(t, i),
                    EDGE, 0, block_at(t, i, k), t->n, NULL);
    worst = st > worst ? st : worst;
  }
  return worst;
}

status factor_invert_blocks(float *u, int n, float *panel, struct error *err) {
  const struct inverse t = {.u = u, .n = n, .panel = panel};
  for (int k = EDGE; k < n; k += EDGE) {
    int worst = invert_column(&t, k);
    if (worst != STATUS_OK) {
      return err_set(err, (status)worst, "a product of a triangular inverse of order %d failed", n);
    }
  }
  return STATUS_OK;
}
