/* A thread that watches the ranks with which this one works. Collectives never survive a lost rank:
 * those that wait for it can only end too, and this ends their processes. */
#ifndef ESPALIER_SCHED_WATCH_H
#define ESPALIER_SCHED_WATCH_H

#include "linalg/group.h"

struct watch;

struct watch_options {
  const struct group *group; /* of several ranks */
  int first;                 /* what messages call the group's rank 0 */
  double silence;            /* seconds at work without a sign after which one must hang; 0: any */
  int exit_status;           /* of the process that ends */
  const char *consequence;   /* the end of its line on standard error; kept by the caller */
};

/* Collective. Ranks of other machines are not seen to be gone; their silence is. */
status watch_open(struct watch **out, const struct watch_options *options, struct error *err);
/* Nobody is watched any more. NULL is left alone. */
void watch_close(struct watch *w);

/* This rank is at work and has got on; it waits for work, as long as it takes. NULL is left alone.
 */
void watch_sign(struct watch *w);
void watch_rest(struct watch *w);

#endif
