#include "sched/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sched/worker.h"

static const double BEAT_EVERY = 1;    /* seconds */
static const double POLL_EVERY = 0.01; /* seconds, while computing */
static const double NAP_MOST = 0.005;  /* seconds, while waiting */

struct follower {
  const struct follow_options *o;
  struct message lease; /* MESSAGE_LEASE: work to do */
  bool stopped, ended, told;
  struct message end;
  double heard; /* when rank 0 last spoke */
  double beat;  /* when this rank last did */
  double polled;
  int cell; /* of the last beat */
};

static status say(struct follower *f, const struct message *m, struct error *err) {
  unsigned char *bytes;
  size_t size;
  TRY(message_encode(m, &bytes, &size, err));
  status st = f->o->transport->send(f->o->transport->self, 0, bytes, size, err);
  free(bytes);
  f->beat = host_seconds();
  return st;
}

static void hear(struct follower *f, struct message *m) {
  f->heard = host_seconds();
  if (m->kind == MESSAGE_LEASE) {
    message_free(&f->lease);
    f->lease = *m;
    return;
  }
  f->stopped |= m->kind == MESSAGE_STOP || m->kind == MESSAGE_END;
  if (m->kind == MESSAGE_END) {
    f->ended = true;
    f->end = *m;
    return;
  }
  message_free(m);
}

/* Reads what has arrived; *heard says whether there was anything. */
static status listen(struct follower *f, bool *heard, struct error *err) {
  *heard = false;
  for (;;) {
    int from;
    unsigned char *bytes;
    size_t size;
    TRY(f->o->transport->poll(f->o->transport->self, &from, &bytes, &size, err));
    if (!bytes) {
      break;
    }
    struct message m;
    status st = message_decode(&m, bytes, size, err);
    free(bytes);
    TRY(st);
    hear(f, &m);
    *heard = true;
  }
  if (*f->o->stop && !f->told) {
    f->told = true;
    TRY(say(f, &(struct message){.kind = MESSAGE_STOP}, err));
  }
  if (peers_gone(f->o->peers, 0) || host_seconds() - f->heard > f->o->silence) {
    return err_set(err, STATUS_MPI, "rank %d: rank 0 is gone", f->o->transport->rank);
  }
  return STATUS_OK;
}

static status beat(struct follower *f, const struct message *lease, int cell, struct error *err) {
  f->cell = cell;
  struct message m = {.kind = MESSAGE_BEAT, .cell = cell};
  if (lease) {
    m.task = lease->task;
    m.instance = lease->instance;
  }
  return say(f, &m, err);
}

static status alive(void *user, const struct message *lease, int cell, double done,
                    struct error *err) {
  struct follower *f = user;
  double now = host_seconds();
  if (cell != f->cell || done == 0 || now - f->beat > BEAT_EVERY) {
    TRY(beat(f, lease, cell, err));
  }
  if (now - f->polled > POLL_EVERY) {
    bool heard;
    f->polled = now;
    TRY(listen(f, &heard, err));
  }
  return f->stopped ? err_set(err, STATUS_TIME, "stopped") : STATUS_OK;
}

static status result(void *user, const struct message *m, struct error *err) {
  return say(user, m, err);
}

static status work(struct follower *f, struct worker *w, struct error *err) {
  struct message lease = f->lease;
  f->lease = (struct message){0};
  status st = worker_lease(w, &lease, err);
  if (st == STATUS_OK) {
    st = say(
        f, &(struct message){.kind = MESSAGE_DONE, .task = lease.task, .instance = lease.instance},
        err);
  }
  message_free(&lease);
  TRY(st);
  return say(f, &(struct message){.kind = MESSAGE_READY}, err);
}

static status serve(struct follower *f, struct worker *w, struct error *err) {
  TRY(say(f, &(struct message){.kind = MESSAGE_READY}, err));
  for (double nap = 1e-4; !f->stopped;) {
    bool heard;
    TRY(listen(f, &heard, err));
    if (f->lease.kind == MESSAGE_LEASE && !f->stopped) {
      status st = work(f, w, err);
      if (st != STATUS_OK && !f->stopped) {
        return st;
      }
      nap = 1e-4;
      continue;
    }
    /* an idle rank has no lease to beat for, and keeps quiet between polls */
    transport_nap(nap);
    nap = heard ? 1e-4 : nap < NAP_MOST ? nap * 2 : NAP_MOST;
  }
  return STATUS_OK;
}

/* Says goodbye and waits for what rank 0 says to that. */
static status leave(struct follower *f, status st, struct error *err) {
  struct message bye = {.kind = MESSAGE_BYE};
  if (st != STATUS_OK) {
    (void)snprintf(bye.text, sizeof bye.text, "%.*s", MESSAGE_TEXT - 1, err->text);
  }
  TRY(say(f, &bye, err));
  while (!f->ended) {
    bool heard;
    TRY(listen(f, &heard, err));
    transport_nap(NAP_MOST);
  }
  return STATUS_OK;
}

status follow(const struct follow_options *options, bool *all_alive, struct error *err) {
  double now = host_seconds();
  struct follower f = {.o = options, .heard = now, .beat = now, .cell = -2};
  struct worker_link link = {&f, result, alive};
  struct worker *w;
  status st = worker_create(&w, options->plan, &link, options->team, options->budget,
                            options->scratch, err);
  if (st == STATUS_OK) {
    st = serve(&f, w, err);
    worker_free(w);
  }
  struct error late = {0};
  status left = leave(&f, st, st == STATUS_OK ? &late : err);
  message_free(&f.lease);
  *all_alive = left == STATUS_OK && f.end.all_alive;
  if (left != STATUS_OK && st == STATUS_OK) {
    return err_set(err, left, "%s", late.text);
  }
  return st != STATUS_OK ? st : (status)f.end.outcome;
}
