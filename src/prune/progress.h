/* How far a pruning is: equal steps, told to the caller one by one. */
#ifndef ESPALIER_PRUNE_PROGRESS_H
#define ESPALIER_PRUNE_PROGRESS_H

#include <stddef.h>

#include "base/error.h"

struct progress {
  /* Gets the share done; its failure ends the work. NULL: nobody listens. */
  status (*see)(void *user, double done, struct error *err);
  void *user;
  size_t done, total; /* steps of this rank */
};

static inline status progress_step(struct progress *p, struct error *err) {
  p->done++;
  return p->see ? p->see(p->user, (double)p->done / (double)p->total, err) : STATUS_OK;
}

#endif
