#include "sched/master.h"

#include <stdlib.h>

#include "base/mem.h"
#include "sched/queue.h"

enum rank_state { RANK_AWAITED, RANK_IDLE, RANK_BUSY, RANK_LOST };

struct rank {
  enum rank_state state;
  int task; /* RANK_BUSY */
  int key;  /* of its last lease; 0 when there was no more work for it or it was lost since */
  bool gone;
  int64_t instance;
  int cell;       /* what it works on, as far as it told */
  bool heard;     /* it gave a sign of life since its lease */
  bool whole;     /* its lease had all cells of the task */
  double started; /* when its lease began */
};

struct task {
  double cost;
  int cells, open; /* open: cells without a result */
  int key;
  size_t first; /* of its cells in `cells` */
  int crashes;  /* before its first cell */
  bool later;   /* than all that are not */
};

struct cell {
  bool done;
  unsigned char crashes;
};

struct master {
  struct master_options options;
  struct task *tasks;
  size_t task_count;
  struct cell *cells;
  size_t cell_count, done;
  size_t earlier; /* tasks with open cells that later ones wait for */
  struct rank *ranks;
  struct queue pending;
  struct heap aside;     /* tasks too long for the time left when their turn came, by cost */
  struct heap idle;      /* ranks by number */
  struct heap deadlines; /* busy ranks, and those that are to ask for more, by the time at which
                            they count as lost */
  int64_t instances;
  double cost, cost_done;
  double spent_seconds, spent_cost; /* of whole leases: how long a unit of cost takes */
  int live, busy, gone;             /* gone: lost for good, not only silent */
  bool finished, stopped;
};

void actions_free(struct actions *a) {
  free(a->at);
  *a = (struct actions){0};
}

static status act(struct actions *out, struct action a, struct error *err) {
  TRY(mem_reserve(&out->at, &out->cap, out->count + 1, sizeof *out->at, err));
  out->at[out->count++] = a;
  return STATUS_OK;
}

/* Tasks that had to wait for others. */
static void let_in(struct master *m) {
  for (size_t i = 0; i < m->task_count; i++) {
    if (m->tasks[i].later) {
      queue_put(&m->pending, i);
    }
  }
}

status master_create(struct master **out, const struct master_options *options,
                     const struct master_task *tasks, size_t count, struct error *err) {
  struct master *m;
  TRY(mem_alloc(&m, 1, sizeof *m, err));
  m->options = *options;
  m->options.shared = NULL;
  m->options.later = NULL;
  m->task_count = count;
  m->live = options->ranks;
  status st;
  TRY_GOTO(st, fail, mem_alloc(&m->tasks, count, sizeof *m->tasks, err));
  TRY_GOTO(st, fail, mem_alloc(&m->ranks, (size_t)options->ranks, sizeof *m->ranks, err));
  TRY_GOTO(st, fail, queue_create(&m->pending, tasks, count, options->shared, options->later, err));
  TRY_GOTO(st, fail, heap_create(&m->aside, count, err));
  TRY_GOTO(st, fail, heap_create(&m->idle, (size_t)options->ranks, err));
  TRY_GOTO(st, fail, heap_create(&m->deadlines, (size_t)options->ranks, err));
  for (size_t i = 0; i < count; i++) {
    m->tasks[i] = (struct task){.cost = tasks[i].cost,
                                .cells = tasks[i].cells,
                                .open = tasks[i].cells,
                                .key = tasks[i].key,
                                .first = m->cell_count,
                                .later = options->later && options->later[i]};
    m->earlier += !m->tasks[i].later;
    m->cell_count += (size_t)tasks[i].cells;
    m->cost += tasks[i].cost;
  }
  TRY_GOTO(st, fail, mem_alloc(&m->cells, m->cell_count, sizeof *m->cells, err));
  if (m->earlier == 0) {
    let_in(m);
  }
  *out = m;
  return STATUS_OK;
fail:
  master_free(m);
  return st;
}

void master_free(struct master *m) {
  if (!m) {
    return;
  }
  free(m->tasks);
  free(m->cells);
  free(m->ranks);
  queue_free(&m->pending);
  heap_free(&m->aside);
  heap_free(&m->idle);
  heap_free(&m->deadlines);
  free(m);
}

bool master_cell_open(const struct master *m, int task, int cell) {
  return !m->cells[m->tasks[task].first + (size_t)cell].done;
}

struct master_state master_state(const struct master *m) {
  return (struct master_state){.cells = m->cell_count,
                               .done = m->done,
                               .cost = m->cost,
                               .cost_done = m->cost_done,
                               .ranks_live = m->live,
                               .ranks_busy = m->busy,
                               .finished = m->finished,
                               .stopped = m->stopped};
}

static void close_cell(struct master *m, int task, int cell) {
  struct task *t = &m->tasks[task];
  m->cells[t->first + (size_t)cell].done = true;
  m->done++;
  m->cost_done += t->cost / t->cells;
  t->open--;
  if (t->open == 0 && !t->later && --m->earlier == 0) {
    let_in(m);
  }
}

static status finish(struct master *m, struct actions *out, struct error *err) {
  m->finished = true;
  m->stopped = m->done < m->cell_count;
  for (int r = 0; r < m->options.ranks; r++) {
    if (m->ranks[r].state != RANK_LOST) {
      TRY(act(out, (struct action){.kind = ACTION_STOP, .rank = r}, err));
    }
  }
  return act(out, (struct action){.kind = ACTION_FINISH}, err);
}

static bool fits(const struct master *m, size_t task, double now) {
  if (m->options.end <= 0 || m->spent_cost <= 0) {
    return true;
  }
  return now + m->tasks[task].cost * (m->spent_seconds / m->spent_cost) <= m->options.end;
}

static void stay_with(struct master *m, size_t rank, int key) {
  queue_move(&m->pending, m->ranks[rank].key, key);
  m->ranks[rank].key = key;
}

/* The next task for the rank, if there is one that can end in time. One that cannot is put aside,
 * as time left only shrinks; but how long a unit of cost takes is learned on the way, and a first
 * lease that paid for what others share makes all look too long, so the shortest may come back. */
static bool choose(struct master *m, size_t rank, double now, size_t *out) {
  while (queue_has(&m->pending, m->ranks[rank].key)) {
    *out = queue_take(&m->pending, m->ranks[rank].key);
    if (fits(m, *out, now)) {
      return true;
    }
    heap_set(&m->aside, *out, m->tasks[*out].cost);
  }
  if (m->aside.count == 0 || !fits(m, heap_top(&m->aside), now)) {
    return false;
  }
  *out = heap_top(&m->aside);
  heap_remove(&m->aside, *out);
  return true;
}

static status lease(struct master *m, size_t rank, size_t task, double now, struct actions *out,
                    struct error *err) {
  const struct task *t = &m->tasks[task];
  stay_with(m, rank, t->key);
  m->ranks[rank] = (struct rank){.state = RANK_BUSY,
                                 .task = (int)task,
                                 .key = t->key,
                                 .instance = ++m->instances,
                                 .cell = MASTER_PREPARE,
                                 .whole = t->open == t->cells,
                                 .started = now};
  m->busy++;
  heap_set(&m->deadlines, rank, now + m->options.lease_timeout);
  struct action a = {
      .kind = ACTION_LEASE, .rank = (int)rank, .task = (int)task, .instance = m->instances};
  return act(out, a, err);
}

static status hand_out(struct master *m, double now, struct actions *out, struct error *err) {
  size_t task;
  while (m->idle.count && choose(m, heap_top(&m->idle), now, &task)) {
    size_t rank = heap_top(&m->idle);
    heap_remove(&m->idle, rank);
    TRY(lease(m, rank, task, now, out, err));
  }
  return STATUS_OK;
}

static status give_up(struct master *m, int task, int cell, struct actions *out,
                      struct error *err) {
  close_cell(m, task, cell);
  return act(out, (struct action){.kind = ACTION_FAIL, .task = task, .cell = cell}, err);
}

/* The rank has no lease any more; the task goes back when cells are left. */
static void end_lease(struct master *m, int rank) {
  struct rank *r = &m->ranks[rank];
  m->busy--;
  if (m->tasks[r->task].open > 0) {
    queue_put(&m->pending, (size_t)r->task);
  }
}

/* The lease broke while the rank worked on r->cell. */
static status count_crash(struct master *m, const struct rank *r, struct actions *out,
                          struct error *err) {
  struct task *t = &m->tasks[r->task];
  if (r->cell != MASTER_PREPARE && master_cell_open(m, r->task, r->cell)) {
    struct cell *c = &m->cells[t->first + (size_t)r->cell];
    return ++c->crashes >= m->options.crash_limit ? give_up(m, r->task, r->cell, out, err)
                                                  : STATUS_OK;
  }
  if (++t->crashes < m->options.crash_limit) {
    return STATUS_OK;
  }
  for (int c = 0; c < t->cells; c++) {
    if (master_cell_open(m, r->task, c)) {
      TRY(give_up(m, r->task, c, out, err));
    }
  }
  return STATUS_OK;
}

/* blame: what the rank worked on may be why. */
static status lose(struct master *m, int rank, bool blame, struct actions *out, struct error *err) {
  struct rank *r = &m->ranks[rank];
  if (r->state == RANK_LOST) {
    return STATUS_OK;
  }
  struct action a = {.kind = ACTION_LOST, .rank = rank, .task = -1};
  heap_remove(&m->idle, (size_t)rank);
  heap_remove(&m->deadlines, (size_t)rank);
  m->live--;
  if (r->state == RANK_BUSY) {
    a.task = r->task;
    a.instance = r->instance;
  }
  TRY(act(out, a, err));
  if (r->state == RANK_BUSY) {
    TRY(blame ? count_crash(m, r, out, err) : STATUS_OK);
    end_lease(m, rank);
  }
  r->state = RANK_LOST;
  stay_with(m, (size_t)rank, 0);
  return STATUS_OK;
}

static bool current(const struct master *m, const struct event *e) {
  const struct rank *r = &m->ranks[e->rank];
  return r->state == RANK_BUSY && r->task == e->task && r->instance == e->instance;
}

static status ready(struct master *m, const struct event *e, struct actions *out,
                    struct error *err) {
  struct rank *r = &m->ranks[e->rank];
  if (r->state == RANK_BUSY) {
    TRY(count_crash(m, r, out, err)); /* it forgot its lease */
    end_lease(m, e->rank);
  }
  m->live += r->state == RANK_LOST; /* it was only slow */
  m->gone -= r->gone;
  r->gone = false;
  r->state = RANK_IDLE;
  heap_remove(&m->deadlines, (size_t)e->rank);
  /* before others that wait: it may have what a task of its key shares, they have not */
  size_t rank = (size_t)e->rank, task;
  heap_remove(&m->idle, rank);
  if (choose(m, rank, e->now, &task)) {
    return lease(m, rank, task, e->now, out, err);
  }
  stay_with(m, rank, 0); /* nobody shall wait for it to come back to its key */
  heap_set(&m->idle, rank, e->rank);
  return STATUS_OK;
}

static status result(struct master *m, const struct event *e, struct actions *out,
                     struct error *err) {
  if (e->cell != MASTER_PREPARE) {
    if (!master_cell_open(m, e->task, e->cell)) {
      return STATUS_OK;
    }
    close_cell(m, e->task, e->cell);
  }
  return act(out,
             (struct action){.kind = ACTION_RECORD,
                             .rank = e->rank,
                             .task = e->task,
                             .cell = e->cell,
                             .instance = e->instance},
             err);
}

static status done(struct master *m, const struct event *e, struct actions *out,
                   struct error *err) {
  struct rank *r = &m->ranks[e->rank];
  bool left = m->tasks[r->task].open > 0;
  if (!left && r->whole) {
    m->spent_seconds += e->now - r->started;
    m->spent_cost += m->tasks[r->task].cost;
  } else if (left) {
    r->cell = MASTER_PREPARE;
    TRY(count_crash(m, r, out, err)); /* it left cells out: as good as a crash */
  }
  end_lease(m, e->rank);
  r->state = RANK_AWAITED;
  r->heard = false;
  heap_set(&m->deadlines, (size_t)e->rank, e->now + m->options.lease_timeout);
  return STATUS_OK;
}

/* A rank that never answered to its lease was gone before: its task is not to blame. */
static status tick(struct master *m, double now, struct actions *out, struct error *err) {
  while (m->deadlines.count && m->deadlines.key[heap_top(&m->deadlines)] <= now) {
    size_t rank = heap_top(&m->deadlines);
    TRY(lose(m, (int)rank, m->ranks[rank].heard, out, err));
  }
  return STATUS_OK;
}

static status check(const struct master *m, const struct event *e, struct error *err) {
  bool of_rank = e->kind != EVENT_TICK && e->kind != EVENT_STOP;
  if (of_rank && (e->rank < 0 || e->rank >= m->options.ranks)) {
    return err_set(err, STATUS_BUG, "an event of rank %d of %d", e->rank, m->options.ranks);
  }
  if (e->kind != EVENT_BEAT && e->kind != EVENT_RESULT && e->kind != EVENT_DONE) {
    return STATUS_OK;
  }
  if (e->task < 0 || (size_t)e->task >= m->task_count) {
    return err_set(err, STATUS_BUG, "an event of task %d of %zu", e->task, m->task_count);
  }
  if (e->kind != EVENT_DONE && (e->cell < MASTER_PREPARE || e->cell >= m->tasks[e->task].cells)) {
    return err_set(err, STATUS_BUG, "an event of cell %d of %d", e->cell, m->tasks[e->task].cells);
  }
  return STATUS_OK;
}

status master_event(struct master *m, const struct event *e, struct actions *out,
                    struct error *err) {
  TRY(check(m, e, err));
  if (m->finished) {
    return STATUS_OK;
  }
  switch (e->kind) {
  case EVENT_READY:
    TRY(ready(m, e, out, err));
    break;
  case EVENT_BEAT:
  case EVENT_RESULT:
    if (current(m, e)) {
      m->ranks[e->rank].cell = e->cell;
      m->ranks[e->rank].heard = true;
      heap_set(&m->deadlines, (size_t)e->rank, e->now + m->options.lease_timeout);
      if (e->kind == EVENT_RESULT) {
        TRY(result(m, e, out, err));
      }
    }
    break;
  case EVENT_DONE:
    if (current(m, e)) {
      TRY(done(m, e, out, err));
    }
    break;
  case EVENT_LOST:
    TRY(lose(m, e->rank, true, out, err));
    m->gone += !m->ranks[e->rank].gone;
    m->ranks[e->rank].gone = true;
    break;
  case EVENT_TICK:
    TRY(tick(m, e->now, out, err));
    break;
  case EVENT_STOP:
    return finish(m, out, err);
  }
  TRY(hand_out(m, e->now, out, err));
  bool late = m->options.end > 0 && e->now >= m->options.end;
  /* nobody works and nothing that is left can end in time */
  bool stuck = m->busy == 0 && m->pending.pending == 0 &&
               (m->aside.count == 0 || !fits(m, heap_top(&m->aside), e->now));
  if (m->done == m->cell_count || late || m->gone == m->options.ranks || stuck) {
    return finish(m, out, err);
  }
  return STATUS_OK;
}
