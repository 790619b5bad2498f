/* This process's share of its machine, and whether other processes on it live. */
#ifndef ESPALIER_SCHED_HOST_H
#define ESPALIER_SCHED_HOST_H

#include <stdbool.h>

#include "linalg/group.h"

struct host_share {
  int ranks;     /* of the group on this machine */
  int threads;   /* >= 1: cores that this rank may use, divided by the ranks that share them */
  size_t memory; /* bytes: of the machine or of its control group, divided by its ranks */
};

/* Collective over the group. */
status host_share(struct host_share *out, const struct group *group, struct error *err);

double host_seconds(void); /* since any moment; never goes back */

struct peers; /* where the group's ranks run */

/* Collective over the group. */
status peers_open(struct peers **out, const struct group *group, struct error *err);
void peers_close(struct peers *p);

/* Whether the rank's process is known to be gone. Ranks of other machines never are. */
bool peers_gone(const struct peers *p, int rank);

#endif
