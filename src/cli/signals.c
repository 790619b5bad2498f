#include "cli/signals.h"

#include <stdbool.h>
#include <string.h>

static void end_by(int number) {
  sigset_t one;
  (void)signal(number, SIG_DFL);
  (void)sigemptyset(&one);
  (void)sigaddset(&one, number);
  (void)pthread_sigmask(SIG_UNBLOCK, &one, NULL);
  (void)raise(number);
}

static void *take(void *user) {
  struct signals *s = user;
  for (;;) {
    int number;
    if (sigwait(&s->taken, &number) != 0) {
      return NULL;
    }
    if (atomic_exchange(&s->stop, true) && number == SIGINT) {
      end_by(number);
    }
  }
}

status signals_open(struct signals *s, struct error *err) {
  atomic_init(&s->stop, false);
  (void)sigemptyset(&s->taken);
  (void)sigaddset(&s->taken, SIGTERM);
  (void)sigaddset(&s->taken, SIGINT);
  (void)sigaddset(&s->taken, SIGUSR1);
  int failed = pthread_sigmask(SIG_BLOCK, &s->taken, NULL);
  if (!failed) {
    failed = pthread_create(&s->thread, NULL, take, s);
  }
  return failed ? err_set(err, STATUS_MEMORY, "no thread for signals: %s", strerror(failed))
                : STATUS_OK;
}

void signals_close(struct signals *s) {
  (void)pthread_cancel(s->thread); /* sigwait is where it ends */
  (void)pthread_join(s->thread, NULL);
}
