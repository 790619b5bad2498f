#include <lapacke.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "cli/bench_factor.h"
#include "linalg/factor.h"
#include "linalg/matmul.h"
#include "linalg/shared_gram.h"
#include "model/synthetic.h"
#include "sched/host.h"
#include "sched/transport.h"

enum {
  TOKENS = 2048,
  PANEL = 512, /* tokens made at a time */
  ROWS = 64,   /* of the factor that are looked at together */
  LOOKS = 4,   /* vectors of signs */
  LINE = 128
};
static const double DAMP = 0.01, NAP = 1e-3;

/* What one rank holds of one matrix and its factor. */
struct job {
  const struct group *group;
  int n;
  double add;                /* the damping */
  float *h;                  /* [n][n]: the Gram matrix, then U */
  struct shared_gram shared; /* instead of h */
};

/* Waits for all ranks without a core: others may be at work meanwhile. */
static status meet(const struct group *g, struct error *err) {
  MPI_Request request;
  if (g->size == 1) {
    return STATUS_OK;
  }
  if (MPI_Ibarrier(g->comm, &request) != MPI_SUCCESS) {
    return err_set(err, STATUS_MPI, "MPI_Ibarrier failed");
  }
  for (int done = 0; !done;) {
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
      return err_set(err, STATUS_MPI, "MPI_Test failed");
    }
    if (!done) {
      transport_nap(NAP);
    }
  }
  return STATUS_OK;
}

/* Bytes of a line of /proc/self/status; NaN when it is not there. */
static double resident(const char *field) {
  char line[LINE];
  double kib = NAN;
  FILE *f = fopen("/proc/self/status", "re");
  while (f && fgets(line, sizeof line, f)) {
    if (strncmp(line, field, strlen(field)) == 0) {
      kib = strtod(line + strlen(field), NULL);
    }
  }
  if (f) {
    (void)fclose(f);
  }
  return 1024 * kib;
}

/* Begins a new peak; returns the bytes from which it rises, NaN when the system cannot. */
static double begin_peak(void) {
  (void)malloc_trim(0);
  FILE *f = fopen("/proc/self/clear_refs", "we");
  if (!f) {
    return NAN;
  }
  bool written = fputs("5", f) >= 0;
  return fclose(f) == 0 && written ? resident("VmRSS:") : NAN;
}

/* Bytes since then; the kernel counts pages in batches, so little may be nothing. */
static double end_peak(double from) {
  double rise = resident("VmHWM:") - from;
  return rise < 0 ? 0 : rise;
}

static status add_tokens(struct job *j, bool shared, struct error *err) {
  float *x = NULL;
  size_t n = (size_t)j->n;
  struct rng rng;
  rng_seed(&rng, 0);
  status st = mem_alloc_raw(&x, PANEL * n, sizeof *x, err);
  st = shared ? group_agree(j->group, st, err) : st;
  for (int t = 0; st == STATUS_OK && t < j->n; t += PANEL) {
    int count = j->n - t < PANEL ? j->n - t : PANEL;
    synthetic_fill(&rng, 1, x, (size_t)count * n);
    st = shared ? shared_gram_add(&j->shared, x, count, err) : gram_add(j->h, x, count, j->n, err);
  }
  free(x);
  return shared ? group_agree(j->group, st, err) : st;
}

static status make_gram(struct job *j, struct error *err) {
  TRY(mem_alloc(&j->h, (size_t)j->n * (size_t)j->n, sizeof *j->h, err));
  TRY(add_tokens(j, false, err));
  double sum = 0;
  for (size_t i = 0, n = (size_t)j->n; i < n; i++) {
    sum += (double)j->h[i * n + i];
  }
  j->add = DAMP * sum / j->n;
  return STATUS_OK;
}

/* From a, column-major with the inverse of the reversed matrix's factor below its diagonal. */
static void turn_back(const struct job *j, const double *a) {
  size_t n = (size_t)j->n;
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n; i++) {
    for (size_t k = 0; k < n; k++) {
      j->h[i * n + k] = k < i ? 0 : (float)a[(n - 1 - k) * n + (n - 1 - i)];
    }
  }
}

static status by_lapack(const struct job *j, struct factor_sample *out, struct error *err) {
  double *a, start = host_seconds();
  size_t n = (size_t)j->n;
  TRY(mem_alloc_raw(&a, n * n, sizeof *a, err));
#pragma omp parallel for schedule(static)
  for (size_t k = 0; k < n; k++) {
    for (size_t i = 0; i < n; i++) {
      a[k * n + i] = (double)j->h[(n - 1 - i) * n + (n - 1 - k)] + (i == k ? j->add : 0);
    }
  }
  int info = LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', j->n, a, j->n);
  info = info == 0 ? LAPACKE_dtrtri_work(LAPACK_COL_MAJOR, 'L', 'N', j->n, a, j->n) : info;
  turn_back(j, a);
  free(a);
  out->seconds = host_seconds() - start;
  return info == 0 ? STATUS_OK : err_set(err, STATUS_NUMERIC, "LAPACK returned %d", info);
}

static status by_tiles(const struct job *j, struct factor_sample *out, struct error *err) {
  struct group one = group_single();
  double used, start = host_seconds();
  TRY(factor_inverse_upper(j->h, j->n, DAMP, FACTOR_LOCAL, &one, &used, err));
  out->seconds = host_seconds() - start;
  return STATUS_OK;
}

/* y [LOOKS][n] += Uᵀ·z from rows first .. of U, for the same z [n] of signs every time. */
static void add_rows(const float *u, int first, int count, int n, struct rng *rng, float *y) {
  for (int i = 0; i < count; i++) {
    uint64_t signs = rng_below(rng, 1U << LOOKS);
    const float *row = u + (size_t)i * (size_t)n;
    for (int k = 0; k < LOOKS; k++) {
      float sign = signs >> k & 1 ? 1 : -1;
      float *to = y + (size_t)k * (size_t)n;
      for (int c = first + i; c < n; c++) {
        to[c] += sign * row[c];
      }
    }
  }
}

static double square(const float *y, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += (double)y[i] * (double)y[i];
  }
  return sum;
}

static double energy(const float *h, const float *y, int n) {
  double sum = 0;
#pragma omp parallel for schedule(static) reduction(+ : sum)
  for (int i = 0; i < n; i++) {
    const float *row = h + (size_t)i * (size_t)n;
    double dot = 0;
    for (int c = 0; c < n; c++) {
      dot += (double)row[c] * (double)y[c];
    }
    sum += dot * (double)y[i];
  }
  return sum;
}

static void worst(const struct job *j, double got, const float *y, struct factor_sample *out) {
  double off = fabs((got + j->add * square(y, j->n)) / j->n - 1);
  out->residual = isnan(out->residual) || off > out->residual ? off : out->residual;
}

/* The Gram matrix is made again: the factor took its place. */
static status look_alone(struct job *j, struct factor_sample *out, struct error *err) {
  size_t n = (size_t)j->n;
  float *y;
  struct rng rng;
  rng_seed(&rng, 1);
  TRY(mem_alloc(&y, LOOKS * n, sizeof *y, err));
  add_rows(j->h, 0, j->n, j->n, &rng, y);
  free(j->h);
  j->h = NULL;
  status st = make_gram(j, err);
  for (int k = 0; st == STATUS_OK && k < LOOKS; k++) {
    worst(j, energy(j->h, y + (size_t)k * n, j->n), y + (size_t)k * n, out);
  }
  free(y);
  return st;
}

static status look_shared(const struct job *j, struct factor_sample *out, struct error *err) {
  size_t n = (size_t)j->n;
  float *y = NULL, *rows = NULL;
  struct rng rng;
  rng_seed(&rng, 1);
  status st = mem_alloc(&y, LOOKS * n, sizeof *y, err);
  st = st == STATUS_OK ? mem_alloc(&rows, ROWS * n, sizeof *rows, err) : st;
  st = group_agree(j->group, st, err);
  for (int i = 0; st == STATUS_OK && i < j->n; i += ROWS) {
    int count = j->n - i < ROWS ? j->n - i : ROWS;
    st = shared_gram_rows(&j->shared, i, count, rows, err);
    if (st == STATUS_OK && rows) {
      add_rows(rows, i, count, j->n, &rng, y);
    }
  }
  for (int k = 0; st == STATUS_OK && k < LOOKS; k++) {
    double got;
    st = shared_gram_energy(&j->shared, y + (size_t)k * n, 1, &got, err);
    if (st == STATUS_OK) {
      worst(j, got, y + (size_t)k * n, out);
    }
  }
  free(y);
  free(rows);
  return st;
}

static double mean(const float *values, int n) {
  double sum = 0;
  for (int i = 0; i < n; i++) {
    sum += (double)values[i];
  }
  return sum / n;
}

static status by_grid(struct job *j, bool look, struct factor_sample *out, struct error *err) {
  double used, from = begin_peak();
  TRY(shared_gram_open(&j->shared, j->group, j->n, err));
  shared_gram_clear(&j->shared);
  TRY(add_tokens(j, true, err));
  TRY(shared_gram_finish(&j->shared, err));
  TRY(meet(j->group, err));
  double start = host_seconds();
  TRY(shared_gram_factor(&j->shared, 1, DAMP, &used, err));
  out->seconds = host_seconds() - start;
  out->memory = end_peak(from);
  j->add = used * mean(j->shared.diagonal, j->n);
  return look ? look_shared(j, out, err) : STATUS_OK;
}

static status alone(enum factor_way way, struct job *j, bool look, struct factor_sample *out,
                    struct error *err) {
  double from = begin_peak();
  TRY(make_gram(j, err));
  TRY(way == FACTOR_BY_TILES ? by_tiles(j, out, err) : by_lapack(j, out, err));
  out->memory = end_peak(from);
  return look ? look_alone(j, out, err) : STATUS_OK;
}

/* The most of any rank, on all of them. */
static status most(const struct group *group, double *value, struct error *err) {
  double *all;
  status st = mem_alloc(&all, (size_t)group->size, sizeof *all, err);
  TRY(group_agree(group, st, err));
  st = group_gather(group, value, sizeof *value, all, err);
  for (int r = 0; st == STATUS_OK && r < group->size; r++) {
    *value = all[r] > *value || isnan(all[r]) ? all[r] : *value;
  }
  free(all);
  return st;
}

status bench_factor_once(enum factor_way way, const struct group *group, int n, bool look,
                         struct factor_sample *out, struct error *err) {
  struct job j = {.group = group, .n = n};
  *out = (struct factor_sample){.seconds = NAN, .residual = NAN, .memory = NAN};
  status st = STATUS_OK;
  if (way == FACTOR_BY_GRID) {
    st = by_grid(&j, look, out, err);
    shared_gram_close(&j.shared);
    return st == STATUS_OK ? most(group, &out->memory, err) : st;
  }
  if (group->rank == 0) {
    st = alone(way, &j, look, out, err);
  }
  free(j.h);
  TRY(meet(group, err));
  return group_agree(group, st, err);
}
