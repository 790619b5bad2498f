#include "sched/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "sched/host.h"
#include "sched/transport.h"

static const double NAP_MOST = 0.005;   /* seconds, between looks for the leader's word */
static const double WATCH_EVERY = 0.25; /* seconds */
enum { EXIT_DESERTED = 1 };

struct watch {
  struct peers *peers; /* of the team */
  int size, rank;
  atomic_bool over;
  pthread_t thread;
};

/* Collectives never survive a lost rank: those that wait for it can only end too. */
static void *look(void *user) {
  struct watch *w = user;
  while (!atomic_load(&w->over)) {
    for (int r = 0; r < w->size; r++) {
      if (r != w->rank && peers_gone(w->peers, r) && !atomic_load(&w->over)) {
        (void)fprintf(stderr, "espalier: a rank of this group is gone, and so its others end\n");
        _exit(EXIT_DESERTED);
      }
    }
    transport_nap(WATCH_EVERY);
  }
  return NULL;
}

static status open_watch(struct team *t, struct error *err) {
  struct watch *w;
  TRY(group_agree(&t->group, mem_alloc(&w, 1, sizeof *w, err), err));
  w->size = t->group.size;
  w->rank = t->group.rank;
  status st = peers_open(&w->peers, &t->group, err);
  if (st != STATUS_OK) {
    free(w);
    return st;
  }
  if (pthread_create(&w->thread, NULL, look, w) != 0) {
    st = err_set(err, STATUS_MEMORY, "a thread that watches a group's ranks could not be started");
    peers_close(w->peers);
    free(w);
    return st;
  }
  t->watch = w;
  return STATUS_OK;
}

static status split(struct group *out, const struct group *all, int color, struct error *err) {
  MPI_Comm comm;
  if (MPI_Comm_split(all->comm, color, all->rank, &comm) != MPI_SUCCESS) {
    return err_set(err, STATUS_MPI, "MPI_Comm_split failed for a group of ranks");
  }
  *out = (struct group){.comm = MPI_COMM_NULL};
  return comm == MPI_COMM_NULL ? STATUS_OK : group_from(out, comm, err);
}

status team_open(struct team *out, const struct group *all, int size, struct error *err) {
  struct team t = {.group = group_single(), .leaders = *all};
  *out = t;
  if (size < 1 || all->size % size != 0) {
    return err_set(err, STATUS_INPUT, "groups of %d ranks do not divide the run's %d", size,
                   all->size);
  }
  if (size == 1) {
    return STATUS_OK;
  }
  TRY(split(&t.group, all, all->rank / size, err));
  TRY(split(&t.leaders, all, t.group.rank == 0 ? 0 : MPI_UNDEFINED, err));
  status st = open_watch(&t, err);
  *out = t;
  return st;
}

void team_unwatch(struct team *t) {
  if (t->watch) {
    atomic_store(&t->watch->over, true);
    (void)pthread_join(t->watch->thread, NULL);
    peers_close(t->watch->peers);
    free(t->watch);
    t->watch = NULL;
  }
}

void team_close(struct team *t, bool all_alive) {
  team_unwatch(t);
  if (t->group.size > 1 && all_alive) {
    (void)MPI_Comm_free(&t->group.comm);
    if (t->leaders.comm != MPI_COMM_NULL) {
      (void)MPI_Comm_free(&t->leaders.comm);
    }
  }
  *t = (struct team){.group = group_single()};
}

/* A broadcast whose receivers sleep. */
static status announce(const struct team *t, int64_t *size, struct error *err) {
  MPI_Request request;
  int done = 0;
  if (MPI_Ibcast(size, 1, MPI_INT64_T, 0, t->group.comm, &request) != MPI_SUCCESS) {
    return err_set(err, STATUS_MPI, "MPI_Ibcast failed");
  }
  for (double nap = 1e-5; !done; nap = nap < NAP_MOST ? nap * 2 : NAP_MOST) {
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
      return err_set(err, STATUS_MPI, "MPI_Test failed");
    }
    if (!done) {
      transport_nap(nap);
    }
  }
  return STATUS_OK;
}

status team_tell(const struct team *t, const void *bytes, size_t size, struct error *err) {
  int64_t length = (int64_t)size;
  if (t->group.size == 1) {
    return STATUS_OK;
  }
  TRY(announce(t, &length, err));
  /* The root's buffer is only read. */
  return size ? group_broadcast(&t->group, 0, (void *)bytes, size, err) : STATUS_OK;
}

status team_hear(const struct team *t, unsigned char **bytes, size_t *size, struct error *err) {
  int64_t length = 0;
  TRY(announce(t, &length, err));
  *bytes = NULL;
  *size = (size_t)length;
  if (length == 0) {
    return STATUS_OK;
  }
  TRY(mem_alloc_raw(bytes, *size, 1, err));
  return group_broadcast(&t->group, 0, *bytes, *size, err);
}
