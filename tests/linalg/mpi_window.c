#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "linalg/window.h"
#include "mpi_support.h"

enum { COUNT = 100003 };

static struct group group;
static int failures;

static void expect(bool good, const char *what) {
  if (!good) {
    (void)fprintf(stderr, "rank %d of %d: %s\n", group.rank, group.size, what);
    failures++;
  }
}

static bool holds(const int32_t *values, int32_t times) {
  for (int32_t i = 0; i < COUNT; i++) {
    if (values[i] != times * i) {
      return false;
    }
  }
  return true;
}

/* Each rank writes its share, again and again; all see the whole. All ranks run on one machine
 * here.
 */
static void what_each_writes_all_see(void) {
  struct window w;
  int sharers;
  expect(window_sharers(&group, &sharers, NULL) == STATUS_OK && sharers == group.size, "sharers");
  expect(window_open(&w, &group, COUNT * sizeof(int32_t), "numbers", NULL) == STATUS_OK, "open");
  expect(w.rank == group.rank && w.size == group.size, "places");
  int32_t *values = w.at;
  expect(holds(values, 0), "zero at first");
  for (int32_t times = 1; times <= 20; times++) {
    size_t first, end;
    expect(window_meet(&w, STATUS_OK, NULL) == STATUS_OK, "meet before");
    window_share(&w, COUNT, &first, &end);
    for (size_t i = first; i < end; i++) {
      values[i] = times * (int32_t)i;
    }
    expect(window_meet(&w, STATUS_OK, NULL) == STATUS_OK, "meet after");
    expect(holds(values, times), "the others' shares");
  }
  window_close(&w);
  expect(!w.at, "closed");
}

static void shares_cover_all_once(void) {
  struct window w = {.size = 1};
  for (w.size = 1; w.size <= 7; w.size++) {
    for (size_t count = 0; count < 20; count++) {
      size_t at = 0, first, end;
      for (w.rank = 0; w.rank < w.size; w.rank++) {
        window_share(&w, count, &first, &end);
        expect(first == at && end >= first, "a share begins where the last one ends");
        at = end;
      }
      expect(at == count, "shares cover all");
    }
  }
}

static void a_failure_is_everyones(void) {
  struct window w;
  struct error err = {0};
  expect(window_open(&w, &group, 64, "numbers", &err) == STATUS_OK, "open");
  bool last = group.rank == group.size - 1;
  status mine = last ? err_set(&err, STATUS_NUMERIC, "the last one's") : STATUS_OK;
  expect(window_meet(&w, mine, &err) == STATUS_NUMERIC, "status");
  expect(strcmp(err.text, "the last one's") == 0, "text");
  window_close(&w);
}

/* A rank gives its part back while others still read. */
static void ranks_leave_alone(void) {
  struct window w;
  expect(window_open(&w, &group, COUNT * sizeof(int32_t), "numbers", NULL) == STATUS_OK, "open");
  if (w.rank == 0) {
    for (int32_t i = 0; i < COUNT; i++) {
      ((int32_t *)w.at)[i] = i;
    }
  }
  expect(window_meet(&w, STATUS_OK, NULL) == STATUS_OK, "meet");
  if (group.rank == 0) {
    window_close(&w);
  }
  int64_t nothing = 0;
  expect(group_sum_int64(&group, &nothing, 1, NULL) == STATUS_OK, "sum");
  expect(group.rank == 0 || holds(w.at, 1), "what is left behind");
  window_close(&w);
}

static void too_much_is_refused(void) {
  struct window w;
  struct error err = {0};
  status st = window_open(&w, &group, (size_t)1 << 60, "numbers", &err);
  expect(st == STATUS_MEMORY, "an exbibyte");
  expect(strstr(err.text, "numbers") != NULL, "what for");
}

/* Descriptors are not kept. */
static int next_descriptor(void) {
  int fd = dup(STDOUT_FILENO);
  (void)close(fd);
  return fd;
}

int main(int argc, char **argv) {
  mpi_start(&argc, &argv);
  if (group_from(&group, MPI_COMM_WORLD, NULL) != STATUS_OK) {
    return mpi_finish(1);
  }
  int before = next_descriptor();
  what_each_writes_all_see();
  shares_cover_all_once();
  a_failure_is_everyones();
  ranks_leave_alone();
  too_much_is_refused();
  expect(next_descriptor() == before, "a descriptor is left open");
  int64_t all = failures;
  return mpi_finish(group_sum_int64(&group, &all, 1, NULL) != STATUS_OK || all > 0);
}
