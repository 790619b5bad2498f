/* Watches MPI's start, which waits for ever when a rank or the launcher is killed amid it. */
#ifndef ESPALIER_CLI_STARTING_H
#define ESPALIER_CLI_STARTING_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

#define STARTING_LIMIT 600.0 /* seconds: what the largest allocations take is far less */
#define STARTING_FORKS 10.0  /* seconds after which all ranks of a machine are there, or were */

struct starting {
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool over;
  pid_t launcher;
  int ranks;    /* that the launcher says it starts on this machine; 0: it does not say */
  bool parents; /* the launcher is each rank's parent, not a script between them */
};

/* Until starting_close a lost launcher, a lost rank of the same launcher, or the limit end this
 * process with a line on standard error and the status of STATUS_MPI. */
status starting_open(struct starting *s, struct error *err);
void starting_close(struct starting *s);

#endif
