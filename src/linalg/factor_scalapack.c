#include "linalg/factor_scalapack.h"

#include <omp.h>
#include <stddef.h>

#include "linalg/shared_parts.h"

/* Debian's ScaLAPACK comes without headers. Fortran integers are 32 bits in this build. */
int Csys2blacs_handle(MPI_Comm comm);
void Cfree_blacs_system_handle(int handle);
void Cblacs_gridinit(int *context, const char *order, int rows, int cols);
void Cblacs_gridinfo(int context, int *rows, int *cols, int *row, int *col);
void Cblacs_gridexit(int context);
void Cblacs_set(int context, int what, int *value);
int numroc_(const int *n, const int *block, const int *coordinate, const int *source,
            const int *count);
void descinit_(int *desc, const int *m, const int *n, const int *mb, const int *nb,
               const int *row_source, const int *col_source, const int *context, const int *lld,
               int *info);
void pdpotrf_(const char *uplo, const int *n, double *a, const int *ia, const int *ja,
              const int *desc, int *info, size_t uplo_length);
void pdtrtri_(const char *uplo, const char *diag, const int *n, double *a, const int *ia,
              const int *ja, const int *desc, int *info, size_t uplo_length, size_t diag_length);

enum {
  BLOCK_MOST = SHARED_BLOCK,
  BLOCKS_PER_RANK = 4, /* in each direction: below that ranks wait more than they work */
  SMALLEST_BLOCK = 4,
  BLACS_TOPS_REPEAT = 15, /* reductions in one order, so that runs repeat bit for bit */
};

static void shape(int ranks, int *rows, int *cols) {
  int r = 1;
  for (int i = 1; i * i <= ranks; i++) {
    r = i;
  }
  *rows = r;
  *cols = ranks / r;
}

status process_grid_open(struct process_grid *out, const struct group *group, int n,
                         struct error *err) {
  struct process_grid g = {.comm = MPI_COMM_NULL, .context = -1};
  int ranks = group->size;
  shape(ranks, &g.rows, &g.cols);
  while (ranks > 1 && n < g.cols * BLOCKS_PER_RANK * SMALLEST_BLOCK) {
    shape(--ranks, &g.rows, &g.cols);
  }
  g.block = n / (g.cols * BLOCKS_PER_RANK);
  g.block = g.block < 1 ? 1 : g.block > BLOCK_MOST ? BLOCK_MOST : g.block;
  bool member = group->rank < g.rows * g.cols;
  /* A handle of the sub-communicator: the grid then concerns its members alone, whereas a grid made
   * from the default context would be collective over MPI_COMM_WORLD. */
  if (MPI_Comm_split(group->comm, member ? 0 : MPI_UNDEFINED, group->rank, &g.comm) !=
      MPI_SUCCESS) {
    return err_set(err, STATUS_MPI, "MPI_Comm_split failed for a process grid");
  }
  if (member) {
    g.handle = Csys2blacs_handle(g.comm);
    g.context = g.handle;
    Cblacs_gridinit(&g.context, "Row", g.rows, g.cols);
    Cblacs_gridinfo(g.context, &g.rows, &g.cols, &g.row, &g.col);
    int on = 1;
    Cblacs_set(g.context, BLACS_TOPS_REPEAT, &on);
  }
  *out = g;
  return STATUS_OK;
}

void process_grid_close(struct process_grid *g) {
  if (g->comm != MPI_COMM_NULL) {
    Cblacs_gridexit(g->context);
    Cfree_blacs_system_handle(g->handle);
    (void)MPI_Comm_free(&g->comm);
  }
}

static int local_count(const struct process_grid *g, int n, int coordinate, int count) {
  const int source = 0;
  return g->comm == MPI_COMM_NULL ? 0 : numroc_(&n, &g->block, &coordinate, &source, &count);
}

int process_grid_local_rows(const struct process_grid *g, int n) {
  return local_count(g, n, g->row, g->rows);
}

int process_grid_local_cols(const struct process_grid *g, int n) {
  return local_count(g, n, g->col, g->cols);
}

/* Global index of local index i. */
static size_t global_index(const struct process_grid *g, int i, int coordinate, int count) {
  return (size_t)(i / g->block * count + coordinate) * (size_t)g->block + (size_t)(i % g->block);
}

/* Reversal of both orders is reversal of the whole array, J·A·J [i][j] = A [n² − 1 − (i·n + j)]. */
static void deal_out(const struct process_grid *g, const float *h, size_t n, double damp,
                     double *local) {
  size_t rows = (size_t)process_grid_local_rows(g, (int)n);
  size_t cols = (size_t)process_grid_local_cols(g, (int)n);
#pragma omp parallel for schedule(static)
  for (size_t c = 0; c < cols; c++) {
    size_t j = global_index(g, (int)c, g->col, g->cols);
    for (size_t r = 0; r < rows; r++) {
      size_t i = global_index(g, (int)r, g->row, g->rows);
      /* Read from row j, whose elements are near each other: h is symmetric. */
      local[c * rows + r] = (double)h[n * n - 1 - (j * n + i)] + (i == j ? damp : 0);
    }
  }
}

static void gather(const struct process_grid *g, const double *local, size_t n, float *u) {
  size_t rows = (size_t)process_grid_local_rows(g, (int)n);
  size_t cols = (size_t)process_grid_local_cols(g, (int)n);
  for (size_t c = 0; c < cols; c++) {
    size_t j = global_index(g, (int)c, g->col, g->cols);
    for (size_t r = 0; r < rows; r++) {
      size_t i = global_index(g, (int)r, g->row, g->rows);
      if (i >= j) {
        u[n * n - 1 - (i * n + j)] = (float)local[c * rows + r];
      }
    }
  }
}

static status run(const struct process_grid *g, int n, double *local, bool *positive,
                  struct error *err) {
  const int one = 1, zero = 0;
  int rows = process_grid_local_rows(g, n);
  int lld = rows > 1 ? rows : 1, desc[9], info;
  descinit_(desc, &n, &n, &g->block, &g->block, &zero, &zero, &g->context, &lld, &info);
  if (info != 0) {
    return err_set(err, STATUS_BUG, "descinit refused argument %d", -info);
  }
  pdpotrf_("L", &n, local, &one, &one, desc, &info, 1);
  if (info == 0) {
    pdtrtri_("L", "N", &n, local, &one, &one, desc, &info, 1, 1);
  }
  if (info < 0) {
    return err_set(err, STATUS_BUG, "ScaLAPACK refused argument %d", -info);
  }
  *positive = info == 0;
  return STATUS_OK;
}

status process_grid_run(const struct process_grid *g, int n, double *local, bool *positive,
                        struct error *err) {
  /* One BLAS thread inside: how a product is cut among threads would show in its bits. */
  int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  status st = run(g, n, local, positive, err);
  omp_set_num_threads(threads);
  return st;
}

status process_grid_factor(const struct process_grid *g, const float *h, int n, double damp,
                           double *local, float *u, bool *positive, struct error *err) {
  deal_out(g, h, (size_t)n, damp, local);
  TRY(process_grid_run(g, n, local, positive, err));
  if (*positive) {
    gather(g, local, (size_t)n, u);
  }
  return STATUS_OK;
}
