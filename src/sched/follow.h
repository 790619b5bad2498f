/* The other ranks of a run: ask for leases, work, send records, until told to end. */
#ifndef ESPALIER_SCHED_FOLLOW_H
#define ESPALIER_SCHED_FOLLOW_H

#include <stdatomic.h>

#include "grid/plan.h"
#include "sched/host.h"
#include "sched/team.h"
#include "sched/transport.h"

struct follow_options {
  struct plan *plan;
  const struct transport *transport;
  const struct peers *peers;
  const struct team *team; /* the one that this rank leads */
  size_t budget;
  const char *scratch;
  double silence;          /* seconds without a word from rank 0 after which it is taken for lost */
  const atomic_bool *stop; /* set at any time */
};

/* Returns the run's status. *all_alive as the master knows it. */
status follow(const struct follow_options *options, bool *all_alive, struct error *err);

#endif
