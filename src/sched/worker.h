/* A worker's part of a run: a lease in, records out. Talks to whoever gave the lease through two
 * calls, so that rank 0 can work between its own duties and tests need no messages. */
#ifndef ESPALIER_SCHED_WORKER_H
#define ESPALIER_SCHED_WORKER_H

#include "grid/plan.h"
#include "sched/message.h"
#include "sched/team.h"

struct worker_link {
  void *user;
  /* A MESSAGE_RESULT of the lease; the message is the worker's. */
  status (*result)(void *user, const struct message *m, struct error *err);
  /* Called often while working on `cell` (or MASTER_PREPARE) of the lease; `done` runs from 0 to 1
   * within it. Anything but STATUS_OK ends the lease at once with that status. */
  status (*alive)(void *user, const struct message *lease, int cell, double done,
                  struct error *err);
};

struct worker;

/* plan (any level), link and team are the caller's and outlive the worker; the team's ranks work on
 * every lease together, and its leader alone has to be given them. budget: bytes that a model's
 * weights may keep in memory between two passes; 0 streams them. A team's whole Gram matrices may
 * take as much in each rank. Statistics that variants share
 * may take half as much again, and go to a file in the folder `scratch` when they need more (NULL:
 * then nothing is shared). */
status worker_create(struct worker **out, struct plan *plan, const struct worker_link *link,
                     const struct team *team, size_t budget, const char *scratch,
                     struct error *err);
void worker_free(struct worker *w);

/* Prunes the lease's variant and evaluates its cells, one record for the variant (unless it is
 * known) and one for each cell. Collective over the team. What goes wrong inside becomes failed
 * records; a status other than STATUS_OK comes from the link, or says that records could not be
 * made. */
status worker_lease(struct worker *w, const struct message *lease, struct error *err);

#endif
