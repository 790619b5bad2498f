#include "sched/host.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

double host_seconds(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Cores that the control group's quota is worth, rounded up; 0 without a quota. */
static int quota_cores(void) {
  FILE *f = fopen("/sys/fs/cgroup/cpu.max", "r");
  if (!f) {
    return 0;
  }
  double quota, period;
  int cores = 0;
  if (fscanf(f, "%lf %lf", &quota, &period) == 2 && period > 0) {
    cores = (int)((quota + period - 1) / period);
  }
  (void)fclose(f);
  return cores;
}

static size_t memory_limit(void) {
  size_t bytes = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGE_SIZE);
  FILE *f = fopen("/sys/fs/cgroup/memory.max", "r");
  size_t limit;
  if (f) {
    if (fscanf(f, "%zu", &limit) == 1 && limit < bytes) {
      bytes = limit;
    }
    (void)fclose(f);
  }
  return bytes;
}

/* Ranks of this node, and how many of them may run on exactly the same cores: mpirun binds each
 * rank to cores of its own, or none to any. */
static status count_sharers(const struct group *group, const cpu_set_t *mine, int *ranks,
                            int *sharers, struct error *err) {
  *ranks = *sharers = 1;
  if (group->size == 1) {
    return STATUS_OK;
  }
  MPI_Comm node;
  cpu_set_t *all = NULL;
  if (MPI_Comm_split_type(group->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node) !=
          MPI_SUCCESS ||
      MPI_Comm_size(node, ranks) != MPI_SUCCESS) {
    return err_set(err, STATUS_MPI, "MPI_Comm_split_type failed");
  }
  status st = mem_alloc(&all, (size_t)*ranks, sizeof *all, err);
  st = group_agree(group, st, err);
  if (st == STATUS_OK && MPI_Allgather(mine, (int)sizeof *mine, MPI_BYTE, all, (int)sizeof *mine,
                                       MPI_BYTE, node) != MPI_SUCCESS) {
    st = err_set(err, STATUS_MPI, "MPI_Allgather failed");
  }
  int same = 0; /* this rank among them */
  for (int i = 0; st == STATUS_OK && i < *ranks; i++) {
    same += CPU_EQUAL(mine, &all[i]) != 0;
  }
  *sharers = same > 1 ? same : 1;
  free(all);
  (void)MPI_Comm_free(&node);
  return st;
}

status host_share(struct host_share *out, const struct group *group, struct error *err) {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) {
    CPU_SET(0, &mine);
  }
  int ranks, sharers;
  TRY(count_sharers(group, &mine, &ranks, &sharers, err));
  int threads = CPU_COUNT(&mine) / sharers, quota = quota_cores();
  if (quota && threads > quota / ranks) {
    threads = quota / ranks;
  }
  out->threads = threads < 1 ? 1 : threads;
  out->ranks = ranks;
  out->memory = memory_limit() / (size_t)ranks;
  return STATUS_OK;
}
