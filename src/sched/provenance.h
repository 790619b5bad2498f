/* Where a results file comes from: its root attributes. */
#ifndef ESPALIER_SCHED_PROVENANCE_H
#define ESPALIER_SCHED_PROVENANCE_H

#include "sched/run.h"

enum { PROVENANCE_MOST = 20 };

struct provenance {
  struct attribute at[PROVENANCE_MOST];
  size_t count;
  char *texts[PROVENANCE_MOST]; /* [count], owned */
};

/* `results` (a path) may hold an earlier run's file, whose start is kept. Free with
 * provenance_free. */
status provenance_collect(struct provenance *out, const struct run_options *options,
                          const struct plan *plan, const char *results, struct error *err);
/* Puts back what a results file says of the run that made it, where a file is changed without a
 * run. */
void provenance_keep(struct provenance *p, const char *results);
void provenance_free(struct provenance *p);

#endif
