#include "sched/team.h"

#include <stdint.h>

#include "base/mem.h"
#include "sched/transport.h"
#include "sched/watch.h"

static const double NAP_MOST = 0.005; /* seconds, between looks for the leader's word */

static status open_watch(struct team *t, const struct group *all, double silence,
                         struct error *err) {
  int first = all->rank - t->group.rank;
  const struct watch_options o = {
      .group = &t->group,
      .first = first,
      .silence = silence,
      .exit_status = status_exit(STATUS_TIME),
      .consequence = first == 0 ? "its group, which writes the results, ends the run (what is "
                                  "finished is kept; to carry on: the same command)"
                                : "the others of its group end"};
  return watch_open(&t->watch, &o, err);
}

static status split(struct group *out, const struct group *all, int color, struct error *err) {
  MPI_Comm comm;
  if (MPI_Comm_split(all->comm, color, all->rank, &comm) != MPI_SUCCESS) {
    return err_set(err, STATUS_MPI, "MPI_Comm_split failed for a group of ranks");
  }
  *out = (struct group){.comm = MPI_COMM_NULL};
  return comm == MPI_COMM_NULL ? STATUS_OK : group_from(out, comm, err);
}

status team_open(struct team *out, const struct group *all, int size, double silence,
                 struct error *err) {
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
  status st = open_watch(&t, all, silence, err);
  *out = t;
  return st;
}

void team_unwatch(struct team *t) {
  watch_close(t->watch);
  t->watch = NULL;
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
