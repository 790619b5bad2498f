/* What a user sees of long work: a bar on a terminal, plain lines elsewhere, JSON in a file. */
#ifndef ESPALIER_CLI_PROGRESS_H
#define ESPALIER_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "sched/run.h"

struct progress {
  bool quiet, terminal, bar; /* bar: a bar stands on the last line */
  FILE *json;                /* or NULL */
  double drawn;              /* when the last bar or line was */
};

/* json: path or NULL. */
status progress_open(struct progress *p, bool quiet, const char *json, struct error *err);
void progress_close(struct progress *p);

/* For run_options.watch; user is the struct progress. */
void progress_see(void *user, const struct run_event *e);

/* One piece of work: its share done (0 to 1) after `elapsed` seconds. */
void progress_share(struct progress *p, const char *what, double done, double elapsed);

#endif
