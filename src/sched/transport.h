/* How messages travel: an interface of two calls, neither of which ever waits, so that the loops of
 * master and worker run over MPI and inside one test process alike. */
#ifndef ESPALIER_SCHED_TRANSPORT_H
#define ESPALIER_SCHED_TRANSPORT_H

#include <stddef.h>

#include "base/error.h"

struct transport {
  void *self;
  int rank, size;
  /* Takes a copy of bytes [size] on its way to rank `to`. A failure means that the rank cannot be
   * reached. Messages to one rank arrive in order. */
  status (*send)(void *self, int to, const unsigned char *bytes, size_t size, struct error *err);
  /* The next message: *bytes (the caller frees it) from rank *from; *bytes is NULL when there is
   * none. */
  status (*poll)(void *self, int *from, unsigned char **bytes, size_t *size, struct error *err);
};

/* Sleeps between polls that brought nothing: a blocked receive burns a core, a sleeping one does
 * not. */
void transport_nap(double seconds);

#endif
