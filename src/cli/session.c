#include "cli/session.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/starting.h"
#include "linalg/matmul.h"
#include "sched/host.h"
#include "sched/watch.h"

void session_calm_threads(char **argv) {
  static const char spins[] = "2000"; /* about ten microseconds */
  char program[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
  if (n <= 0 || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") ||
      setenv("GOMP_SPINCOUNT", spins, 1) != 0) {
    return;
  }
  program[n] = '\0';
  (void)execv(program, argv); /* where that fails, the run is only slower */
}

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

/* MPI, and what the ranks first tell each other. */
static status start_mpi(struct group *group, struct host_share *share, struct error *err) {
  int level;
  if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level) != MPI_SUCCESS) {
    return err_set(err, STATUS_MPI, "MPI could not be started");
  }
  TRY(group_from(group, MPI_COMM_WORLD, err));
  return host_share(share, group, err);
}

static status start(struct group *group, struct host_share *share, struct error *err) {
  struct starting starting;
  if (!launched()) { /* by a shell, which may well go before */
    return start_mpi(group, share, err);
  }
  TRY(starting_open(&starting, err));
  status st = start_mpi(group, share, err);
  starting_close(&starting);
  return st;
}

status session_open(struct session *out, bool force, int threads, struct error *err) {
  struct session s = {.group = group_single()};
  struct host_share share;
  TRY(force || launched() ? start(&s.group, &share, err) : host_share(&share, &s.group, err));
  s.threads = threads > 0 ? threads : share.threads;
  s.memory = share.memory;
  s.node = share.ranks;
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

void session_abandon(int exit_status, bool hung) {
  (void)fflush(NULL);
  if (hung && mpi_lives()) {
    (void)MPI_Abort(MPI_COMM_WORLD, exit_status);
  }
  _exit(exit_status);
}

/* Replaces standard input by an anonymous file that holds bytes [size]. */
static status replace_stdin(const char *bytes, size_t size, struct error *err) {
  int fd = memfd_create("stdin", MFD_CLOEXEC);
  bool good = fd >= 0;
  for (size_t at = 0; good && at < size;) {
    ssize_t n = write(fd, bytes + at, size - at);
    good = n > 0;
    at += n > 0 ? (size_t)n : 0;
  }
  good = good && lseek(fd, 0, SEEK_SET) == 0 && dup2(fd, STDIN_FILENO) >= 0;
  status st = good ? STATUS_OK : err_errno(err, STATUS_IO, "<stdin>");
  if (fd >= 0) {
    (void)close(fd);
  }
  return st;
}

status session_share_stdin(const struct session *s, struct error *err) {
  if (s->group.size == 1) {
    return STATUS_OK;
  }
  char *bytes = NULL;
  size_t size = 0;
  status st = s->group.rank == 0 ? file_read(&bytes, &size, "-", err) : STATUS_OK;
  st = group_agree(&s->group, st, err);
  if (st == STATUS_OK) {
    st = group_broadcast(&s->group, 0, &size, sizeof size, err);
  }
  if (st == STATUS_OK && s->group.rank != 0) {
    st = mem_alloc_raw(&bytes, size, 1, err);
  }
  st = group_agree(&s->group, st, err);
  if (st == STATUS_OK) {
    st = group_broadcast(&s->group, 0, bytes, size, err);
  }
  if (st == STATUS_OK) {
    st = replace_stdin(bytes, size, err);
  }
  free(bytes);
  return group_agree(&s->group, st, err);
}

status session_watch(const struct session *s, status outcome, const char *consequence,
                     struct watch **out, struct error *err) {
  const struct watch_options options = {
      .group = &s->group, .exit_status = status_exit(outcome), .consequence = consequence};
  *out = NULL;
  return s->group.size == 1 ? STATUS_OK : watch_open(out, &options, err);
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
