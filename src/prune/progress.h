/* How far a pruning is: equal steps, told to the caller one by one. */
#ifndef ESPALIER_PRUNE_PROGRESS_H
#define ESPALIER_PRUNE_PROGRESS_H

#include <stddef.h>

#include "prune/prune.h"

struct progress {
  const struct prune_options *options;
  size_t done, total; /* steps of this rank */
};

static inline status progress_step(struct progress *p, struct error *err) {
  p->done++;
  if (!p->options->progress) {
    return STATUS_OK;
  }
  double share = (double)p->done / (double)p->total;
  return p->options->progress(p->options->progress_user, share, err);
}

#endif
