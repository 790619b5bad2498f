#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/damping.h"
#include "linalg/shared_gram.h"
#include "linalg/shared_parts.h"

static size_t area_of(const struct shared_gram *g) {
  return (size_t)g->grid.block * (size_t)g->grid.block;
}

/* Element (row, col) of a tile, in ScaLAPACK's part [local_cols][local_rows]. */
static size_t local_index(const struct shared_tile *t, size_t lld, int row, int col) {
  return (size_t)(t->local_col + t->cols - 1 - col) * lld +
         (size_t)(t->local_row + t->rows - 1 - row);
}

static float element(const struct shared_gram *g, int t, int row, int col) {
  return g->values[(size_t)t * area_of(g) + (size_t)row * (size_t)g->tile[t].cols + (size_t)col];
}

/* The damped matrix, its lower half. */
static void fill(const struct shared_gram *g, float scale, double add) {
  size_t lld = (size_t)process_grid_local_rows(&g->grid, g->n);
  memset(g->matrix, 0, g->count * sizeof *g->matrix);
#pragma omp parallel for schedule(static)
  for (int t = 0; t < g->tiles; t++) {
    const struct shared_tile *at = &g->tile[t];
    for (int r = 0; r < at->rows; r++) {
      for (int c = 0; c < at->cols; c++) {
        float value = element(g, t, r, c);
        bool on = at->row + r == at->col + c;
        float h = on && value == 0 ? 1 : value * scale;
        g->matrix[local_index(at, lld, r, c)] = (double)h + (on ? add : 0);
      }
    }
  }
}

static bool all_finite(const struct shared_gram *g) {
  for (size_t i = 0; i < (size_t)g->tiles * area_of(g); i++) {
    if (!isfinite(g->values[i])) {
      return false;
    }
  }
  return true;
}

static bool factor_finite(const struct shared_gram *g) {
  for (size_t i = 0; i < g->count; i++) {
    if (!isfinite((float)g->matrix[i])) {
      return false;
    }
  }
  return true;
}

/* The same answer on every rank: whether all of them say yes. */
static status agree_all(const struct shared_gram *g, bool mine, bool *all, struct error *err) {
  int64_t no = !mine;
  TRY(group_sum_int64(g->group, &no, 1, err));
  *all = no == 0;
  return STATUS_OK;
}

#ifndef NDEBUG
/* x·U·H·Uᵀ·x over x·x for x of ones: 1 when (H)⁻¹ = UᵀU. h: the damped matrix's local part. */
static status residual(const struct shared_gram *g, float scale, double add, double *out,
                       struct error *err) {
  size_t n = (size_t)g->n;
  float *row = NULL;
  double *y = NULL;
  status st = mem_alloc(&y, n, sizeof *y, err);
  st = st == STATUS_OK ? mem_alloc(&row, n, sizeof *row, err) : st;
  st = group_agree(g->group, st, err);
  for (int i = 0; st == STATUS_OK && i < g->n; i++) { /* y = Uᵀ·1 */
    st = shared_gram_rows(g, i, 1, row, err);
    for (size_t j = (size_t)i; st == STATUS_OK && j < n; j++) {
      y[j] += (double)row[j];
    }
  }
  double sum = 0;
  for (int t = 0; st == STATUS_OK && t < g->tiles; t++) {
    const struct shared_tile *at = &g->tile[t];
    for (int r = 0; r < at->rows; r++) {
      for (int c = 0; c < at->cols; c++) {
        float value = element(g, t, r, c);
        bool on = at->row + r == at->col + c;
        double h = (double)(on && value == 0 ? 1 : value * scale) + (on ? add : 0);
        sum += (at->row == at->col ? 1 : 2) * h * y[at->row + r] * y[at->col + c];
      }
    }
  }
  if (st == STATUS_OK) {
    st = group_sum_double(g->group, &sum, 1, err);
  }
  *out = fabs(sum / (double)n - 1);
  free(row);
  free(y);
  return st;
}
#endif

static status try_factor(const struct shared_gram *g, float scale, double add, bool *positive,
                         struct error *err) {
  fill(g, scale, add);
  *positive = true;
  status st = STATUS_OK;
  if (g->grid.comm != MPI_COMM_NULL) {
    st = process_grid_run(&g->grid, g->n, g->matrix, positive, err);
  }
  TRY(group_agree(g->group, st, err));
  return agree_all(g, *positive, positive, err);
}

static status check_factor(const struct shared_gram *g, float scale, double add,
                           struct error *err) {
  bool finite;
  TRY(agree_all(g, factor_finite(g), &finite, err));
  if (!finite) {
    return err_set(err, STATUS_NUMERIC, "the factor of a Gram matrix of order %d is not finite",
                   g->n);
  }
#ifndef NDEBUG
  double off;
  TRY(residual(g, scale, add, &off, err));
  if (!(off < 1e-2)) {
    return err_set(err, STATUS_BUG, "the factor of a Gram matrix of order %d is off by %g", g->n,
                   off);
  }
#else
  (void)scale;
  (void)add;
#endif
  return STATUS_OK;
}

static double mean_diagonal(const struct shared_gram *g, float scale) {
  double sum = 0;
  for (int j = 0; j < g->n; j++) {
    sum += g->diagonal[j] == 0 ? 1 : (double)(g->diagonal[j] * scale);
  }
  return sum / g->n;
}

status shared_gram_factor(struct shared_gram *g, float scale, double damp, double *damp_used,
                          struct error *err) {
  bool finite;
  TRY(agree_all(g, all_finite(g), &finite, err));
  if (!finite) {
    return err_set(err, STATUS_NUMERIC, "a Gram matrix of order %d is not finite", g->n);
  }
  double mean = mean_diagonal(g, scale), now = damp;
  for (int i = 0; i < DAMPING_TRIES; i++, now = damping_next(now)) {
    bool positive;
    TRY(try_factor(g, scale, now * mean, &positive, err));
    if (positive) {
      *damp_used = now;
      return check_factor(g, scale, now * mean, err);
    }
  }
  return err_set(err, STATUS_NUMERIC,
                 "a Gram matrix of order %d is not positive definite, even with a damping of %g",
                 g->n, now / 10);
}

/* What of a tile lies in U's rows first .. end − 1. */
static void copy_rows(const struct shared_gram *g, const struct shared_tile *t, size_t lld,
                      int first, int end, float *u) {
  /* U[a][b] is what the inverse's reversed element (a, b) is, a the larger there: tiles hold (row,
   * col) with row <= col. */
  for (int r = 0; r < t->rows; r++) {
    int row = t->row + r;
    if (row < first || row >= end) {
      continue;
    }
    for (int c = 0; c < t->cols; c++) {
      int col = t->col + c;
      if (col >= row) {
        u[(size_t)(row - first) * (size_t)g->n + (size_t)col] =
            (float)g->matrix[local_index(t, lld, r, c)];
      }
    }
  }
}

status shared_gram_rows(const struct shared_gram *g, int first, int count, float *u,
                        struct error *err) {
  size_t lld = (size_t)process_grid_local_rows(&g->grid, g->n);
  memset(u, 0, (size_t)count * (size_t)g->n * sizeof *u);
  for (int t = 0; t < g->tiles; t++) {
    const struct shared_tile *at = &g->tile[t];
    if (at->row < first + count && at->row + at->rows > first) {
      copy_rows(g, at, lld, first, first + count, u);
    }
  }
  /* Every element is one rank's and zero elsewhere: the sum is exact. */
  return group_sum_float(g->group, u, (size_t)count * (size_t)g->n, err);
}
