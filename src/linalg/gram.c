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

static int smaller(int a, int b) {
  return a < b ? a : b;
}

/* The transposed copy of a block above the diagonal, and the lower half of one on it; in squares
 * that stay in the nearest cache. */
static void mirror(float *g, int n, int first_row, int rows, int first_col, int cols) {
  enum { SQUARE = 16 };
  int end_row = first_row + rows, end_col = first_col + cols;
  for (int i0 = first_row; i0 < end_row; i0 += SQUARE) {
    for (int j0 = first_col > i0 ? first_col : i0; j0 < end_col; j0 += SQUARE) {
      for (int j = j0; j < smaller(j0 + SQUARE, end_col); j++) {
        for (int i = i0; i < smaller(smaller(i0 + SQUARE, end_row), j); i++) {
          g[(size_t)j * n + i] = g[(size_t)i * n + j];
        }
      }
    }
  }
}

/* A block of g += xᵀ·x: rows i .., columns j .. */
static int add_block(float *g, const float *x, int tokens, int n, int i, int rows, int j,
                     int cols) {
  struct tile tile = {.ta = true,
                      .m = rows,
                      .n = cols,
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
  mirror(g, n, i, rows, j, cols);
  return st;
}

/* A block on the diagonal, without the quarter below it. */
static int add_diagonal(float *g, const float *x, int tokens, int n, int i, int size) {
  int half = size / 2;
  int worst = add_block(g, x, tokens, n, i, half, i, size);
  int st = add_block(g, x, tokens, n, i + half, size - half, i + half, size - half);
  return st > worst ? st : worst;
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
    int rows = smaller(edge, n - i), cols = smaller(edge, n - j);
    int st = row == col && rows == edge ? add_diagonal(g, x, tokens, n, i, rows)
                                        : add_block(g, x, tokens, n, i, rows, j, cols);
    worst = st > worst ? st : worst;
  }
  return tile_check(worst, "gram", err);
}
