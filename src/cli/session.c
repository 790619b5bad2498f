#include "cli/session.h"

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "linalg/matmul.h"
#include "sched/host.h"

static bool launched(void) {
  static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK",
                                          "PMI_SIZE"};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    if (getenv(variables[i])) {
      return true;
    }
  }
  return false;
}

static bool mpi_lives(void) {
  int started = 0, ended = 0;
  (void)MPI_Initialized(&started);
  (void)MPI_Finalized(&ended);
  return started && !ended;
}

status session_open(struct session *out, bool force, int threads, struct error *err) {
  struct session s = {.group = group_single()};
  if (force || launched()) {
    int level;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) {
      return err_set(err, STATUS_MPI, "MPI could not be started");
    }
    TRY(group_from(&s.group, MPI_COMM_WORLD, err));
  }
  struct host_share share;
  TRY(host_share(&share, &s.group, err));
  s.threads = threads > 0 ? threads : share.threads;
  s.memory = share.memory;
  linalg_set_threads(s.threads);
  *out = s;
  return STATUS_OK;
}

int session_rank(void) {
  int rank = 0;
  if (mpi_lives()) {
    (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    return rank;
  }
  static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    const char *set = getenv(variables[i]);
    if (set) {
      return (int)strtol(set, NULL, 10);
    }
  }
  return 0;
}

void session_end(void) {
  if (mpi_lives()) {
    (void)MPI_Finalize();
  }
}

void session_abandon(int exit_status) {
  (void)fflush(NULL);
  if (mpi_lives() && session_rank() == 0) {
    (void)MPI_Abort(MPI_COMM_WORLD, exit_status);
  }
  _exit(exit_status);
}

status session_describe(const struct session *s, char **out, struct error *err) {
  if (s->group.comm == MPI_COMM_NULL) {
    return str_format(out, err, "none");
  }
  char version[MPI_MAX_LIBRARY_VERSION_STRING + 1] = "";
  int length = 0;
  (void)MPI_Get_library_version(version, &length);
  return str_format(out, err, "%.*s, %d ranks", (int)strcspn(version, ","), version, s->group.size);
}
