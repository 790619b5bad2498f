#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "sched/host.h"

/* Numbers of processes mean something only on one machine and in one name space of process ids. */
struct place {
  char host[256];
  char space[64];
  pid_t pid;
};

struct peers {
  int rank, size;
  struct place *at; /* [size] */
};

static void find_place(struct place *p) {
  *p = (struct place){.pid = getpid()};
  (void)gethostname(p->host, sizeof p->host - 1);
  ssize_t n = readlink("/proc/self/ns/pid", p->space, sizeof p->space - 1);
  p->space[n < 0 ? 0 : n] = '\0';
}

status peers_open(struct peers **out, const struct group *group, struct error *err) {
  struct peers *p = NULL;
  status st = mem_alloc(&p, 1, sizeof *p, err);
  if (st == STATUS_OK) {
    *p = (struct peers){.rank = group->rank, .size = group->size};
    st = mem_alloc(&p->at, (size_t)group->size, sizeof *p->at, err);
  }
  st = group_agree(group, st, err);
  struct place mine;
  find_place(&mine);
  if (st == STATUS_OK) {
    p->at[group->rank] = mine;
  }
  if (st == STATUS_OK && group->size > 1 &&
      MPI_Allgather(&mine, (int)sizeof mine, MPI_BYTE, p->at, (int)sizeof mine, MPI_BYTE,
                    group->comm) != MPI_SUCCESS) {
    st = err_set(err, STATUS_MPI, "MPI_Allgather failed");
  }
  if (st != STATUS_OK) {
    peers_close(p);
    return st;
  }
  *out = p;
  return STATUS_OK;
}

void peers_close(struct peers *p) {
  if (p) {
    free(p->at);
    free(p);
  }
}

bool peers_gone(const struct peers *p, int rank) {
  const struct place *mine = &p->at[p->rank], *its = &p->at[rank];
  return strcmp(mine->host, its->host) == 0 && strcmp(mine->space, its->space) == 0 &&
         kill(its->pid, 0) != 0 && errno == ESRCH;
}
