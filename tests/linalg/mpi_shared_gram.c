/* A Gram matrix in blocks over a group, and its factor, against one rank's whole ones. */
#include <stdio.h>
#include <string.h>

#include "linalg/factor.h"
#include "linalg/matmul.h"
#include "linalg/shared_gram.h"
#include "mpi_support.h"
#include "spd.h"

static struct group group;
static int failures;

static void expect(bool good, const char *what, int n, double value) {
  if (!good) {
    (void)fprintf(stderr, "rank %d of %d, order %d: %s (%g)\n", group.rank, group.size, n, what,
                  value);
    failures++;
  }
}

static float *make(size_t count, uint64_t seed) {
  float *x = malloc(count * sizeof *x);
  for (size_t i = 0; i < count; i++) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    x[i] = (float)((double)(seed >> 11) / 9007199254740992.0 - 0.5);
  }
  return x;
}

/* h [n][n]: the Hessian of the Gram matrix, as SparseGPT has it. */
static void whole(const float *x, int tokens, int n, float scale, float *gram, float *h) {
  memset(gram, 0, (size_t)n * (size_t)n * sizeof *gram);
  expect(gram_add(gram, x, tokens, n, NULL) == STATUS_OK, "gram_add", n, 0);
  for (int i = 0; i < n * n; i++) {
    h[i] = gram[i] * scale;
  }
  for (int i = 0; i < n; i++) {
    h[i * (n + 1)] = gram[i * (n + 1)] == 0 ? 1 : h[i * (n + 1)];
  }
}

static void compare_rows(const struct shared_gram *g, const float *u) {
  int n = g->n, step = n / 3 + 1;
  double apart = 0, largest = 0;
  float *rows = malloc((size_t)step * (size_t)n * sizeof *rows);
  for (int first = 0; first < n; first += step) {
    int count = n - first < step ? n - first : step;
    expect(shared_gram_rows(g, first, count, rows, NULL) == STATUS_OK, "rows", n, first);
    for (int i = 0; i < count; i++) {
      for (int j = first + i; j < n; j++) {
        double want = (double)u[(size_t)(first + i) * (size_t)n + (size_t)j];
        apart = fmax(apart, fabs(want - (double)rows[i * n + j]));
        largest = fmax(largest, fabs(want));
      }
    }
  }
  expect(apart <= 1e-5 * largest, "U differs from one rank's", n, apart / largest);
  free(rows);
}

static void compare_energy(const struct shared_gram *g, const float *gram) {
  int n = g->n, rows = 3;
  float *w = make((size_t)rows * (size_t)n, 7);
  double want = 0, got = 0;
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        want += (double)w[r * n + i] * (double)gram[i * n + j] * (double)w[r * n + j];
      }
    }
  }
  expect(shared_gram_energy(g, w, rows, &got, NULL) == STATUS_OK, "energy", n, 0);
  expect(fabs(got - want) <= 1e-5 * want, "energy differs", n, got / want);
  free(w);
}

static void agrees_with_one_rank(int n) {
  size_t count = (size_t)n * (size_t)n;
  int tokens = 2 * n + 9, used = tokens / 2;
  float *x = make((size_t)tokens * (size_t)n, 3 + (uint64_t)n),
        *gram = malloc(count * sizeof *gram), *h = malloc(count * sizeof *h);
  for (int t = 0; t < tokens; t++) {
    x[t * n] = 0; /* a dead input */
  }
  whole(x, tokens, n, 0.25F, gram, h);
  struct shared_gram g;
  expect(shared_gram_open(&g, &group, n, NULL) == STATUS_OK, "open", n, 0);
  for (int round = 0; round < 2; round++) { /* what went before is forgotten */
    shared_gram_clear(&g);
    expect(shared_gram_add(&g, x, used, NULL) == STATUS_OK, "add", n, 0);
    expect(shared_gram_add(&g, x + (size_t)used * (size_t)n, tokens - used, NULL) == STATUS_OK,
           "add", n, 1);
    expect(shared_gram_finish(&g, NULL) == STATUS_OK, "finish", n, 0);
    double apart = 0, damp = 0, shared_damp = 0;
    for (int j = 0; j < n; j++) {
      apart = fmax(apart, fabs((double)g.diagonal[j] - (double)gram[j * (n + 1)]));
    }
    expect(apart <= 1e-5 * tokens, "diagonal", n, apart);
    float *u = malloc(count * sizeof *u);
    memcpy(u, h, count * sizeof *u);
    expect(factor_inverse_upper(u, n, 0.01, FACTOR_LOCAL, &group, &damp, NULL) == STATUS_OK,
           "one rank's factor", n, damp);
    expect(shared_gram_factor(&g, 0.25F, 0.01, &shared_damp, NULL) == STATUS_OK, "factor", n, 0);
    expect(damp == shared_damp, "damping", n, shared_damp);
    compare_rows(&g, u);
    compare_energy(&g, gram);
    free(u);
  }
  shared_gram_close(&g);
  free(x);
  free(gram);
  free(h);
}

static void refuses_on_every_rank(void) {
  float x[6] = {1, 2, 3, NAN, 5, 6};
  double used;
  struct error err = {0};
  struct shared_gram g;
  expect(shared_gram_open(&g, &group, 6, NULL) == STATUS_OK, "open", 6, 0);
  shared_gram_clear(&g);
  expect(shared_gram_add(&g, x, 1, NULL) == STATUS_OK, "add", 6, 0);
  expect(shared_gram_finish(&g, NULL) == STATUS_OK, "finish", 6, 0);
  status st = shared_gram_factor(&g, 1, 0.01, &used, &err);
  expect(st == STATUS_NUMERIC && strstr(err.text, "not finite"), err.text, 6, st);
  shared_gram_close(&g);
}

int main(int argc, char **argv) {
  mpi_start(&argc, &argv);
  if (group_from(&group, MPI_COMM_WORLD, NULL) != STATUS_OK) {
    return 1;
  }
  const int orders[] = {1, 2, 5, 17, 33, 97, 257, 520, 700};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    agrees_with_one_rank(orders[i]);
  }
  refuses_on_every_rank();
  return mpi_finish(failures != 0);
}
