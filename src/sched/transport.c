#include "sched/transport.h"

#include <time.h>

void transport_nap(double seconds) {
  time_t whole = (time_t)seconds;
  struct timespec t = {whole, (long)((seconds - (double)whole) * 1e9)};
  (void)nanosleep(&t, NULL); /* a signal that ends the sleep early is welcome */
}
