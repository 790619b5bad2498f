#include "linalg/matmul.h"
#include "linalg/tile.h"

/* Row and column block of the i-th block on or above the diagonal, counted row by row. */
static void block_of(int i, int blocks, int *row, int *col) {
  int r = 0;
  while (i >= blocks - r) {
    i -= blocks - r;
    r++;
  }
  *row = r;
  *col = r + i;
}

/* The transposed copy of a block above the diagonal, and the lower half of one on it. */
static void mirror(float *g, int n, int first_row, int rows, int first_col, int cols) {
  for (int j = first_col; j < first_col + cols; j++) {
    int last = j < first_row + rows ? j : first_row + rows;
    for (int i = first_row; i < last; i++) {
      g[(size_t)j * n + i] = g[(size_t)i * n + j];
    }
  }
}

status gram_add(float *g, const float *x, int tokens, int n, struct error *err) {
  if (tokens < 0 || n < 1) {
    return err_set(err, STATUS_BUG, "gram: %d tokens of %d numbers", tokens, n);
  }
  int edge = n <= 4 * GRAM_EDGE ? GRAM_EDGE / 2 : GRAM_EDGE;
  int blocks = (n + edge - 1) / edge, tiles = blocks * (blocks + 1) / 2, worst = 0;
  if (tokens == 0) {
    return STATUS_OK;
  }
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int t = 0; t < tiles; t++) {
    int row, col;
    block_of(t, blocks, &row, &col);
    int i = row * edge, j = col * edge;
    struct tile tile = {.ta = true,
                        .m = n - i < edge ? n - i : edge,
                        .n = n - j < edge ? n - j : edge,
                        .k = tokens,
                        .alpha = 1,
                        .beta = 1,
                        .a = x + i,
                        .lda = n,
                        .b = x + j,
                        .ldb = n,
                        .c = g + (size_t)i * n + j,
                        .ldc = n};
    int st = tile_multiply(&tile);
    mirror(g, n, i, tile.m, j, tile.n);
    worst = st > worst ? st : worst;
  }
  return tile_check(worst, "gram", err);
}
