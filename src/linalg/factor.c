#include "linalg/factor.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/damping.h"
#include "linalg/factor_local.h"
#include "linalg/factor_scalapack.h"

int factor_where_parse(const char *text) {
  static const char *const names[] = {"auto", "local", "scalapack"};
  for (int i = 0; i < 3; i++) {
    if (strcmp(text, names[i]) == 0) {
      return i;
    }
  }
  return -1;
}

bool factor_is_shared(enum factor_where where, int n, const struct group *group) {
  return where == FACTOR_SCALAPACK ||
         (where == FACTOR_AUTO && n >= FACTOR_CROSSOVER && group->size > 1);
}

static bool all_finite(const float *values, size_t count) {
  int bad = 0;
#pragma omp parallel for schedule(static) reduction(| : bad)
  for (size_t i = 0; i < count; i++) {
    bad |= !isfinite(values[i]);
  }
  return !bad;
}

static double mean_diagonal(const float *h, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += (double)h[i * n + i];
  }
  return sum / (double)n;
}

/* Tells whether a damping made U; h stays as it was when it did not. */
struct attempt {
  float *h; /* [n][n], becomes U */
  int n;
  const struct factor_local *local; /* NULL when the group's ranks work together */
  double *work;                     /* this rank's part of the matrix */
  float *gather;                    /* [n][n], the ranks' elements of U, summed */
  const struct process_grid *grid;
  const struct group *group;
};

static status try_shared(const struct attempt *t, double add, bool *positive, struct error *err) {
  size_t count = (size_t)t->n * (size_t)t->n;
  memset(t->gather, 0, count * sizeof *t->gather);
  status st = STATUS_OK;
  *positive = true;
  if (t->grid->comm != MPI_COMM_NULL) {
    st = process_grid_factor(t->grid, t->h, t->n, add, t->work, t->gather, positive, err);
  }
  TRY(group_agree(t->group, st, err));
  int64_t negative = !*positive;
  TRY(group_sum_int64(t->group, &negative, 1, err));
  *positive = negative == 0;
  if (*positive) {
    /* Every element is one rank's and zero elsewhere: the sum is exact. */
    TRY(group_sum_float(t->group, t->gather, count, err));
    memcpy(t->h, t->gather, count * sizeof *t->h);
  }
  return STATUS_OK;
}

static status damp_until_positive(const struct attempt *t, double damp, double *damp_used,
                                  struct error *err) {
  double mean = mean_diagonal(t->h, (size_t)t->n), now = damp;
  for (int i = 0; i < DAMPING_TRIES; i++, now = damping_next(now)) {
    bool positive = false;
    double add = now * mean;
    TRY(t->local ? factor_local_try(t->local, t->h, add, &positive, err)
                 : try_shared(t, add, &positive, err));
    if (positive) {
      *damp_used = now;
      return all_finite(t->h, (size_t)t->n * (size_t)t->n)
                 ? STATUS_OK
                 : err_set(err, STATUS_NUMERIC,
                           "the factor of a Gram matrix of order %d is not finite", t->n);
    }
  }
  return err_set(err, STATUS_NUMERIC,
                 "a Gram matrix of order %d is not positive definite, even with a damping of %g",
                 t->n, now / 10);
}

static status factor_alone(float *h, int n, double damp, double *damp_used, struct error *err) {
  struct factor_local local;
  TRY(factor_local_open(&local, n, err));
  struct attempt t = {.h = h, .n = n, .local = &local};
  status st = damp_until_positive(&t, damp, damp_used, err);
  factor_local_close(&local);
  return st;
}

static status allocate_shared(struct attempt *t, struct error *err) {
  size_t rows = (size_t)process_grid_local_rows(t->grid, t->n);
  size_t cols = (size_t)process_grid_local_cols(t->grid, t->n);
  TRY(mem_alloc(&t->work, rows * cols, sizeof *t->work, err));
  return mem_alloc(&t->gather, (size_t)t->n * (size_t)t->n, sizeof *t->gather, err);
}

static status factor_shared(float *h, int n, double damp, const struct group *group,
                            double *damp_used, struct error *err) {
  struct process_grid grid;
  TRY(process_grid_open(&grid, group, n, err));
  struct attempt t = {.h = h, .n = n, .grid = &grid, .group = group};
  status st = group_agree(group, allocate_shared(&t, err), err);
  if (st == STATUS_OK) {
    st = damp_until_positive(&t, damp, damp_used, err);
  }
  free(t.work);
  free(t.gather);
  process_grid_close(&grid);
  return st;
}

status factor_inverse_upper(float *h, int n, double damp, enum factor_where where,
                            const struct group *group, double *damp_used, struct error *err) {
  /* LAPACK reports success on NaN, so it is looked for here. */
  if (!all_finite(h, (size_t)n * (size_t)n)) {
    return err_set(err, STATUS_NUMERIC, "a Gram matrix of order %d is not finite", n);
  }
  return factor_is_shared(where, n, group) && group->comm != MPI_COMM_NULL
             ? factor_shared(h, n, damp, group, damp_used, err)
             : factor_alone(h, n, damp, damp_used, err);
}
