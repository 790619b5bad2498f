#include "sched/assist.h"

#include <stdlib.h>
#include <string.h>

#include "sched/worker.h"

/* Records and beats are the leader's business. */
static status no_result(void *user, const struct message *m, struct error *err) {
  (void)user;
  (void)m;
  (void)err;
  return STATUS_OK;
}

static status no_beat(void *user, const struct message *lease, int cell, double done,
                      struct error *err) {
  (void)user;
  (void)lease;
  (void)cell;
  (void)done;
  (void)err;
  return STATUS_OK;
}

static status work(struct worker *w, const unsigned char *bytes, size_t size, struct error *err) {
  struct message lease;
  TRY(message_decode(&lease, bytes, size, err));
  /* What ended the lease is told by the leader, who knows whether it ends more than that. */
  struct error ignored = {0};
  (void)worker_lease(w, &lease, &ignored);
  message_free(&lease);
  return STATUS_OK;
}

static status serve(const struct assist_options *o, struct worker *w, struct error *err) {
  for (;;) {
    unsigned char *bytes;
    size_t size;
    TRY(team_hear(o->team, &bytes, &size, err));
    if (!bytes) {
      return STATUS_OK;
    }
    status st = work(w, bytes, size, err);
    free(bytes);
    TRY(st);
  }
}

status assist(const struct assist_options *options, struct assist_end *end, struct error *err) {
  const struct worker_link link = {NULL, no_result, no_beat};
  struct worker *w;
  *end = (struct assist_end){.outcome = STATUS_MPI};
  TRY(worker_create(&w, options->plan, &link, options->team, options->budget, options->scratch,
                    err));
  status st = serve(options, w, err);
  worker_free(w);
  TRY(st);
  team_unwatch(options->team);
  return group_broadcast(&options->team->group, 0, end, sizeof *end, err);
}

status assist_dismiss(struct team *team, struct assist_end end, struct error *err) {
  if (team->group.size == 1) {
    return STATUS_OK;
  }
  team_unwatch(team);
  TRY(team_tell(team, NULL, 0, err));
  return group_broadcast(&team->group, 0, &end, sizeof end, err);
}
