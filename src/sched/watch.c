#include "sched/watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "sched/host.h"
#include "sched/transport.h"

static const double LOOK_EVERY = 0.25; /* seconds */
enum { RESTING = -1 };

struct watch {
  struct watch_options o;
  struct peers *peers;
  int size, rank;
  atomic_bool over;
  atomic_int_least64_t signed_at; /* milliseconds on host_seconds, or RESTING */
  pthread_t thread;
};

static int64_t now(void) {
  return (int64_t)(1e3 * host_seconds());
}

static void end(struct watch *w, const char *what) {
  if (!atomic_load(&w->over)) {
    (void)fprintf(stderr, "espalier: %s: %s\n", what, w->o.consequence);
    _exit(w->o.exit_status);
  }
}

static void look(struct watch *w) {
  char what[96];
  for (int r = 0; r < w->size; r++) {
    if (r != w->rank && peers_gone(w->peers, r)) {
      (void)snprintf(what, sizeof what, "rank %d is gone", w->o.first + r);
      end(w, what);
    }
  }
  int64_t since = atomic_load(&w->signed_at);
  if (since != RESTING && w->o.silence > 0 && now() - since > (int64_t)(1e3 * w->o.silence)) {
    (void)snprintf(what, sizeof what, "rank %d has waited %.0f s for another of its group",
                   w->o.first + w->rank, w->o.silence);
    end(w, what);
  }
}

static void *keep_looking(void *user) {
  struct watch *w = user;
  while (!atomic_load(&w->over)) {
    look(w);
    transport_nap(LOOK_EVERY);
  }
  return NULL;
}

status watch_open(struct watch **out, const struct watch_options *options, struct error *err) {
  struct watch *w;
  TRY(group_agree(options->group, mem_alloc(&w, 1, sizeof *w, err), err));
  w->o = *options;
  w->size = options->group->size;
  w->rank = options->group->rank;
  atomic_store(&w->signed_at, RESTING);
  status st = peers_open(&w->peers, options->group, err);
  if (st != STATUS_OK) {
    free(w);
    return st;
  }
  if (pthread_create(&w->thread, NULL, keep_looking, w) != 0) {
    st = err_set(err, STATUS_MEMORY, "a thread that watches a group's ranks could not be started");
    peers_close(w->peers);
    free(w);
    return st;
  }
  *out = w;
  return STATUS_OK;
}

void watch_close(struct watch *w) {
  if (w) {
    atomic_store(&w->over, true);
    (void)pthread_join(w->thread, NULL);
    peers_close(w->peers);
    free(w);
  }
}

void watch_sign(struct watch *w) {
  if (w) {
    atomic_store(&w->signed_at, now());
  }
}

void watch_rest(struct watch *w) {
  if (w) {
    atomic_store(&w->signed_at, RESTING);
  }
}
