#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/group.h"
#include "mpi_support.h"

static struct group group;
static int failures;

static void expect(bool good, const char *what) {
  if (!good) {
    (void)fprintf(stderr, "rank %d of %d: %s\n", group.rank, group.size, what);
    failures++;
  }
}

static void sums_reach_every_rank(void) {
  float f[3] = {1, 2, (float)group.rank};
  double d[2] = {0.5, (double)group.rank};
  int64_t i[2] = {1, INT64_C(1) << 40};
  int n = group.size, triangle = n * (n - 1) / 2;
  expect(group_sum_float(&group, f, 3, NULL) == STATUS_OK, "sum of floats");
  expect(group_sum_double(&group, d, 2, NULL) == STATUS_OK, "sum of doubles");
  expect(group_sum_int64(&group, i, 2, NULL) == STATUS_OK, "sum of integers");
  expect(f[0] == (float)n && f[1] == (float)(2 * n) && f[2] == (float)triangle, "floats");
  expect(d[0] == 0.5 * n && d[1] == triangle, "doubles");
  expect(i[0] == n && i[1] == n * (INT64_C(1) << 40), "integers");
  expect(group_sum_float(&group, NULL, 0, NULL) == STATUS_OK, "sum of nothing");
}

/* More bytes than one call carries. */
static void large_broadcasts_go_in_pieces(void) {
  size_t count = ((size_t)1 << 27) + 12345;
  unsigned char *bytes = calloc(count, 1);
  int root = group.size - 1;
  if (group.rank == root) {
    for (size_t i = 0; i < count; i += 4099) {
      bytes[i] = (unsigned char)(i % 251);
    }
    bytes[count - 1] = 77;
  }
  expect(group_broadcast(&group, root, bytes, count, NULL) == STATUS_OK, "broadcast");
  bool good = bytes[count - 1] == 77;
  for (size_t i = 0; i < count - 1; i += 4099) {
    good = good && bytes[i] == (unsigned char)(i % 251);
  }
  expect(good, "broadcast bytes");
  free(bytes);
}

static void ranks_agree_on_the_lowest_failure(void) {
  struct error err = {0};
  expect(group_agree(&group, STATUS_OK, &err) == STATUS_OK, "agreement on success");
  int first = group.size / 2; /* this rank and those behind it fail */
  status mine = STATUS_OK;
  if (group.rank >= first) {
    mine = err_set(&err, group.rank == first ? STATUS_NUMERIC : STATUS_MEMORY, "rank %d failed",
                   group.rank);
  }
  status st = group_agree(&group, mine, &err);
  char want[64];
  (void)snprintf(want, sizeof want, "rank %d failed", first);
  if (group.rank > first) {
    /* A failing rank also learns of the first one's failure. */
    expect(st == STATUS_NUMERIC, "status of a later failure");
  }
  expect(st == STATUS_NUMERIC, "agreed status");
  expect(strcmp(err.text, want) == 0, err.text);
  expect(group_agree(&group, group.rank == 0 ? STATUS_TIME : STATUS_OK, NULL) == STATUS_TIME,
         "agreement without an error");
}

static void mpi_errors_are_returned(void) {
  struct error err = {0};
  struct group wrong = group;
  char byte = 0;
  if (group.size > 1) {
    expect(group_broadcast(&wrong, group.size, &byte, 1, &err) == STATUS_MPI, "invalid root");
    expect(strstr(err.text, "MPI_Bcast") != NULL, err.text);
  }
}

static void one_process_needs_no_communicator(void) {
  struct group one = group_single();
  float value = 3;
  expect(one.size == 1 && one.rank == 0 && one.comm == MPI_COMM_NULL, "single group");
  expect(group_sum_float(&one, &value, 1, NULL) == STATUS_OK && value == 3, "single sum");
  expect(group_broadcast(&one, 0, &value, sizeof value, NULL) == STATUS_OK, "single broadcast");
  expect(group_agree(&one, STATUS_TIME, NULL) == STATUS_TIME, "single agreement");
}

int main(int argc, char **argv) {
  one_process_needs_no_communicator(); /* before MPI starts */
  mpi_start(&argc, &argv);
  if (group_from(&group, MPI_COMM_WORLD, NULL) != STATUS_OK) {
    return 1;
  }
  sums_reach_every_rank();
  large_broadcasts_go_in_pieces();
  ranks_agree_on_the_lowest_failure();
  mpi_errors_are_returned();
  return mpi_finish(failures != 0);
}
