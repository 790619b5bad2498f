/* Eigenvectors and singular values over a group: residuals, orthogonality, and LAPACK's values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/spectral.h"
#include "mpi_support.h"

static struct group group;
static int failures;

static void expect(bool good, const char *what, int n, double value) {
  if (!good) {
    (void)fprintf(stderr, "rank %d of %d, order %d: %s (%g)\n", group.rank, group.size, n, what,
                  value);
    failures++;
  }
}

static double *make(int rows, int cols, bool symmetric) {
  uint64_t seed = 11 + (uint64_t)rows;
  double *a = malloc((size_t)rows * (size_t)cols * sizeof *a);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < cols; j++) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      a[i * cols + j] = (double)(seed >> 11) / 9007199254740992.0 - 0.5;
      if (symmetric && j < i) {
        a[i * cols + j] = a[j * cols + i];
      }
    }
  }
  return a;
}

static void check_symmetric(int n) {
  size_t bytes = (size_t)n * (size_t)n * sizeof(double), width = (size_t)n * sizeof(double);
  double *a = make(n, n, true), *z = malloc(bytes), *own = malloc(bytes), *w = malloc(width),
         *want = malloc(width), worst = 0, apart = 0, skew = 0;
  memcpy(z, a, bytes);
  memcpy(own, a, bytes);
  expect(spectral_symmetric(own, n, want, FACTOR_LOCAL, &group, NULL) == STATUS_OK, "LAPACK", n, 0);
  expect(spectral_symmetric(z, n, w, FACTOR_SCALAPACK, &group, NULL) == STATUS_OK, "ScaLAPACK", n,
         0);
  for (int k = 0; k < n; k++) {
    apart = fmax(apart, fabs(w[k] - want[k]));
    double next = 0;
    for (int i = 0; i < n; i++) {
      double sum = -w[k] * z[k * n + i];
      for (int j = 0; j < n; j++) {
        sum += a[i * n + j] * z[k * n + j];
      }
      worst = fmax(worst, fabs(sum));
      next += z[k * n + i] * z[(k + 1) % n * n + i];
    }
    skew = fmax(skew, fabs(next - (n == 1)));
  }
  expect(worst < 1e-12 * n, "A z - w z", n, worst);
  expect(skew < 1e-12 * n, "vectors are not orthogonal", n, skew);
  expect(apart < 1e-12 * n, "other eigenvalues than LAPACK's", n, apart);
  free(a);
  free(z);
  free(own);
  free(w);
  free(want);
}

static void check_singular(int rows, int cols) {
  int least = rows < cols ? rows : cols;
  double *a = make(rows, cols, false), *b = make(rows, cols, false), apart = 0;
  double *got = malloc((size_t)least * sizeof *got), *want = malloc((size_t)least * sizeof *want);
  expect(spectral_singular(a, rows, cols, want, FACTOR_LOCAL, &group, NULL) == STATUS_OK, "LAPACK",
         rows, 0);
  expect(spectral_singular(b, rows, cols, got, FACTOR_SCALAPACK, &group, NULL) == STATUS_OK,
         "ScaLAPACK", rows, 0);
  for (int i = 0; i < least; i++) {
    apart = fmax(apart, fabs(got[i] - want[i]));
  }
  expect(apart < 1e-12 * (rows + cols), "other singular values than LAPACK's", rows, apart);
  free(a);
  free(b);
  free(got);
  free(want);
}

static void nan_is_refused(void) {
  double a[] = {1, 0, 0, NAN}, w[2];
  expect(spectral_symmetric(a, 2, w, FACTOR_SCALAPACK, &group, NULL) == STATUS_NUMERIC, "NaN", 2,
         0);
  expect(spectral_singular(a, 2, 2, w, FACTOR_SCALAPACK, &group, NULL) == STATUS_NUMERIC, "NaN", 2,
         0);
}

int main(int argc, char **argv) {
  mpi_start(&argc, &argv);
  if (group_from(&group, MPI_COMM_WORLD, NULL) != STATUS_OK) {
    return 1;
  }
  const int orders[] = {1, 2, 5, 33, 64, 65, 100, 128, 257};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    check_symmetric(orders[i]);
  }
  check_singular(1, 1);
  check_singular(40, 40);
  check_singular(130, 70);
  check_singular(70, 130);
  nan_is_refused();
  return mpi_finish(failures != 0);
}
