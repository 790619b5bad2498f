#include "sched/lead.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sched/master.h"
#include "sched/tasks.h"
#include "sched/worker.h"

enum { CRASH_LIMIT = 3 };
static const double TICK_EVERY = 0.2;   /* seconds */
static const double POLL_EVERY = 0.005; /* seconds, while computing */
static const double NAP_MOST = 0.005;   /* seconds, while waiting */
static const double PING_EVERY = 10;    /* seconds */
static const double GOODBYE = 20;       /* seconds that ranks have to stop */

struct lead {
  const struct lead_options *o;
  struct tasks tasks;
  struct master *master;
  struct actions actions;
  struct worker *worker;
  struct message lease; /* MESSAGE_LEASE: rank 0's own work to do */
  bool *lost, *bye;     /* [ranks] */
  int ranks;
  double ticked, polled, pinged, written;
  double writing; /* seconds that the last results file took */
  bool dirty;     /* records came since the results were written */
  bool signalled, finished;
};

static void tell(struct lead *l, struct run_event e) {
  const struct run_watch *watch = &l->o->run->watch;
  if (!watch->see) {
    return;
  }
  struct master_state m = master_state(l->master);
  double elapsed = host_seconds() - l->o->start;
  double share = m.cost > 0 ? m.cost_done / m.cost : 1;
  int each = l->o->team->group.size; /* ranks, of which the master knows the leader alone */
  struct run_state s = {.plan = l->o->plan,
                        .cells = l->tasks.reused + m.cells,
                        .done = l->tasks.reused + m.done,
                        .failed = ledger_failed(l->o->ledger),
                        .reused = l->tasks.reused,
                        .elapsed = elapsed,
                        .left = share > 0 ? elapsed / share - elapsed : NAN,
                        .share = share,
                        .ranks = l->ranks * each,
                        .ranks_live = m.ranks_live * each};
  e.state = &s;
  watch->see(watch->user, &e);
}

static status write_results(struct lead *l, struct error *err) {
  double start = host_seconds();
  l->dirty = false;
  status st = ledger_write(l->o->ledger, l->o->provenance->at, l->o->provenance->count, err);
  l->written = host_seconds();
  l->writing = l->written - start;
  return st;
}

/* Not more than a twentieth of the time goes into results files, which masks make large. */
static bool is_due(const struct lead *l, double now) {
  double every = l->o->run->write_every, least = 20 * l->writing;
  return l->dirty && now - l->written > (every > least ? every : least);
}

static status send(struct lead *l, int rank, const struct message *m, struct error *err) {
  unsigned char *bytes;
  size_t size;
  TRY(message_encode(m, &bytes, &size, err));
  status st = l->o->transport->send(l->o->transport->self, rank, bytes, size, err);
  free(bytes);
  return st;
}

/* To a rank that may be gone: its silence will tell. */
static void send_any(struct lead *l, int rank, const struct message *m) {
  if (rank != 0 && !peers_gone(l->o->peers, rank)) {
    (void)send(l, rank, m, NULL);
  }
}

/* With what the dense model says of the data set, where a pruned one is measured against it. */
static status fill_cell(const struct lead *l, const struct work_task *t, int cell,
                        struct lease_cell *c, struct error *err) {
  const struct plan *p = l->o->plan;
  size_t dataset = (size_t)t->datasets[cell];
  *c = (struct lease_cell){.cell = cell, .dataset = t->datasets[cell]};
  memcpy(c->id, plan_cell(p, t->variant, dataset)->id, sizeof c->id);
  memcpy(c->data_digest, p->datasets[dataset].data_digest, sizeof c->data_digest);
  bool measured = plan_attributed(p, dataset) && !p->variants[t->variant].method->dense;
  const struct attribution_base *base =
      measured ? ledger_base(l->o->ledger, t->variant, dataset) : NULL;
  size_t size = 0;
  if (base) {
    TRY(record_encode_attribution_base(base, &c->base, &size, err));
  }
  c->base_size = size;
  return STATUS_OK;
}

static status make_lease(const struct lead *l, const struct action *a, struct message *out,
                         struct error *err) {
  const struct work_task *t = &l->tasks.at[a->task];
  struct message m = {.kind = MESSAGE_LEASE,
                      .task = a->task,
                      .instance = a->instance,
                      .variant = (int32_t)t->variant,
                      .prune_known = ledger_variant_done(l->o->ledger, t->variant)};
  memcpy(m.variant_id, l->o->plan->variants[t->variant].id, sizeof m.variant_id);
  status st = mem_alloc(&m.cells, (size_t)t->cells, sizeof *m.cells, err);
  for (int i = 0; st == STATUS_OK && i < t->cells; i++) {
    if (master_cell_open(l->master, a->task, i)) {
      st = fill_cell(l, t, i, &m.cells[m.cell_count++], err);
    }
  }
  if (st != STATUS_OK) {
    message_free(&m);
    return st;
  }
  *out = m;
  return STATUS_OK;
}

static status event(struct lead *l, const struct event *e, const struct message *m,
                    struct error *err);

static status give_lease(struct lead *l, const struct action *a, struct error *err) {
  struct message m;
  TRY(make_lease(l, a, &m, err));
  if (a->rank == 0) {
    message_free(&l->lease);
    l->lease = m;
    return STATUS_OK;
  }
  status st = send(l, a->rank, &m, err);
  message_free(&m);
  if (st == STATUS_MPI) {
    struct event lost = {.kind = EVENT_LOST, .now = host_seconds(), .rank = a->rank};
    return event(l, &lost, NULL, err);
  }
  return st;
}

static void tell_entry(struct lead *l, const struct ledger_entry *entry) {
  bool cell = entry->dataset < l->o->plan->dataset_count;
  tell(l, (struct run_event){.kind = cell ? RUN_CELL : RUN_VARIANT, .entry = entry});
}

static status keep(struct lead *l, const struct message *m, struct error *err) {
  if (!m) {
    return err_set(err, STATUS_BUG, "a result without its record");
  }
  struct ledger_entry entry;
  TRY(ledger_add(l->o->ledger, m->record, m->record_size, &entry, err));
  l->dirty = true;
  if (entry.fresh && !entry.masks && !entry.attribution) {
    tell_entry(l, &entry);
  }
  return STATUS_OK;
}

static status give_up(struct lead *l, const struct action *a, struct error *err) {
  const struct work_task *t = &l->tasks.at[a->task];
  char reason[128];
  (void)snprintf(reason, sizeof reason, "its worker was lost %d times while computing it",
                 CRASH_LIMIT);
  struct ledger_entry entry;
  TRY(ledger_fail(l->o->ledger, t->variant, (size_t)t->datasets[a->cell], reason, &entry, err));
  l->dirty = true;
  tell_entry(l, &entry);
  return STATUS_OK;
}

/* m: the message that the event came from, where one did. */
static status execute(struct lead *l, const struct action *a, const struct message *m,
                      struct error *err) {
  switch (a->kind) {
  case ACTION_LEASE:
    return give_lease(l, a, err);
  case ACTION_RECORD:
    return keep(l, m, err);
  case ACTION_FAIL:
    return give_up(l, a, err);
  case ACTION_LOST:
    l->lost[a->rank] = true;
    tell(l, (struct run_event){.kind = RUN_LOST, .rank = a->rank * l->o->team->group.size});
    return STATUS_OK;
  case ACTION_STOP:
    if (a->rank != 0) {
      send_any(l, a->rank, &(struct message){.kind = MESSAGE_STOP});
    }
    return STATUS_OK;
  case ACTION_FINISH:
    l->finished = true;
    return STATUS_OK;
  }
  return STATUS_OK;
}

/* Feeds an event and does what the master answers; an action may be an event's cause in turn. */
static status event(struct lead *l, const struct event *e, const struct message *m,
                    struct error *err) {
  size_t first = l->actions.count;
  TRY(master_event(l->master, e, &l->actions, err));
  for (size_t i = first; i < l->actions.count; i++) {
    struct action a = l->actions.at[i];
    TRY(execute(l, &a, m, err));
  }
  l->actions.count = first;
  return STATUS_OK;
}

static status hear(struct lead *l, int from, const struct message *m, struct error *err) {
  struct event e = {.now = host_seconds(),
                    .rank = from,
                    .task = m->task,
                    .cell = m->cell,
                    .instance = m->instance};
  switch (m->kind) {
  case MESSAGE_READY:
    e.kind = EVENT_READY;
    l->lost[from] = false;
    break;
  case MESSAGE_BEAT:
    e.kind = EVENT_BEAT;
    break;
  case MESSAGE_RESULT:
    e.kind = EVENT_RESULT;
    break;
  case MESSAGE_DONE:
    e.kind = EVENT_DONE;
    break;
  case MESSAGE_STOP:
    l->signalled = true;
    e.kind = EVENT_STOP;
    break;
  case MESSAGE_BYE:
    l->bye[from] = true;
    if (m->text[0]) {
      tell(l, (struct run_event){.kind = RUN_NOTE, .text = m->text, .rank = from});
    }
    e.kind = EVENT_LOST;
    break;
  default:
    return err_set(err, STATUS_BUG, "rank %d sent a message of kind %d", from, (int)m->kind);
  }
  return l->finished ? STATUS_OK : event(l, &e, m, err);
}

static status listen(struct lead *l, bool *heard, struct error *err) {
  *heard = false;
  while (l->o->transport) {
    int from;
    unsigned char *bytes;
    size_t size;
    TRY(l->o->transport->poll(l->o->transport->self, &from, &bytes, &size, err));
    if (!bytes) {
      break;
    }
    struct message m;
    status st = message_decode(&m, bytes, size, err);
    free(bytes);
    TRY(st);
    st = hear(l, from, &m, err);
    message_free(&m);
    TRY(st);
    *heard = true;
  }
  return STATUS_OK;
}

static status watch_ranks(struct lead *l, double now, struct error *err) {
  for (int r = 1; r < l->ranks; r++) {
    if (!l->lost[r] && !l->bye[r] && peers_gone(l->o->peers, r)) {
      struct event gone = {.kind = EVENT_LOST, .now = now, .rank = r};
      TRY(event(l, &gone, NULL, err));
    }
    if (now - l->pinged > PING_EVERY) {
      send_any(l, r, &(struct message){.kind = MESSAGE_PING});
    }
  }
  if (now - l->pinged > PING_EVERY) {
    l->pinged = now;
  }
  return STATUS_OK;
}

static status tick(struct lead *l, struct error *err) {
  double now = host_seconds();
  if (*l->o->run->stop && !l->finished) {
    l->signalled = true;
    TRY(event(l, &(struct event){.kind = EVENT_STOP, .now = now}, NULL, err));
  }
  if (now - l->ticked < TICK_EVERY || l->finished) {
    return STATUS_OK;
  }
  l->ticked = now;
  TRY(watch_ranks(l, now, err));
  TRY(event(l, &(struct event){.kind = EVENT_TICK, .now = now}, NULL, err));
  if (is_due(l, now)) {
    TRY(write_results(l, err));
  }
  tell(l, (struct run_event){.kind = RUN_PROGRESS});
  return STATUS_OK;
}

/* Rank 0's own worker. */
static status own_alive(void *user, const struct message *lease, int cell, double done,
                        struct error *err) {
  (void)done;
  struct lead *l = user;
  double now = host_seconds();
  if (now - l->polled >= POLL_EVERY) {
    bool heard;
    l->polled = now;
    struct event beat = {.kind = EVENT_BEAT,
                         .now = now,
                         .task = lease->task,
                         .cell = cell,
                         .instance = lease->instance};
    TRY(event(l, &beat, NULL, err));
    TRY(listen(l, &heard, err));
    TRY(tick(l, err));
  }
  return l->finished ? err_set(err, STATUS_TIME, "stopped") : STATUS_OK;
}

static status own_result(void *user, const struct message *m, struct error *err) {
  struct event e = {.kind = EVENT_RESULT,
                    .now = host_seconds(),
                    .task = m->task,
                    .cell = m->cell,
                    .instance = m->instance};
  return event(user, &e, m, err);
}

static status own_work(struct lead *l, struct error *err) {
  struct message lease = l->lease;
  l->lease = (struct message){0};
  status st = worker_lease(l->worker, &lease, err);
  struct event done = {
      .kind = EVENT_DONE, .now = host_seconds(), .task = lease.task, .instance = lease.instance};
  message_free(&lease);
  if (st != STATUS_OK) {
    return l->finished && st == STATUS_TIME ? STATUS_OK : st;
  }
  TRY(event(l, &done, NULL, err));
  done.kind = EVENT_READY;
  return event(l, &done, NULL, err);
}

static status serve(struct lead *l, struct error *err) {
  TRY(event(l, &(struct event){.kind = EVENT_READY, .now = host_seconds()}, NULL, err));
  for (double nap = 1e-4; !l->finished;) {
    bool heard;
    TRY(listen(l, &heard, err));
    TRY(tick(l, err));
    if (l->lease.kind == MESSAGE_LEASE && !l->finished) {
      TRY(own_work(l, err));
      nap = 1e-4;
    } else if (!l->finished) {
      transport_nap(nap);
      nap = heard ? 1e-4 : nap < NAP_MOST ? nap * 2 : NAP_MOST;
    }
  }
  return STATUS_OK;
}

/* Lets the other ranks go: all of them have stopped, or have had time to. */
static void release(struct lead *l, status outcome, struct run_outcome *out) {
  bool all, waiting;
  double until = host_seconds() + GOODBYE;
  for (int r = 1; r < l->ranks; r++) {
    send_any(l, r, &(struct message){.kind = MESSAGE_STOP});
  }
  for (;;) {
    bool heard;
    status st = listen(l, &heard, NULL);
    all = true;
    waiting = false;
    for (int r = 1; r < l->ranks; r++) {
      bool gone = !l->bye[r] && peers_gone(l->o->peers, r);
      all = all && l->bye[r];
      waiting = waiting || (!l->bye[r] && !gone);
    }
    if (!waiting || st != STATUS_OK || host_seconds() > until) {
      break;
    }
    transport_nap(NAP_MOST);
  }
  out->all_alive = all;
  out->hung = waiting;
  struct message end = {.kind = MESSAGE_END, .all_alive = all, .outcome = (int32_t)outcome};
  for (int r = 1; r < l->ranks; r++) {
    send_any(l, r, &end);
  }
}

static status make_master(struct lead *l, struct error *err) {
  struct master_task *tasks = NULL;
  bool *later = NULL;
  status st;
  TRY(tasks_make(&l->tasks, l->o->plan, l->o->ledger, err));
  TRY_GOTO(st, done, mem_alloc(&tasks, l->tasks.count, sizeof *tasks, err));
  TRY_GOTO(st, done, mem_alloc(&later, l->tasks.count, sizeof *later, err));
  for (size_t i = 0; i < l->tasks.count; i++) {
    const struct work_task *t = &l->tasks.at[i];
    tasks[i] = (struct master_task){t->cost, t->cells, t->key};
    later[i] = t->later;
  }
  struct master_options options = {.ranks = l->ranks,
                                   .lease_timeout = l->o->run->lease_timeout,
                                   .crash_limit = CRASH_LIMIT,
                                   .end = l->o->end,
                                   .shared = l->tasks.shared,
                                   .later = later};
  st = master_create(&l->master, &options, tasks, l->tasks.count, err);
done:
  free(tasks);
  free(later);
  return st;
}

static status open_lead(struct lead *l, const struct worker_link *link, struct error *err) {
  TRY(mem_alloc(&l->lost, (size_t)l->ranks, sizeof *l->lost, err));
  TRY(mem_alloc(&l->bye, (size_t)l->ranks, sizeof *l->bye, err));
  TRY(make_master(l, err));
  return worker_create(&l->worker, l->o->plan, link, l->o->team, l->o->run->budget,
                       l->o->run->scratch, err);
}

static void close_lead(struct lead *l) {
  tasks_free(&l->tasks);
  free(l->lost);
  free(l->bye);
  worker_free(l->worker);
  master_free(l->master);
  actions_free(&l->actions);
  message_free(&l->lease);
}

/* What a run that came to its end is worth. */
static status judge(const struct lead *l) {
  if (master_state(l->master).stopped) {
    return STATUS_TIME;
  }
  return ledger_failed(l->o->ledger) ? STATUS_PARTIAL : STATUS_OK;
}

status lead(const struct lead_options *options, struct run_outcome *out, struct error *err) {
  double now = host_seconds();
  struct lead l = {.o = options,
                   .ranks = options->transport ? options->transport->size : 1,
                   .pinged = now,
                   .written = now};
  struct worker_link link = {&l, own_result, own_alive};
  status st = open_lead(&l, &link, err);
  if (st == STATUS_OK) {
    tell(&l, (struct run_event){.kind = RUN_STARTED});
    st = serve(&l, err);
  }
  if (st == STATUS_OK) {
    st = write_results(&l, err);
  }
  if (st == STATUS_OK) {
    st = judge(&l);
    tell(&l, (struct run_event){.kind = RUN_FINISHED});
  }
  out->stopped_by_signal = l.signalled;
  out->all_alive = false;
  if (l.lost && l.bye) {
    release(&l, st, out);
  }
  close_lead(&l);
  return st;
}
