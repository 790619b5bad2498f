/* The master: leases, losses, late answers, the end. Properties are checked over thousands of
 * random schedules, with a model of the workers inside. */
#include "support.h"

#include "base/mem.h"
#include "base/rng.h"
#include "sched/heap.h"
#include "sched/master.h"

static struct error err;

static struct master *make(int ranks, const struct master_task *tasks, size_t count, double end) {
  struct master_options o = {.ranks = ranks, .lease_timeout = 10, .crash_limit = 3, .end = end};
  struct master *m;
  assert_ok(master_create(&m, &o, tasks, count, &err));
  return m;
}

static void feed(struct master *m, struct actions *a, struct event e) {
  a->count = 0;
  assert_ok(master_event(m, &e, a, &err));
}

static const struct action *find(const struct actions *a, enum action_kind kind) {
  for (size_t i = 0; i < a->count; i++) {
    if (a->at[i].kind == kind) {
      return &a->at[i];
    }
  }
  return NULL;
}

static void heap_gives_the_smallest_key_first(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 7);
  struct heap h;
  assert_ok(heap_create(&h, 200, &err));
  for (int round = 0; round < 50; round++) {
    for (size_t i = 0; i < 200; i++) {
      heap_set(&h, i, (double)rng_below(&r, 40));
    }
    for (int i = 0; i < 60; i++) {
      heap_remove(&h, rng_below(&r, 200));
      heap_set(&h, rng_below(&r, 200), (double)rng_below(&r, 40));
    }
    double last = -1;
    size_t last_item = 0;
    while (h.count) {
      size_t item = heap_top(&h);
      assert_true(h.key[item] > last || (h.key[item] == last && item > last_item));
      last = h.key[item];
      last_item = item;
      heap_remove(&h, item);
      assert_false(heap_has(&h, item));
    }
  }
  heap_free(&h);
}

static void longest_tasks_go_out_first(void **state) {
  (void)state;
  struct master_task tasks[] = {{1, 1, 0}, {5, 1, 0}, {3, 1, 0}, {5, 1, 0}};
  int order[] = {1, 3, 2, 0};
  struct master *m = make(4, tasks, 4, 0);
  struct actions a = {0};
  for (int r = 0; r < 4; r++) {
    feed(m, &a, (struct event){.kind = EVENT_READY, .rank = r});
    const struct action *lease = find(&a, ACTION_LEASE);
    assert_non_null(lease);
    assert_int_equal(lease->task, order[r]);
    assert_int_equal(lease->rank, r);
  }
  actions_free(&a);
  master_free(m);
}

static void later_tasks_wait_for_all_others(void **state) {
  (void)state;
  struct master_task tasks[] = {{9, 1, 0}, {1, 1, 0}, {2, 1, 0}};
  bool later[] = {true, false, false};
  struct master_options o = {.ranks = 3, .lease_timeout = 10, .crash_limit = 1, .later = later};
  struct master *m;
  struct actions a = {0};
  assert_ok(master_create(&m, &o, tasks, 3, &err));
  int64_t instances[3];
  for (int r = 0; r < 2; r++) {
    feed(m, &a, (struct event){.kind = EVENT_READY, .rank = r});
    assert_int_equal(find(&a, ACTION_LEASE)->task, 2 - r);
    instances[r] = find(&a, ACTION_LEASE)->instance;
  }
  feed(m, &a, (struct event){.kind = EVENT_READY, .rank = 2});
  assert_null(find(&a, ACTION_LEASE));
  feed(m, &a, (struct event){.kind = EVENT_RESULT, .rank = 0, .task = 2, .instance = instances[0]});
  assert_null(find(&a, ACTION_LEASE));
  /* one that is given up has ended too */
  feed(m, &a, (struct event){.kind = EVENT_BEAT, .rank = 1, .task = 1, .instance = instances[1]});
  feed(m, &a, (struct event){.kind = EVENT_LOST, .rank = 1});
  assert_non_null(find(&a, ACTION_FAIL));
  assert_int_equal(find(&a, ACTION_LEASE)->task, 0);
  assert_int_equal(find(&a, ACTION_LEASE)->rank, 2);
  actions_free(&a);
  master_free(m);
}

static void nothing_to_do_finishes_at_the_first_event(void **state) {
  (void)state;
  struct master *m = make(2, NULL, 0, 0);
  struct actions a = {0};
  feed(m, &a, (struct event){.kind = EVENT_READY});
  assert_non_null(find(&a, ACTION_FINISH));
  assert_false(master_state(m).stopped);
  actions_free(&a);
  master_free(m);
}

static void a_silent_rank_loses_its_lease_and_its_late_answers_are_dropped(void **state) {
  (void)state;
  struct master_task task = {1, 2, 0};
  struct master *m = make(2, &task, 1, 0);
  struct actions a = {0};
  feed(m, &a, (struct event){.kind = EVENT_READY, .rank = 1});
  int64_t old = find(&a, ACTION_LEASE)->instance;
  struct event answer = {.kind = EVENT_RESULT, .now = 5, .rank = 1, .cell = 0, .instance = old};
  feed(m, &a, answer);
  assert_non_null(find(&a, ACTION_RECORD));
  feed(m, &a, (struct event){.kind = EVENT_READY, .now = 6, .rank = 0});
  assert_null(find(&a, ACTION_LEASE));
  feed(m, &a, (struct event){.kind = EVENT_TICK, .now = 14.9});
  assert_int_equal(a.count, 0);
  feed(m, &a, (struct event){.kind = EVENT_TICK, .now = 15});
  assert_int_equal(find(&a, ACTION_LOST)->rank, 1);
  const struct action *again = find(&a, ACTION_LEASE);
  assert_non_null(again);
  assert_int_equal(again->rank, 0);
  assert_true(again->instance > old);
  assert_false(master_cell_open(m, 0, 0));
  assert_true(master_cell_open(m, 0, 1));
  int64_t instance = again->instance;
  answer.cell = 1;
  answer.now = 16;
  feed(m, &a, answer);
  assert_int_equal(a.count, 0);
  feed(m, &a,
       (struct event){.kind = EVENT_RESULT, .now = 17, .rank = 0, .cell = 1, .instance = instance});
  assert_non_null(find(&a, ACTION_RECORD));
  assert_non_null(find(&a, ACTION_FINISH));
  actions_free(&a);
  master_free(m);
}

static void a_beat_keeps_a_lease_alive(void **state) {
  (void)state;
  struct master_task task = {1, 1, 0};
  struct master *m = make(1, &task, 1, 0);
  struct actions a = {0};
  feed(m, &a, (struct event){.kind = EVENT_READY});
  int64_t instance = find(&a, ACTION_LEASE)->instance;
  for (int t = 1; t < 100; t++) {
    feed(m, &a, (struct event){.kind = EVENT_BEAT, .now = 9 * t, .instance = instance});
    feed(m, &a, (struct event){.kind = EVENT_TICK, .now = 9 * t + 8});
    assert_int_equal(a.count, 0);
  }
  actions_free(&a);
  master_free(m);
}

static void a_cell_that_kills_three_workers_is_given_up_and_the_others_are_not(void **state) {
  (void)state;
  struct master_task task = {1, 3, 0};
  struct master *m = make(4, &task, 1, 0);
  struct actions a = {0};
  feed(m, &a, (struct event){.kind = EVENT_READY, .rank = 0});
  for (int r = 0; r < 3; r++) {
    const struct action *lease = find(&a, ACTION_LEASE);
    assert_non_null(lease);
    assert_int_equal(lease->rank, r);
    int64_t instance = lease->instance;
    feed(m, &a, (struct event){.kind = EVENT_READY, .rank = r + 1});
    feed(m, &a, (struct event){.kind = EVENT_BEAT, .rank = r, .cell = 1, .instance = instance});
    feed(m, &a, (struct event){.kind = EVENT_LOST, .rank = r});
    assert_int_equal(find(&a, ACTION_FAIL) != NULL, r == 2);
  }
  assert_int_equal(find(&a, ACTION_FAIL)->cell, 1);
  const struct action *lease = find(&a, ACTION_LEASE);
  assert_int_equal(lease->rank, 3);
  assert_true(master_cell_open(m, 0, 0) && master_cell_open(m, 0, 2));
  actions_free(&a);
  master_free(m);
}

static void a_pruning_that_kills_three_workers_gives_up_its_cells(void **state) {
  (void)state;
  struct master_task tasks[] = {{2, 3, 0}, {1, 1, 0}};
  struct master *m = make(4, tasks, 2, 0);
  struct actions a = {0};
  for (int r = 0; r < 3; r++) {
    feed(m, &a, (struct event){.kind = EVENT_READY, .rank = r});
    assert_int_equal(find(&a, ACTION_LEASE)->task, 0);
    feed(m, &a, (struct event){.kind = EVENT_LOST, .rank = r});
  }
  int failed = 0;
  for (size_t i = 0; i < a.count; i++) {
    failed += a.at[i].kind == ACTION_FAIL;
  }
  assert_int_equal(failed, 3);
  feed(m, &a, (struct event){.kind = EVENT_READY, .rank = 3});
  assert_int_equal(find(&a, ACTION_LEASE)->task, 1);
  actions_free(&a);
  master_free(m);
}

static void stop_drops_what_is_in_flight_and_stops_every_rank(void **state) {
  (void)state;
  struct master_task tasks[] = {{2, 1, 0}, {1, 1, 0}, {1, 1, 0}};
  struct master *m = make(3, tasks, 3, 0);
  struct actions a = {0};
  feed(m, &a, (struct event){.kind = EVENT_READY, .rank = 0});
  feed(m, &a, (struct event){.kind = EVENT_READY, .rank = 1});
  int64_t instance = find(&a, ACTION_LEASE)->instance;
  feed(m, &a, (struct event){.kind = EVENT_STOP});
  int stops = 0;
  for (size_t i = 0; i < a.count; i++) {
    stops += a.at[i].kind == ACTION_STOP;
  }
  assert_int_equal(stops, 3);
  assert_non_null(find(&a, ACTION_FINISH));
  assert_true(master_state(m).stopped);
  feed(m, &a, (struct event){.kind = EVENT_RESULT, .rank = 1, .task = 1, .instance = instance});
  assert_int_equal(a.count, 0);
  actions_free(&a);
  master_free(m);
}

static void what_cannot_end_in_time_is_not_handed_out(void **state) {
  (void)state;
  struct master_task tasks[] = {{10, 1, 0}, {9, 1, 0}, {2, 1, 0}};
  struct master *m = make(1, tasks, 3, 14);
  struct actions a = {0};
  struct event e = {.kind = EVENT_READY};
  feed(m, &a, e);
  assert_int_equal(find(&a, ACTION_LEASE)->task, 0);
  e = (struct event){.kind = EVENT_RESULT, .now = 10, .instance = find(&a, ACTION_LEASE)->instance};
  feed(m, &a, e);
  e.kind = EVENT_DONE;
  feed(m, &a, e);
  /* a unit of cost took a second: 9 do not fit into the 4 that are left, 2 do */
  feed(m, &a, (struct event){.kind = EVENT_READY, .now = 10});
  assert_int_equal(find(&a, ACTION_LEASE)->task, 2);
  e = (struct event){
      .kind = EVENT_RESULT, .now = 12, .task = 2, .instance = find(&a, ACTION_LEASE)->instance};
  feed(m, &a, e);
  e.kind = EVENT_DONE;
  feed(m, &a, e);
  assert_non_null(find(&a, ACTION_FINISH));
  assert_true(master_state(m).stopped);
  actions_free(&a);
  master_free(m);
}

static void events_of_things_that_do_not_exist_are_refused(void **state) {
  (void)state;
  struct master_task task = {1, 2, 0};
  struct master *m = make(2, &task, 1, 0);
  struct actions a = {0};
  struct event bad[] = {{.kind = EVENT_READY, .rank = 2},
                        {.kind = EVENT_LOST, .rank = -1},
                        {.kind = EVENT_RESULT, .task = 1},
                        {.kind = EVENT_RESULT, .cell = 2},
                        {.kind = EVENT_BEAT, .cell = -2}};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_fails(master_event(m, &bad[i], &a, &err), STATUS_BUG, "an event of");
  }
  actions_free(&a);
  master_free(m);
}

/* Workers as a random schedule sees them. */
struct sim_rank {
  bool dead, slow; /* slow: taken for lost, but will answer */
  bool busy;
  int task, at; /* next cell to answer; MASTER_PREPARE first */
  int64_t instance;
};

struct sim {
  struct rng rng;
  struct master *m;
  struct actions actions;
  struct master_task tasks[40];
  int ended[40][6]; /* times a cell was recorded or given up */
  struct sim_rank ranks[8];
  int task_count, rank_count;
  double now;
  bool finished;
};

static void sim_event(struct sim *s, struct event e);

static void sim_act(struct sim *s, struct action a) {
  struct sim_rank *r = &s->ranks[a.rank];
  if (a.kind == ACTION_LEASE) {
    if (!r->dead) {
      *r = (struct sim_rank){
          .busy = true, .task = a.task, .at = MASTER_PREPARE, .instance = a.instance};
    }
  } else if ((a.kind == ACTION_RECORD && a.cell != MASTER_PREPARE) || a.kind == ACTION_FAIL) {
    s->ended[a.task][a.cell]++;
  } else if (a.kind == ACTION_FINISH) {
    assert_false(s->finished);
    s->finished = true;
  }
}

static void sim_event(struct sim *s, struct event e) {
  e.now = s->now;
  s->actions.count = 0;
  assert_ok(master_event(s->m, &e, &s->actions, &err));
  for (size_t i = 0; i < s->actions.count; i++) {
    sim_act(s, s->actions.at[i]);
  }
}

/* One step of one living rank: an answer, or the end of its lease and a wish for more. */
static void sim_step(struct sim *s, int rank) {
  struct sim_rank *r = &s->ranks[rank];
  if (!r->busy) {
    sim_event(s, (struct event){.kind = EVENT_READY, .rank = rank});
    return;
  }
  struct event e = {.rank = rank, .task = r->task, .instance = r->instance, .cell = r->at};
  if (r->at < s->tasks[r->task].cells) {
    e.kind = rng_below(&s->rng, 3) ? EVENT_RESULT : EVENT_BEAT;
    r->at += e.kind == EVENT_RESULT;
    sim_event(s, e);
    return;
  }
  e.kind = EVENT_DONE;
  r->busy = false;
  sim_event(s, e);
  sim_event(s, (struct event){.kind = EVENT_READY, .rank = rank});
}

static void sim_run(uint64_t seed) {
  struct sim s = {0};
  rng_seed(&s.rng, seed);
  s.task_count = (int)rng_below(&s.rng, 40) + 1;
  s.rank_count = (int)rng_below(&s.rng, 8) + 1;
  size_t cells = 0;
  int keys = (int)rng_below(&s.rng, (uint64_t)s.task_count) + 1; /* 0 among them */
  for (int t = 0; t < s.task_count; t++) {
    s.tasks[t] = (struct master_task){(double)rng_below(&s.rng, 9), (int)rng_below(&s.rng, 6) + 1,
                                      (int)rng_below(&s.rng, (uint64_t)keys)};
    cells += (size_t)s.tasks[t].cells;
  }
  s.m = make(s.rank_count, s.tasks, (size_t)s.task_count, 0);
  int steps = 0;
  while (!s.finished) {
    assert_true(++steps < 100000);
    int rank = (int)rng_below(&s.rng, (uint64_t)s.rank_count);
    struct sim_rank *r = &s.ranks[rank];
    uint64_t dice = rng_below(&s.rng, 100);
    s.now += rng_double(&s.rng);
    if (dice < 4 && rank != 0 && !r->dead) { /* dies; the master hears of it, or must find out */
      r->dead = true;
      if (rng_below(&s.rng, 2)) {
        sim_event(&s, (struct event){.kind = EVENT_LOST, .rank = rank});
      }
    } else if (dice < 8) {
      s.now += 12; /* everyone was silent for too long */
      sim_event(&s, (struct event){.kind = EVENT_TICK});
    } else if (dice < 20) {
      sim_event(&s, (struct event){.kind = EVENT_TICK});
    } else if (!r->dead) {
      sim_step(&s, rank);
    }
  }
  struct master_state state = master_state(s.m);
  assert_int_equal(state.done, cells);
  assert_int_equal(state.cells, cells);
  assert_false(state.stopped);
  for (int t = 0; t < s.task_count; t++) {
    for (int c = 0; c < s.tasks[t].cells; c++) {
      assert_int_equal(s.ended[t][c], 1);
    }
  }
  actions_free(&s.actions);
  master_free(s.m);
}

static void every_cell_ends_exactly_once_whatever_happens(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 4000; seed++) {
    sim_run(seed);
  }
}

static void ten_thousand_ranks_are_served(void **state) {
  (void)state;
  enum { RANKS = 10000, TASKS = 30000 };
  struct master_task *tasks;
  assert_ok(mem_alloc(&tasks, TASKS, sizeof *tasks, &err));
  for (int i = 0; i < TASKS; i++) {
    tasks[i] = (struct master_task){i % 97, 1, i % 3 ? i % 1000 : 0};
  }
  struct master *m = make(RANKS, tasks, TASKS, 0);
  struct actions a = {0};
  struct action *leases;
  assert_ok(mem_alloc(&leases, RANKS, sizeof *leases, &err));
  int busy = 0;
  for (int r = 0; r < RANKS; r++) {
    feed(m, &a, (struct event){.kind = EVENT_READY, .rank = r});
    leases[busy++] = *find(&a, ACTION_LEASE);
  }
  bool finished = false;
  for (int i = 0; i < busy; i++) {
    struct action l = leases[i % RANKS];
    struct event e = {
        .kind = EVENT_RESULT, .now = i, .rank = l.rank, .task = l.task, .instance = l.instance};
    e.now = 0;
    feed(m, &a, e);
    finished = find(&a, ACTION_FINISH) != NULL;
    e.kind = EVENT_DONE;
    feed(m, &a, e);
    e.kind = EVENT_READY;
    feed(m, &a, e);
    const struct action *next = find(&a, ACTION_LEASE);
    if (next) {
      leases[busy++ % RANKS] = *next;
    }
  }
  assert_int_equal(busy, TASKS);
  assert_true(finished);
  assert_int_equal(master_state(m).done, TASKS);
  free(leases);
  free(tasks);
  actions_free(&a);
  master_free(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(heap_gives_the_smallest_key_first),
      cmocka_unit_test(longest_tasks_go_out_first),
      cmocka_unit_test(nothing_to_do_finishes_at_the_first_event),
      cmocka_unit_test(a_silent_rank_loses_its_lease_and_its_late_answers_are_dropped),
      cmocka_unit_test(a_beat_keeps_a_lease_alive),
      cmocka_unit_test(a_cell_that_kills_three_workers_is_given_up_and_the_others_are_not),
      cmocka_unit_test(a_pruning_that_kills_three_workers_gives_up_its_cells),
      cmocka_unit_test(stop_drops_what_is_in_flight_and_stops_every_rank),
      cmocka_unit_test(what_cannot_end_in_time_is_not_handed_out),
      cmocka_unit_test(later_tasks_wait_for_all_others),
      cmocka_unit_test(events_of_things_that_do_not_exist_are_refused),
      cmocka_unit_test(every_cell_ends_exactly_once_whatever_happens),
      cmocka_unit_test(ten_thousand_ranks_are_served),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
