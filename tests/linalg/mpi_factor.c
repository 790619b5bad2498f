/* ScaLAPACK over the group against LAPACK on one rank, odd orders and tiny ones included. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "linalg/factor.h"
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

static void scalapack_agrees_with_lapack(int n) {
  size_t count = (size_t)n * (size_t)n;
  float *h = spd_make(n, 17 + (uint64_t)n), *local = malloc(count * sizeof *h),
        *shared = malloc(count * sizeof *h), *sum = malloc(count * sizeof *h);
  double used = 0, apart = 0, largest = 0, differ = 0;
  memcpy(local, h, count * sizeof *h);
  memcpy(shared, h, count * sizeof *h);
  expect(factor_inverse_upper(local, n, 0.01, FACTOR_LOCAL, &group, &used, NULL) == STATUS_OK,
         "LAPACK", n, used);
  expect(factor_inverse_upper(shared, n, 0.01, FACTOR_SCALAPACK, &group, &used, NULL) == STATUS_OK,
         "ScaLAPACK", n, used);
  expect(used == 0.01, "damping", n, used);
  for (size_t i = 0; i < count; i++) {
    apart = fmax(apart, fabs((double)local[i] - (double)shared[i]));
    largest = fmax(largest, fabs((double)local[i]));
  }
  expect(apart <= 1.2e-7 * largest, "U differs from LAPACK's", n, apart / largest);
  memcpy(sum, shared, count * sizeof *sum);
  expect(group_broadcast(&group, 0, sum, count * sizeof *sum, NULL) == STATUS_OK, "broadcast", n,
         0);
  differ = memcmp(sum, shared, count * sizeof *sum) != 0;
  expect(differ == 0, "U is not the same on every rank", n, differ);
  free(h);
  free(local);
  free(shared);
  free(sum);
}

static void indefinite_is_damped_alike(void) {
  float h[20 * 20] = {0};
  for (int i = 0; i < 20; i++) {
    h[i * 20 + i] = 1;
  }
  h[1] = h[20] = 1.5F;
  double used = 0;
  expect(factor_inverse_upper(h, 20, 0.01, FACTOR_SCALAPACK, &group, &used, NULL) == STATUS_OK,
         "indefinite", 20, used);
  expect(fabs(used - 1) < 1e-12, "damping of an indefinite matrix", 20, used);
}

static void hopeless_and_nan_fail_on_every_rank(void) {
  float zero[9] = {0}, nan[] = {1, 0, 0, NAN};
  double used = 0;
  status st = factor_inverse_upper(zero, 3, 0.01, FACTOR_SCALAPACK, &group, &used, NULL);
  expect(st == STATUS_NUMERIC, "zero matrix", 3, st);
  st = factor_inverse_upper(nan, 2, 0.01, FACTOR_SCALAPACK, &group, &used, NULL);
  expect(st == STATUS_NUMERIC, "NaN", 2, st);
}

int main(int argc, char **argv) {
  mpi_start(&argc, &argv);
  if (group_from(&group, MPI_COMM_WORLD, NULL) != STATUS_OK) {
    return 1;
  }
  const int orders[] = {1, 2, 3, 5, 17, 31, 33, 64, 97, 128, 257, 520};
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    scalapack_agrees_with_lapack(orders[i]);
  }
  indefinite_is_damped_alike();
  hopeless_and_nan_fail_on_every_rank();
  for (int i = 0; i < 200; i++) { /* grids and communicators are given back */
    scalapack_agrees_with_lapack(3 + i % 40);
  }
  return mpi_finish(failures != 0);
}
