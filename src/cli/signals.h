/* Signals that ask a command to stop, taken by a thread of their own. No handler may run on a
 * thread that computes: oneDNN's generated products keep data further below the stack pointer than
 * the ABI's red zone, where the kernel writes a handler's frame. */
#ifndef ESPALIER_CLI_SIGNALS_H
#define ESPALIER_CLI_SIGNALS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/error.h"

struct signals {
  atomic_bool stop; /* one has come */
  sigset_t taken;
  pthread_t thread;
};

/* From now on SIGTERM, SIGINT and SIGUSR1 set s->stop; a second SIGINT ends the process. To be
 * called before any other thread is there, MPI's and OpenMP's too: they must inherit the mask. */
status signals_open(struct signals *s, struct error *err);

/* Signals that come later wait until the process has ended. */
void signals_close(struct signals *s);

#endif
