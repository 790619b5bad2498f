#include "linalg/shared_gram.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/matmul.h"
#include "linalg/shared_parts.h"
#include "linalg/tile.h"

static int least(int a, int b) {
  return a < b ? a : b;
}

/* ScaLAPACK's matrix has both orders reversed: see factor.h. Its block b holds the Gram matrix's
 * rows from here on. */
static int block_start(const struct shared_gram *g, int b, int *size) {
  int first = b * g->grid.block, end = least(g->n, first + g->grid.block);
  *size = end - first;
  return g->n - end;
}

/* Lists this rank's blocks on and below the diagonal; only counts them when to is NULL. */
static int list_tiles(const struct shared_gram *g, struct shared_tile *to) {
  const struct process_grid *p = &g->grid;
  int blocks = (g->n + p->block - 1) / p->block, count = 0;
  if (p->comm == MPI_COMM_NULL) {
    return 0;
  }
  for (int j = p->col; j < blocks; j += p->cols) {
    for (int i = p->row; i < blocks; i += p->rows) {
      if (i >= j && to) {
        struct shared_tile t = {.local_row = i / p->rows * p->block,
                                .local_col = j / p->cols * p->block};
        t.row = block_start(g, i, &t.rows);
        t.col = block_start(g, j, &t.cols);
        to[count] = t;
      }
      count += i >= j;
    }
  }
  return count;
}

static status allocate(struct shared_gram *g, struct error *err) {
  size_t area = (size_t)g->grid.block * (size_t)g->grid.block;
  size_t local = (size_t)process_grid_local_rows(&g->grid, g->n) *
                 (size_t)process_grid_local_cols(&g->grid, g->n);
  static const char what[] = "a shared Gram matrix";
  g->tiles = list_tiles(g, NULL);
  size_t tiles = (size_t)g->tiles, least = 1; /* a rank outside of the grid has none */
  g->count = local;
  TRY(mem_alloc(&g->tile, tiles, sizeof *g->tile, err));
  (void)list_tiles(g, g->tile);
  TRY(mapping_open(&g->held, (tiles ? tiles * area : least) * sizeof *g->sums, NULL, what, err));
  TRY(mapping_open(&g->factor, (local ? local : least) * sizeof *g->matrix, NULL, what, err));
  g->sums = g->held.at;
  g->values = g->held.at;
  g->matrix = g->factor.at;
  return mem_alloc(&g->diagonal, (size_t)g->n, sizeof *g->diagonal, err);
}

status shared_gram_open(struct shared_gram *out, const struct group *group, int n,
                        struct error *err) {
  struct shared_gram g = {.group = group, .n = n};
  TRY(process_grid_open(&g.grid, group, n, err));
  status st = group_agree(group, allocate(&g, err), err);
  if (st != STATUS_OK) {
    shared_gram_close(&g);
  }
  *out = g;
  return st;
}

void shared_gram_close(struct shared_gram *g) {
  if (!g->group) {
    return;
  }
  free(g->tile);
  mapping_close(&g->held);
  mapping_close(&g->factor);
  free(g->diagonal);
  process_grid_close(&g->grid);
  *g = (struct shared_gram){0};
}

void shared_gram_clear(struct shared_gram *g) {
  mapping_drop(&g->held);
  shared_gram_forget(g);
}

void shared_gram_forget(struct shared_gram *g) {
  mapping_drop(&g->factor);
}

static size_t area_of(const struct shared_gram *g) {
  return (size_t)g->grid.block * (size_t)g->grid.block;
}

static int add_tile(const struct shared_gram *g, int t, const float *x, int tokens) {
  const struct shared_tile *at = &g->tile[t];
  float product[SHARED_BLOCK * SHARED_BLOCK];
  struct tile tile = {.ta = true,
                      .m = at->rows,
                      .n = at->cols,
                      .k = tokens,
                      .alpha = 1,
                      .a = x + at->row,
                      .lda = g->n,
                      .b = x + at->col,
                      .ldb = g->n,
                      .c = product,
                      .ldc = at->cols};
  int st = tile_multiply(&tile);
  double *sums = g->sums + (size_t)t * area_of(g);
  for (size_t i = 0; st == 0 && i < (size_t)at->rows * (size_t)at->cols; i++) {
    sums[i] += (double)product[i];
  }
  return st;
}

status shared_gram_add(struct shared_gram *g, const float *x, int tokens, struct error *err) {
  int worst = 0;
  if (tokens == 0) {
    return STATUS_OK;
  }
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int t = 0; t < g->tiles; t++) {
    int st = add_tile(g, t, x, tokens);
    worst = st > worst ? st : worst;
  }
  return tile_check(worst, "shared Gram matrix", err);
}

/* A value is narrower than the sum in whose place it is written, and never ahead of it. */
static void narrow(struct shared_gram *g) {
  size_t count = (size_t)g->tiles * area_of(g);
  char *at = g->held.at;
  for (size_t i = 0; i < count; i++) {
    double sum;
    memcpy(&sum, at + i * sizeof sum, sizeof sum);
    float value = (float)sum;
    memcpy(at + i * sizeof value, &value, sizeof value);
  }
  mapping_drop_behind(&g->held, count * sizeof *g->values);
}

status shared_gram_finish(struct shared_gram *g, struct error *err) {
  memset(g->diagonal, 0, (size_t)g->n * sizeof *g->diagonal);
  narrow(g);
  for (int t = 0; t < g->tiles; t++) {
    const struct shared_tile *at = &g->tile[t];
    for (int i = 0; at->row == at->col && i < at->rows; i++) {
      g->diagonal[at->row + i] =
          g->values[(size_t)t * area_of(g) + (size_t)i * (size_t)(at->cols + 1)];
    }
  }
  /* Every element is one rank's and zero elsewhere: the sum is exact. */
  return group_sum_float(g->group, g->diagonal, (size_t)g->n, err);
}

void shared_gram_set_identity(struct shared_gram *g) {
  memset(g->values, 0, (size_t)g->tiles * area_of(g) * sizeof *g->values);
  for (int t = 0; t < g->tiles; t++) {
    const struct shared_tile *at = &g->tile[t];
    for (int i = 0; at->row == at->col && i < at->rows; i++) {
      g->values[(size_t)t * area_of(g) + (size_t)i * (size_t)(at->cols + 1)] = 1;
    }
  }
  for (int j = 0; j < g->n; j++) {
    g->diagonal[j] = 1;
  }
}

enum { ROWS_AT_ONCE = 128 };

/* Of at most ROWS_AT_ONCE rows w, through one tile; a tile below the diagonal stands for two. */
static int tile_energy(const struct shared_gram *g, int t, const float *w, int rows, double *out) {
  const struct shared_tile *at = &g->tile[t];
  float product[ROWS_AT_ONCE * SHARED_BLOCK];
  int st = matmul(false, false, rows, at->cols, at->rows, 1, w + at->row, g->n,
                  g->values + (size_t)t * area_of(g), at->cols, 0, product, at->cols, NULL);
  double sum = 0;
  for (int r = 0; r < rows; r++) {
    const float *with = w + (size_t)r * (size_t)g->n + at->col;
    for (int j = 0; j < at->cols; j++) {
      sum += (double)product[r * at->cols + j] * (double)with[j];
    }
  }
  *out += at->row == at->col ? sum : 2 * sum;
  return st;
}

static status own_energy(const struct shared_gram *g, const float *w, int rows, double *out,
                         struct error *err) {
  double *by_tile;
  int worst = STATUS_OK;
  TRY(mem_alloc(&by_tile, (size_t)g->tiles, sizeof *by_tile, err));
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int t = 0; t < g->tiles; t++) {
    for (int first = 0; first < rows; first += ROWS_AT_ONCE) {
      int st = tile_energy(g, t, w + (size_t)first * (size_t)g->n,
                           least(ROWS_AT_ONCE, rows - first), &by_tile[t]);
      worst = st > worst ? st : worst;
    }
  }
  for (int t = 0; t < g->tiles; t++) {
    *out += by_tile[t];
  }
  free(by_tile);
  return worst == STATUS_OK
             ? STATUS_OK
             : err_set(err, (status)worst, "a product with a shared Gram matrix failed");
}

status shared_gram_energy(const struct shared_gram *g, const float *w, int rows, double *out,
                          struct error *err) {
  double sum = 0;
  TRY(group_agree(g->group, own_energy(g, w, rows, &sum, err), err));
  TRY(group_sum_double(g->group, &sum, 1, err));
  *out = sum > 0 ? sum : 0; /* rounding may leave a little below zero */
  return STATUS_OK;
}
