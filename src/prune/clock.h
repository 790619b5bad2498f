/* Seconds that work takes. */
#ifndef ESPALIER_PRUNE_CLOCK_H
#define ESPALIER_PRUNE_CLOCK_H

#include <time.h>

static inline double prune_clock(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#endif
