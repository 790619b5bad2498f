#include "linalg/factor_local.h"

#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/factor_invert.h"
#include "linalg/factor_tile.h"

/* With the order of rows and columns kept, H = R·Rᵀ for an upper triangular R that is found from
 * the last column of tiles to the first, and U = R⁻¹ from the first to the last. Each tile is
 * summed up in one go by one thread. */

enum { EDGE = FACTOR_EDGE, AREA = FACTOR_AREA };

status factor_local_open(struct factor_local *out, int n, struct error *err) {
  struct factor_local f = {
      .n = n, .single = n >= FACTOR_SINGLE_FROM, .blocks = (n + EDGE - 1) / EDGE};
  size_t blocks = (size_t)f.blocks, tile = AREA * sizeof(double);
  status st;
  TRY_GOTO(st, fail, mem_alloc_raw(&f.tiles, blocks * (blocks + 1) / 2, tile, err));
  TRY_GOTO(st, fail, mem_alloc_raw(&f.panel, blocks, tile, err));
  TRY_GOTO(st, fail, mem_alloc_raw(&f.inverse, 1, tile, err));
  *out = f;
  return STATUS_OK;
fail:
  factor_local_close(&f);
  return st;
}

void factor_local_close(struct factor_local *f) {
  free(f->tiles);
  free(f->panel);
  free(f->inverse);
  *f = (struct factor_local){0};
}

static double *tile_at(const struct factor_local *f, int i, int k) {
  return f->tiles + ((size_t)k * (size_t)(k + 1) / 2 + (size_t)i) * AREA;
}

static double *panel_at(const struct factor_local *f, int i) {
  return f->panel + (size_t)i * AREA;
}

static void clear(double *tile) {
  memset(tile, 0, AREA * sizeof *tile);
}

static int edge_at(const struct factor_local *f, int block) {
  return f->n - block * EDGE < EDGE ? f->n - block * EDGE : EDGE;
}

/* Tile (i, k) of h, with the identity behind its end. */
static void read_tile(const struct factor_local *f, const float *h, int i, int k, double *tile) {
  int rows = edge_at(f, i), cols = edge_at(f, k);
  if (rows < EDGE || cols < EDGE) {
    clear(tile);
    for (int r = cols; i == k && r < EDGE; r++) {
      tile[factor_tile_index((size_t)r, (size_t)r)] = 1;
    }
  }
  for (int r = 0; r < rows; r++) {
    const float *from = h + (size_t)(i * EDGE + r) * (size_t)f->n + (size_t)k * EDGE;
    double *to = tile + factor_tile_index((size_t)r, 0);
    for (int c = 0; c < cols; c++) {
      to[(size_t)c * FACTOR_LANES] = (double)from[c];
    }
  }
}

static void write_tile(const struct factor_local *f, const double *tile, int i, int k, float *h) {
  int rows = edge_at(f, i), cols = edge_at(f, k);
  for (int r = 0; r < rows; r++) {
    float *to = h + (size_t)(i * EDGE + r) * (size_t)f->n + (size_t)k * EDGE;
    const double *from = tile + factor_tile_index((size_t)r, 0);
    for (int c = 0; c < cols; c++) {
      to[c] = (float)from[(size_t)c * FACTOR_LANES];
    }
  }
}

/* Where element (row, col) of a tile stands when both orders are reversed and rows are stored
 * whole: an upper triangle becomes a lower one, and LAPACK calls a row-major lower triangle upper.
 */
static size_t reversed(int row, int col) {
  return (size_t)(EDGE - 1 - row) * EDGE + (size_t)(EDGE - 1 - col);
}

/* panel[k], of which `size` rows are h's, becomes tile (k, k) of U: the inverse of its factor.
 * OpenBLAS stays on one thread inside a parallel region; it would show in the bits if it did not.
 */
static bool factor_diagonal(const struct factor_local *f, int k, double add) {
  double *a = f->inverse, *u = tile_at(f, k, k);
  const double *from = panel_at(f, k);
  int size = edge_at(f, k), info = 0;
  for (int r = 0; r < EDGE; r++) {
    for (int c = r; c < EDGE; c++) {
      a[reversed(r, c)] =
          from[factor_tile_index((size_t)r, (size_t)c)] + (r == c && r < size ? add : 0);
    }
  }
#pragma omp parallel
#pragma omp single
  {
    info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'U', EDGE, a, EDGE);
    info = info == 0 ? LAPACKE_dtrtri_work(LAPACK_COL_MAJOR, 'U', 'N', EDGE, a, EDGE) : info;
  }
  for (int r = 0; r < EDGE; r++) {
    for (int c = 0; c < EDGE; c++) {
      u[factor_tile_index((size_t)r, (size_t)c)] = c < r ? 0 : a[reversed(r, c)];
    }
  }
  return info == 0;
}

/* −U_kk, which turns what factor_tile_subtract takes away into what it leaves; or −U_kkᵀ. */
static void negate(const double *u, bool transposed, double *out) {
  for (size_t r = 0; r < EDGE; r++) {
    for (size_t c = 0; c < EDGE; c++) {
      out[transposed ? factor_tile_index(c, r) : factor_tile_index(r, c)] =
          -u[factor_tile_index(r, c)];
    }
  }
}

/* R_ik = (h_ik − Σ_j R_ij·R_kjᵀ over j > k)·U_kkᵀ. */
static bool factor_column(const struct factor_local *f, const float *h, int k, double add) {
#pragma omp parallel for schedule(dynamic, 1)
  for (int i = k; i >= 0; i--) {
    read_tile(f, h, i, k, panel_at(f, i));
    for (int j = k + 1; j < f->blocks; j++) {
      int next = j + 1 < f->blocks ? j + 1 : j;
      factor_tile_subtract(panel_at(f, i), tile_at(f, i, j), tile_at(f, k, j), tile_at(f, i, next),
                           tile_at(f, k, next));
    }
  }
  if (!factor_diagonal(f, k, add)) {
    return false;
  }
  negate(tile_at(f, k, k), false, f->inverse);
#pragma omp parallel for schedule(dynamic, 1)
  for (int i = 0; i < k; i++) {
    clear(tile_at(f, i, k));
    factor_tile_subtract(tile_at(f, i, k), panel_at(f, i), f->inverse, panel_at(f, i + 1),
                         f->inverse);
  }
  return true;
}

/* U_ik = −Σ_j U_ij·(R_jk·U_kk) over i <= j < k, from the products' transposes. */
static void invert_column(const struct factor_local *f, int k) {
  negate(tile_at(f, k, k), true, f->inverse);
#pragma omp parallel for schedule(dynamic, 1)
  for (int j = 0; j < k; j++) {
    clear(panel_at(f, j));
    factor_tile_subtract(panel_at(f, j), f->inverse, tile_at(f, j, k), f->inverse,
                         tile_at(f, j + 1, k));
  }
#pragma omp parallel for schedule(dynamic, 1)
  for (int i = 0; i < k; i++) { /* the longest sums first */
    clear(tile_at(f, i, k));
    for (int j = i; j < k; j++) {
      int next = j + 1 < k ? j + 1 : j;
      factor_tile_subtract(tile_at(f, i, k), tile_at(f, i, j), panel_at(f, j), tile_at(f, i, next),
                           panel_at(f, next));
    }
  }
}

static void write_upper(const struct factor_local *f, float *h) {
#pragma omp parallel for schedule(dynamic, 1)
  for (int i = 0; i < f->blocks; i++) {
    for (int r = i * EDGE; r < i * EDGE + edge_at(f, i); r++) {
      memset(h + (size_t)r * (size_t)f->n, 0, (size_t)i * EDGE * sizeof *h);
    }
    for (int k = i; k < f->blocks; k++) {
      write_tile(f, tile_at(f, i, k), i, k, h);
    }
  }
}

status factor_local_try(const struct factor_local *f, float *h, double add, bool *positive,
                        struct error *err) {
  *positive = true;
  for (int k = f->blocks - 1; k >= 0 && *positive; k--) {
    *positive = factor_column(f, h, k, add);
  }
  if (!*positive) {
    return STATUS_OK;
  }
  for (int k = 1; k < f->blocks && !f->single; k++) {
    invert_column(f, k);
  }
  write_upper(f, h);
  return f->single ? factor_invert_blocks(h, f->n, (float *)f->panel, err) : STATUS_OK;
}
