/* The master under 10,000 random schedules of losses, late answers, restarts and signals, and
 * against simulated ranks in virtual time. */
#include "support.h"

#include <math.h>

#include "base/rng.h"
#include "sched/master.h"
#include "sched/simulate.h"

static struct error err;

enum { SCHEDULES = 10000, TASKS = 12, CELLS = 4, RANKS = 6, OUTBOX = 16, TROUBLES = 12 };

struct agent {
  bool dead, busy;
  int task, at; /* next cell to answer; MASTER_PREPARE first */
  int64_t instance;
  struct event outbox[OUTBOX]; /* said, not yet heard */
  int said;
};

/* What outlives a master: the tasks, and what was recorded of them. */
struct world {
  struct rng rng;
  int tasks, ranks, cells[TASKS], key[TASKS];
  double cost[TASKS], shared[TASKS + 1];
  int ended[TASKS][CELLS]; /* times a cell was recorded or given up */
  bool later[TASKS];
  int troubles; /* still to come */
  double now;
  /* of one master */
  struct master *master;
  struct actions actions;
  int task[TASKS], cell[TASKS][CELLS]; /* the master's numbers -> ours */
  struct agent agents[RANKS];
  int64_t lease[RANKS]; /* instance of the lease that the rank has in the master's eyes; 0: none */
  int leased[RANKS];    /* its task */
  bool lost[RANKS];     /* not to be given work until it asks */
  bool finished, stopped;
};

/* Nothing is left of the tasks that a later one waits for. */
static bool may_go(const struct world *w, int task) {
  for (int t = 0; w->later[task] && t < w->tasks; t++) {
    for (int c = 0; !w->later[t] && c < w->cells[t]; c++) {
      if (w->ended[t][c] == 0) {
        return false;
      }
    }
  }
  return true;
}

static void take(struct world *w, const struct action *a) {
  struct agent *g = &w->agents[a->rank];
  switch (a->kind) {
  case ACTION_LEASE:
    assert_int_equal(w->lease[a->rank], 0);
    assert_false(w->lost[a->rank]);
    assert_true(may_go(w, w->task[a->task]));
    for (int r = 0; r < w->ranks; r++) { /* nobody else has the task */
      assert_true(w->lease[r] == 0 || w->leased[r] != a->task);
    }
    w->lease[a->rank] = a->instance;
    w->leased[a->rank] = a->task;
    if (!g->dead) {
      g->busy = true;
      g->task = a->task;
      g->at = MASTER_PREPARE;
      g->instance = a->instance;
    }
    break;
  case ACTION_RECORD:
    assert_true(w->lease[a->rank] == a->instance && w->leased[a->rank] == a->task);
    w->ended[w->task[a->task]][w->cell[a->task][a->cell < 0 ? 0 : a->cell]] += a->cell >= 0;
    break;
  case ACTION_FAIL:
    w->ended[w->task[a->task]][w->cell[a->task][a->cell]]++;
    break;
  case ACTION_LOST:
    assert_true(w->lease[a->rank] == a->instance);
    w->lease[a->rank] = 0;
    w->lost[a->rank] = true;
    break;
  case ACTION_FINISH:
    assert_false(w->finished);
    w->finished = true;
    break;
  case ACTION_STOP:
    break;
  }
}

/* Feeds an event and holds what follows against what may. */
static void feed(struct world *w, struct event e) {
  e.now = w->now;
  w->actions.count = 0;
  bool after = w->finished;
  if ((e.kind == EVENT_DONE || e.kind == EVENT_READY) && w->lease[e.rank] &&
      (e.kind == EVENT_READY || w->lease[e.rank] == e.instance)) {
    w->lease[e.rank] = 0;
  }
  if (e.kind == EVENT_READY) {
    w->lost[e.rank] = false;
  }
  assert_ok(master_event(w->master, &e, &w->actions, &err));
  assert_true(!after || w->actions.count == 0);
  for (size_t i = 0; i < w->actions.count; i++) {
    take(w, &w->actions.at[i]);
  }
  int leases = 0;
  for (int r = 0; r < w->ranks; r++) {
    leases += w->lease[r] != 0;
  }
  if (!w->finished) {
    assert_int_equal(master_state(w->master).ranks_busy, leases);
  }
}

static void say(struct agent *g, int rank, enum event_kind kind) {
  g->outbox[g->said++] = (struct event){
      .kind = kind, .rank = rank, .task = g->task, .cell = g->at, .instance = g->instance};
}

/* One step of a living rank; what it says waits to be heard. */
static void work(struct world *w, int rank) {
  struct agent *g = &w->agents[rank];
  if (g->dead || !g->busy || g->said + 2 > OUTBOX) {
    return;
  }
  int cells = 0;
  while (cells < CELLS && w->cell[g->task][cells] >= 0) {
    cells++;
  }
  if (g->at < cells) {
    bool answer = rng_below(&w->rng, 3) > 0;
    say(g, rank, answer ? EVENT_RESULT : EVENT_BEAT);
    g->at += answer;
    return;
  }
  g->at = MASTER_PREPARE;
  g->busy = false;
  say(g, rank, EVENT_DONE);
  say(g, rank, EVENT_READY);
}

/* Mostly in order; what is overtaken comes late, perhaps when the rank has its task again. */
static void hear(struct world *w, int rank) {
  struct agent *g = &w->agents[rank];
  if (g->said == 0) {
    return;
  }
  int i = rng_below(&w->rng, 16) ? 0 : (int)rng_below(&w->rng, (uint64_t)g->said);
  struct event e = g->outbox[i];
  memmove(g->outbox + i, g->outbox + i + 1, (size_t)(--g->said - i) * sizeof e);
  feed(w, e);
}

static int open_cells(const struct world *w) {
  int open = 0;
  for (int t = 0; t < w->tasks; t++) {
    for (int c = 0; c < w->cells[t]; c++) {
      open += w->ended[t][c] == 0;
    }
  }
  return open;
}

/* A master of what is not recorded; all ranks are there again. */
static void start(struct world *w) {
  struct master_task tasks[TASKS];
  bool later[TASKS];
  size_t count = 0;
  memset(w->cell, -1, sizeof w->cell);
  for (int t = 0; t < w->tasks; t++) {
    int cells = 0;
    for (int c = 0; c < w->cells[t]; c++) {
      if (w->ended[t][c] == 0) {
        w->cell[count][cells++] = c;
      }
    }
    if (cells) {
      w->task[count] = t;
      later[count] = w->later[t];
      tasks[count++] = (struct master_task){w->cost[t], cells, w->key[t] % (int)(count + 1)};
    }
  }
  struct master_options o = {.ranks = w->ranks,
                             .lease_timeout = 10,
                             .crash_limit = 3,
                             .shared = w->shared,
                             .later = later};
  if (w->troubles > 0 && rng_below(&w->rng, 3) == 0) {
    w->troubles--;
    o.end = w->now + (double)rng_below(&w->rng, 60) + 0.1;
  }
  assert_ok(master_create(&w->master, &o, tasks, count, &err));
  memset(w->agents, 0, sizeof w->agents);
  memset(w->lease, 0, sizeof w->lease);
  memset(w->lost, 0, sizeof w->lost);
  w->finished = false;
  w->stopped = false;
  for (int r = 0; r < w->ranks; r++) {
    say(&w->agents[r], r, EVENT_READY);
  }
}

/* Something goes wrong; false: the whole job does. */
static bool trouble(struct world *w) {
  int rank = (int)rng_below(&w->rng, (uint64_t)w->ranks);
  w->troubles--;
  switch (rng_below(&w->rng, 6)) {
  case 0:
    return false;
  case 1:
    w->stopped = true;
    feed(w, (struct event){.kind = EVENT_STOP});
    assert_true(w->finished);
    return true;
  case 2: /* silence, of all */
    w->now += 12;
    feed(w, (struct event){.kind = EVENT_TICK});
    return true;
  default: /* rank 0 is where the master is */
    w->agents[rank].dead = rank != 0;
    if (rank != 0 && rng_below(&w->rng, 2)) {
      feed(w, (struct event){.kind = EVENT_LOST, .rank = rank});
    }
    return true;
  }
}

/* Until the master finishes or its job dies. */
static void run_one(struct world *w) {
  for (int steps = 0; !w->finished; steps++) {
    assert_true(steps < 20000);
    int rank = (int)rng_below(&w->rng, (uint64_t)w->ranks);
    w->now += 0.1 * rng_double(&w->rng);
    uint64_t dice = rng_below(&w->rng, 100);
    if (dice < 3 && w->troubles > 0) {
      if (!trouble(w)) {
        return;
      }
    } else if (dice < 10) {
      w->now += rng_double(&w->rng);
      feed(w, (struct event){.kind = EVENT_TICK});
    } else if (dice < 55) {
      work(w, rank);
    } else {
      hear(w, rank);
    }
  }
  int open = open_cells(w);
  assert_int_equal(master_state(w->master).stopped, open > 0);
  for (int r = 0; r < w->ranks; r++) { /* what comes late changes nothing */
    work(w, r);
    while (w->agents[r].said) {
      hear(w, r);
    }
  }
  assert_int_equal(open_cells(w), open);
}

static void live(uint64_t seed, int *restarts) {
  struct world w = {.troubles = TROUBLES};
  rng_seed(&w.rng, seed);
  w.tasks = (int)rng_below(&w.rng, TASKS) + 1;
  w.ranks = (int)rng_below(&w.rng, RANKS) + 1;
  int keys = (int)rng_below(&w.rng, (uint64_t)w.tasks) + 1; /* 0 among them */
  for (int t = 0; t < w.tasks; t++) {
    w.cells[t] = (int)rng_below(&w.rng, CELLS) + 1;
    w.key[t] = (int)rng_below(&w.rng, (uint64_t)keys);
    w.cost[t] = (double)rng_below(&w.rng, 9);
    w.shared[t + 1] = (double)rng_below(&w.rng, 12);
    w.later[t] = seed % 3 == 0 && rng_below(&w.rng, 2);
  }
  for (int jobs = 0; open_cells(&w) > 0; jobs++) {
    assert_true(jobs <= TROUBLES);
    start(&w);
    run_one(&w);
    master_free(w.master);
    *restarts += jobs > 0;
  }
  for (int t = 0; t < w.tasks; t++) {
    for (int c = 0; c < w.cells[t]; c++) {
      assert_int_equal(w.ended[t][c], 1);
    }
  }
  actions_free(&w.actions);
}

static void every_cell_ends_once_in_ten_thousand_schedules(void **state) {
  (void)state;
  int restarts = 0;
  for (uint64_t seed = 0; seed < SCHEDULES; seed++) {
    live(seed, &restarts);
  }
  assert_true(restarts > SCHEDULES); /* the schedules do what they are for */
}

static struct simulate_result run(const struct simulate_shape *shape,
                                  const struct simulate_options *options) {
  struct simulate_work work;
  struct simulate_result r;
  assert_ok(simulate_work_make(&work, shape, &err));
  assert_ok(simulate(&r, &work, options, &err));
  simulate_work_free(&work);
  return r;
}

static void one_rank_takes_the_sum_of_all_and_nothing_twice(void **state) {
  (void)state;
  struct simulate_shape shape = {
      .cells = 100, .variant = 4, .share = 5, .seconds = 60, .spread = 0.5};
  struct simulate_options o = {.ranks = 1, .lease_timeout = 600};
  struct simulate_work work;
  struct simulate_result r;
  assert_ok(simulate_work_make(&work, &shape, &err));
  assert_ok(simulate(&r, &work, &o, &err));
  double sum = 0;
  for (size_t t = 0; t < work.task_count; t++) {
    sum += work.tasks[t].prepare;
  }
  for (size_t c = 0; c < work.cell_count; c++) {
    sum += work.cells[c];
  }
  for (int k = 1; k <= work.key_count; k++) {
    sum += work.passes[k];
  }
  assert_int_equal(work.key_count, 5);
  simulate_work_free(&work);
  assert_float_equal(r.makespan, sum, 1e-6);
  assert_float_equal(r.useful, sum, 1e-6);
  assert_float_equal(r.repeated, 0, 1e-6);
  assert_float_equal(r.lost, 0, 1e-6);
  assert_float_equal(r.efficiency, 1, 1e-9);
  assert_int_equal(r.recorded, 100);
  assert_int_equal(r.leases, 25);
  assert_int_equal(r.jobs, 1);
}

/* More ranks than keys: some pass is made twice, or ranks wait. Fifty keys on two: none is. */
static void passes_are_made_again_only_where_that_is_sooner(void **state) {
  (void)state;
  struct simulate_shape shape = {
      .cells = 2000, .variant = 4, .share = 10, .seconds = 60, .spread = 0.3};
  struct simulate_options o = {.ranks = 2, .lease_timeout = 600, .latency = 0.01, .noise = 0.2};
  struct simulate_result r = run(&shape, &o);
  assert_true(r.repeated < 2 * 120); /* the last key may be split */
  assert_true(r.efficiency > 0.99);
  o.ranks = 100;
  r = run(&shape, &o);
  assert_true(r.repeated > 40 * 120);
  assert_true(r.efficiency > 0.6);
}

static void the_same_seed_gives_the_same_run(void **state) {
  (void)state;
  struct simulate_shape shape = {
      .cells = 3000, .variant = 3, .share = 8, .seconds = 30, .spread = 1};
  struct simulate_options o = {.ranks = 40,
                               .mtbf = 4000,
                               .time_limit = 3000,
                               .lease_timeout = 60,
                               .latency = 0.01,
                               .noise = 0.2,
                               .seed = 5};
  struct simulate_result a = run(&shape, &o), b = run(&shape, &o);
  assert_true(a.makespan == b.makespan && a.useful == b.useful && a.lost == b.lost);
  assert_int_equal(a.events, b.events);
  o.seed = 6;
  b = run(&shape, &o);
  assert_true(a.makespan != b.makespan);
}

static void failures_and_time_limits_lose_work_but_no_cell(void **state) {
  (void)state;
  struct simulate_shape shape = {
      .cells = 4000, .variant = 4, .share = 5, .seconds = 60, .spread = 0.5};
  struct simulate_options o = {.ranks = 64, .lease_timeout = 120, .latency = 0.01, .noise = 0.2};
  struct simulate_result calm = run(&shape, &o);
  assert_int_equal(calm.again + calm.ranks_lost, 0);
  o.mtbf = 8 * 3600;
  o.time_limit = 3600;
  struct simulate_result r = run(&shape, &o);
  assert_int_equal(r.recorded + r.given_up, 4000);
  assert_true(r.recorded >= 3990);
  assert_true(r.ranks_lost > 0 && r.again >= r.ranks_lost / 2);
  assert_true(r.jobs > 1 && r.lost > 0 && !r.stuck);
  assert_true(r.makespan > calm.makespan && r.efficiency < calm.efficiency);
  o.time_limit = 20; /* no variant fits */
  r = run(&shape, &o);
  assert_true(r.stuck && r.recorded < 4000);
}

/* What the master costs is printed; machines differ too much to promise it. */
static void ten_thousand_ranks_are_kept_busy(void **state) {
  (void)state;
  struct simulate_options o = {.ranks = 10000, .lease_timeout = 600, .latency = 0.01, .noise = 0.2};
  static const int variants[] = {1, 2};
  for (size_t i = 0; i < 2; i++) {
    struct simulate_shape shape = {
        .cells = 200000, .variant = variants[i], .share = 1, .seconds = 60, .spread = 0.5};
    struct simulate_result r = run(&shape, &o);
    assert_int_equal(r.recorded, 200000);
    double each = 1e6 * (r.event_seconds + r.beat_seconds) / (double)r.events;
    print_message("10,000 ranks, 200,000 cells in %zu leases: efficiency %.3f, %zu events of %.2f "
                  "us\n",
                  r.leases, r.efficiency, r.events, each);
    assert_true(r.efficiency >= 0.95);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_cell_ends_once_in_ten_thousand_schedules),
      cmocka_unit_test(one_rank_takes_the_sum_of_all_and_nothing_twice),
      cmocka_unit_test(passes_are_made_again_only_where_that_is_sooner),
      cmocka_unit_test(the_same_seed_gives_the_same_run),
      cmocka_unit_test(failures_and_time_limits_lose_work_but_no_cell),
      cmocka_unit_test(ten_thousand_ranks_are_kept_busy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
