/* A rank of a team that does not lead it. */
#ifndef ESPALIER_SCHED_ASSIST_H
#define ESPALIER_SCHED_ASSIST_H

#include "grid/plan.h"
#include "sched/team.h"

struct assist_options {
  struct plan *plan;
  struct team *team;
  size_t budget; /* of worker_create, as is scratch */
  const char *scratch;
};

/* How a run ended, from leaders to their teams. */
struct assist_end {
  status outcome;
  bool all_alive;
};

/* Works with the leader until it says how the run ended. */
status assist(const struct assist_options *options, struct assist_end *end, struct error *err);

/* The leader's last word. */
status assist_dismiss(struct team *team, struct assist_end end, struct error *err);

#endif
