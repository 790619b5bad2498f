/* The dense pass that a worker keeps from one lease to the next: of the share that it works at. */
#ifndef ESPALIER_SCHED_SHARING_H
#define ESPALIER_SCHED_SHARING_H

#include "grid/plan.h"

/* Zero-initialise with plan, budget and scratch; free with sharing_free. */
struct sharing {
  struct plan *plan;
  size_t budget;             /* bytes that a pass may keep in memory */
  const struct group *group; /* whose ranks all ask for the same */
  const char *scratch;       /* folder for a larger one; NULL: it has no place */
  int held;                  /* 1 + the share that `pass` is of; 0: none */
  struct shared_pass *pass;  /* NULL when there is no room for it */
};

/* *out: the pass that serves the variant, made now unless the last call was for the same share;
 * NULL when nothing is shared or there is no room. progress as in prune_options. Collective. */
status sharing_take(struct sharing *s, size_t variant,
                    status (*progress)(void *user, double done, struct error *err), void *user,
                    struct shared_pass **out, struct error *err);
void sharing_free(struct sharing *s);

#endif
