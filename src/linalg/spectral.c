#include "linalg/spectral.h"

#include <lapacke.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/factor_scalapack.h"

void descinit_(int *desc, const int *m, const int *n, const int *mb, const int *nb,
               const int *row_source, const int *col_source, const int *context, const int *lld,
               int *info);
void pdsyevd_(const char *jobz, const char *uplo, const int *n, double *a, const int *ia,
              const int *ja, const int *desca, double *w, double *z, const int *iz, const int *jz,
              const int *descz, double *work, const int *lwork, int *iwork, const int *liwork,
              int *info, size_t jobz_length, size_t uplo_length);
void pdgesvd_(const char *jobu, const char *jobvt, const int *m, const int *n, double *a,
              const int *ia, const int *ja, const int *desca, double *s, double *u, const int *iu,
              const int *ju, const int *descu, double *vt, const int *ivt, const int *jvt,
              const int *descvt, double *work, const int *lwork, int *info, size_t jobu_length,
              size_t jobvt_length);

/* A matrix that is spread over a grid. */
struct spread {
  struct process_grid grid;
  int rows, cols, local_rows, local_cols;
  double *local; /* [local_cols][local_rows] */
  int desc[9];
};

static size_t place(int i, int block, int coordinate, int count) {
  return (size_t)(i / block * count + coordinate) * (size_t)block + (size_t)(i % block);
}

static bool all_finite(const double *values, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(values[i])) {
      return false;
    }
  }
  return true;
}

static status spread_describe(struct spread *s, struct error *err) {
  const int zero = 0;
  int lld = s->local_rows > 1 ? s->local_rows : 1, info = 0;
  if (s->grid.comm != MPI_COMM_NULL) {
    descinit_(s->desc, &s->rows, &s->cols, &s->grid.block, &s->grid.block, &zero, &zero,
              &s->grid.context, &lld, &info);
  }
  return info == 0 ? STATUS_OK : err_set(err, STATUS_BUG, "descinit refused argument %d", -info);
}

/* Copies between a whole matrix [rows][cols] and this rank's part. */
static void copy(const struct spread *s, double *whole, bool in) {
  const struct process_grid *g = &s->grid;
  for (int c = 0; c < s->local_cols; c++) {
    size_t j = place(c, g->block, g->col, g->cols);
    for (int r = 0; r < s->local_rows; r++) {
      size_t i = place(r, g->block, g->row, g->rows);
      double *here = &s->local[(size_t)c * (size_t)s->local_rows + (size_t)r];
      double *there = &whole[i * (size_t)s->cols + j];
      *(in ? here : there) = *(in ? there : here);
    }
  }
}

static status spread_open(struct spread *s, double *whole, int rows, int cols,
                          const struct group *group, struct error *err) {
  *s = (struct spread){.rows = rows, .cols = cols};
  TRY(process_grid_open(&s->grid, group, rows < cols ? rows : cols, err));
  s->local_rows = process_grid_local_rows(&s->grid, rows);
  s->local_cols = process_grid_local_cols(&s->grid, cols);
  size_t count = (size_t)s->local_rows * (size_t)s->local_cols;
  status st = mem_alloc(&s->local, count + 1, sizeof *s->local, err);
  st = st == STATUS_OK ? spread_describe(s, err) : st;
  if (st == STATUS_OK) {
    copy(s, whole, true);
  }
  return group_agree(group, st, err);
}

static void spread_close(struct spread *s) {
  free(s->local);
  process_grid_close(&s->grid);
}

static status judge(int info, const char *what, struct error *err) {
  return info == 0 ? STATUS_OK
                   : err_set(err, info < 0 ? STATUS_BUG : STATUS_NUMERIC, "%s ended with info %d",
                             what, info);
}

/* pdsyevd's own answer about its workspace is too small (deadlocks and wrong vectors, silently):
 * what its callees take is added. */
static status run_symmetric(const struct spread *s, double *z, double *values, struct error *err) {
  const int one = 1, ask = -1;
  int n = s->rows, info = 0, isize = 0, nb = s->grid.block;
  double size = 0;
  pdsyevd_("V", "L", &n, s->local, &one, &one, s->desc, values, z, &one, &one, s->desc, &size, &ask,
           &isize, &ask, &info, 1, 1);
  TRY(judge(info, "pdsyevd's workspace query", err));
  int p = (n / nb / s->grid.rows + 1) * nb, q = (n / nb / s->grid.cols + 1) * nb;
  int lwork = (int)size + (p + q + 2 * nb) * nb + p * (nb + q) + 8 * n, liwork = isize + 4 * nb;
  double *work;
  int *iwork = NULL;
  TRY(mem_alloc(&work, (size_t)lwork, sizeof *work, err));
  status st = mem_alloc(&iwork, (size_t)liwork, sizeof *iwork, err);
  if (st == STATUS_OK) {
    pdsyevd_("V", "L", &n, s->local, &one, &one, s->desc, values, z, &one, &one, s->desc, work,
             &lwork, iwork, &liwork, &info, 1, 1);
    st = judge(info, "pdsyevd", err);
  }
  free(work);
  free(iwork);
  return st;
}

static status run_singular(const struct spread *s, double *values, struct error *err) {
  const int one = 1, ask = -1;
  int info = 0;
  double size = 0, none = 0;
  pdgesvd_("N", "N", &s->rows, &s->cols, s->local, &one, &one, s->desc, values, &none, &one, &one,
           s->desc, &none, &one, &one, s->desc, &size, &ask, &info, 1, 1);
  TRY(judge(info, "pdgesvd's workspace query", err));
  int lwork = (int)size + 1;
  double *work;
  TRY(mem_alloc(&work, (size_t)lwork, sizeof *work, err));
  pdgesvd_("N", "N", &s->rows, &s->cols, s->local, &one, &one, s->desc, values, &none, &one, &one,
           s->desc, &none, &one, &one, s->desc, work, &lwork, &info, 1, 1);
  free(work);
  return judge(info, "pdgesvd", err);
}

/* One BLAS thread inside: how a product is cut among threads would show in its bits. */
static status symmetric_shared(double *a, int n, double *values, const struct group *group,
                               struct error *err) {
  struct spread s;
  double *z = NULL;
  size_t width = (size_t)n;
  int threads = omp_get_max_threads();
  status st = spread_open(&s, a, n, n, group, err);
  if (st == STATUS_OK) {
    size_t count = (size_t)s.local_rows * (size_t)s.local_cols + 1;
    st = group_agree(group, mem_alloc(&z, count, sizeof *z, err), err);
  }
  if (st == STATUS_OK && s.grid.comm != MPI_COMM_NULL) {
    omp_set_num_threads(1);
    st = run_symmetric(&s, z, values, err);
    omp_set_num_threads(threads);
  }
  st = group_agree(group, st, err);
  if (st == STATUS_OK) { /* eigenvectors are columns of Z, and rows here */
    memset(a, 0, width * width * sizeof *a);
    free(s.local);
    s.local = z;
    z = NULL;
    copy(&s, a, false);
    st = group_sum_double(group, a, width * width, err);
    for (size_t i = 0; i < width; i++) {
      for (size_t j = 0; j < i; j++) {
        double t = a[i * width + j];
        a[i * width + j] = a[j * width + i];
        a[j * width + i] = t;
      }
    }
  }
  if (st == STATUS_OK) { /* the ranks' own differ in last bits for small orders */
    st = group_broadcast(group, 0, values, width * sizeof *values, err);
  }
  free(z);
  spread_close(&s);
  return st;
}

static status singular_shared(double *a, int rows, int cols, double *values,
                              const struct group *group, struct error *err) {
  struct spread s;
  int threads = omp_get_max_threads();
  status st = spread_open(&s, a, rows, cols, group, err);
  if (st == STATUS_OK && s.grid.comm != MPI_COMM_NULL) {
    omp_set_num_threads(1);
    st = run_singular(&s, values, err);
    omp_set_num_threads(threads);
  }
  st = group_agree(group, st, err);
  spread_close(&s);
  TRY(st);
  return group_broadcast(group, 0, values, (size_t)(rows < cols ? rows : cols) * sizeof *values,
                         err);
}

/* Row-major and symmetric: column-major is the same, and its eigenvectors' columns are rows. */
static status symmetric_alone(double *a, int n, double *values, struct error *err) {
  return judge(LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', n, a, n, values), "dsyevd", err);
}

/* A column-major reading is the transpose, with the same singular values. */
static status singular_alone(double *a, int rows, int cols, double *values, struct error *err) {
  double none = 0;
  return judge(
      LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', cols, rows, a, cols, values, &none, 1, &none, 1),
      "dgesdd", err);
}

static status refuse(const char *what, int n, struct error *err) {
  return err_set(err, STATUS_NUMERIC, "%s of order %d is not finite", what, n);
}

#ifndef NDEBUG
/* max |A·z − w·z| over all vectors, which a wrong answer of pdsyevd shows alone. */
static double residual(const double *a, const double *z, const double *w, size_t n) {
  double worst = 0;
  for (size_t k = 0; k < n; k++) {
    for (size_t i = 0; i < n; i++) {
      double sum = -w[k] * z[k * n + i];
      for (size_t j = 0; j < n; j++) {
        sum += a[i * n + j] * z[k * n + j];
      }
      worst = fmax(worst, fabs(sum));
    }
  }
  return worst;
}
#endif

static status find_symmetric(double *a, int n, double *values, enum factor_where where,
                             const struct group *group, struct error *err) {
  bool shared = factor_is_shared(where, n, group) && group->comm != MPI_COMM_NULL;
  return shared ? symmetric_shared(a, n, values, group, err) : symmetric_alone(a, n, values, err);
}

status spectral_symmetric(double *a, int n, double *values, enum factor_where where,
                          const struct group *group, struct error *err) {
  size_t count = (size_t)n * (size_t)n;
  if (!all_finite(a, count)) {
    return refuse("a symmetric matrix", n, err);
  }
#ifndef NDEBUG
  double *before = NULL;
  TRY(group_agree(group, mem_alloc(&before, count, sizeof *before, err), err));
  memcpy(before, a, count * sizeof *a);
#endif
  status st = find_symmetric(a, n, values, where, group, err);
#ifndef NDEBUG
  double most = st == STATUS_OK ? fmax(fabs(values[0]), fabs(values[n - 1])) : 0;
  double off = st == STATUS_OK ? residual(before, a, values, (size_t)n) : 0;
  free(before);
  if (!(off <= 1e-12 * n * most)) {
    return err_set(err, STATUS_BUG, "eigenvectors of order %d are off by %g", n, off);
  }
#endif
  TRY(st);
  return all_finite(a, count) && all_finite(values, (size_t)n)
             ? STATUS_OK
             : refuse("the eigenvectors of a matrix", n, err);
}

status spectral_singular(double *a, int rows, int cols, double *values, enum factor_where where,
                         const struct group *group, struct error *err) {
  int least = rows < cols ? rows : cols;
  if (!all_finite(a, (size_t)rows * (size_t)cols)) {
    return refuse("a matrix", least, err);
  }
  bool shared = factor_is_shared(where, least, group) && group->comm != MPI_COMM_NULL;
  TRY(shared ? singular_shared(a, rows, cols, values, group, err)
             : singular_alone(a, rows, cols, values, err));
  return all_finite(values, (size_t)least) ? STATUS_OK
                                           : refuse("the singular values of a matrix", least, err);
}
