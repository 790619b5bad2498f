/* When a rank waits although there is work, and when work waits although there is a rank. */
#include "support.h"

#include "sched/master.h"

static struct error err;
static struct actions actions;

static struct master *make(int ranks, const struct master_task *tasks, size_t count,
                           const double *shared, double end) {
  struct master_options o = {
      .ranks = ranks, .lease_timeout = 10, .crash_limit = 3, .end = end, .shared = shared};
  struct master *m;
  assert_ok(master_create(&m, &o, tasks, count, &err));
  return m;
}

static size_t count(enum action_kind kind) {
  size_t n = 0;
  for (size_t i = 0; i < actions.count; i++) {
    n += actions.at[i].kind == kind;
  }
  return n;
}

static void feed(struct master *m, struct event e) {
  actions.count = 0;
  assert_ok(master_event(m, &e, &actions, &err));
}

/* The lease that rank got, or task -1. */
static struct action lease_of(int rank) {
  for (size_t i = 0; i < actions.count; i++) {
    if (actions.at[i].kind == ACTION_LEASE && actions.at[i].rank == rank) {
      return actions.at[i];
    }
  }
  return (struct action){.task = -1};
}

static struct action ready(struct master *m, int rank, double now) {
  feed(m, (struct event){.kind = EVENT_READY, .rank = rank, .now = now});
  return lease_of(rank);
}

/* All of a task with one cell. */
static void finish(struct master *m, struct action lease, double now) {
  struct event e = {.kind = EVENT_RESULT,
                    .rank = lease.rank,
                    .task = lease.task,
                    .instance = lease.instance,
                    .now = now};
  feed(m, e);
  assert_int_equal(count(ACTION_RECORD), 1);
  e.kind = EVENT_DONE;
  feed(m, e);
}

static void stop(struct master *m) {
  master_free(m);
  actions_free(&actions);
}

static void a_rank_joins_a_key_only_if_that_ends_it_sooner(void **state) {
  (void)state;
  /* what the key shares costs more than all that is left of it once rank 0 has a task */
  static const double shared[] = {0, 100};
  struct master_task tasks[] = {{30, 1, 1}, {30, 1, 1}, {30, 1, 1}};
  struct master *m = make(3, tasks, 3, shared, 0);
  struct action lease = ready(m, 0, 0);
  assert_int_equal(lease.task, 0);
  assert_int_equal(ready(m, 1, 0).task, -1);
  finish(m, lease, 5);
  assert_int_equal(count(ACTION_LEASE), 0);
  lease = ready(m, 0, 5);
  assert_int_equal(lease.task, 1);
  /* rank 0 is gone: the key has nobody, and is worth it */
  feed(m, (struct event){.kind = EVENT_LOST, .rank = 0, .now = 6});
  assert_int_equal(lease_of(1).task, 1);
  stop(m);
}

static void a_key_with_much_left_is_joined(void **state) {
  (void)state;
  static const double shared[] = {0, 50};
  struct master_task tasks[] = {{30, 1, 1}, {30, 1, 1}, {30, 1, 1}, {30, 1, 1}};
  struct master *m = make(3, tasks, 4, shared, 0);
  assert_int_equal(ready(m, 0, 0).task, 0);
  assert_int_equal(ready(m, 1, 0).task, 1);  /* 90 left > 50 */
  assert_int_equal(ready(m, 2, 0).task, -1); /* 60 left < 2 x 50 */
  stop(m);
}

static void a_rank_that_never_asks_again_does_not_hold_its_key(void **state) {
  (void)state;
  static const double shared[] = {0, 100};
  struct master_task tasks[] = {{30, 1, 1}, {30, 1, 1}};
  struct master *m = make(2, tasks, 2, shared, 0);
  struct action lease = ready(m, 0, 0);
  assert_int_equal(ready(m, 1, 0).task, -1);
  finish(m, lease, 5);
  feed(m, (struct event){.kind = EVENT_TICK, .now = 14.9});
  assert_int_equal(actions.count, 0);
  feed(m, (struct event){.kind = EVENT_TICK, .now = 15});
  assert_int_equal(count(ACTION_LOST), 1);
  assert_int_equal(lease_of(1).task, 1);
  stop(m);
}

static void tasks_that_cost_nothing_are_done_too(void **state) {
  (void)state;
  static const double shared[] = {0, 7};
  struct master_task tasks[] = {{0, 1, 1}, {0, 1, 1}};
  struct master *m = make(1, tasks, 2, shared, 0);
  struct action lease = ready(m, 0, 0);
  assert_int_equal(lease.task, 0);
  finish(m, lease, 1);
  assert_int_equal(ready(m, 0, 1).task, 1);
  stop(m);
}

static void a_slow_first_lease_does_not_end_the_run(void **state) {
  (void)state;
  struct master_task tasks[] = {{10, 1, 0}, {9, 1, 0}, {8, 1, 0}, {7.5, 1, 0}};
  struct master *m = make(2, tasks, 4, NULL, 85);
  struct action first = ready(m, 0, 0), second = {0};
  for (int t = 1; t < 5; t++) { /* it lives all the time */
    struct event beat = {.kind = EVENT_BEAT, .instance = first.instance, .now = 9.5 * t};
    feed(m, beat);
  }
  second = ready(m, 1, 40);
  assert_int_equal(second.task, 1);
  finish(m, first, 47);
  assert_int_equal(ready(m, 0, 50).task, -1); /* 4.7 s each: 7.5 take until 85.25 */
  assert_false(master_state(m).finished);
  finish(m, second, 50.5);
  second = lease_of(0); /* (47 + 10.5) / 19 s each: both fit, the shorter went aside last */
  assert_int_equal(second.task, 3);
  assert_int_equal(ready(m, 1, 51).task, 2);
  assert_false(master_state(m).finished);
  stop(m);
}

static void a_task_is_not_blamed_for_ranks_that_were_gone_before(void **state) {
  (void)state;
  struct master_task task = {1, 1, 0};
  for (int heard = 0; heard < 2; heard++) {
    struct master *m = make(5, &task, 1, NULL, 0);
    struct action lease = ready(m, 0, 0);
    for (int r = 1; r < 5; r++) {
      (void)ready(m, r, 0);
    }
    size_t failed = 0;
    for (int r = 0; r < 4 && failed == 0; r++) {
      double now = 20 * r;
      if (heard) {
        feed(m, (struct event){.kind = EVENT_BEAT,
                               .rank = r,
                               .cell = MASTER_PREPARE,
                               .instance = lease.instance,
                               .now = now});
      }
      feed(m, (struct event){.kind = EVENT_TICK, .now = now + 20});
      assert_int_equal(count(ACTION_LOST), 1);
      failed = count(ACTION_FAIL);
      lease = lease_of(r + 1);
    }
    assert_int_equal(failed, heard);
    assert_int_equal(lease.task, heard ? -1 : 0);
    stop(m);
  }
}

static void a_run_ends_when_all_ranks_are_gone_but_not_when_one_comes_back(void **state) {
  (void)state;
  struct master_task task = {1, 1, 0};
  struct master *m = make(2, &task, 1, NULL, 0);
  feed(m, (struct event){.kind = EVENT_LOST, .rank = 0});
  assert_int_equal(ready(m, 0, 1).task, 0);
  feed(m, (struct event){.kind = EVENT_LOST, .rank = 1, .now = 2});
  assert_int_equal(count(ACTION_FINISH), 0);
  feed(m, (struct event){.kind = EVENT_LOST, .rank = 0, .now = 3});
  assert_int_equal(count(ACTION_FINISH), 1);
  assert_true(master_state(m).stopped);
  stop(m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rank_joins_a_key_only_if_that_ends_it_sooner),
      cmocka_unit_test(a_key_with_much_left_is_joined),
      cmocka_unit_test(a_rank_that_never_asks_again_does_not_hold_its_key),
      cmocka_unit_test(tasks_that_cost_nothing_are_done_too),
      cmocka_unit_test(a_slow_first_lease_does_not_end_the_run),
      cmocka_unit_test(a_task_is_not_blamed_for_ranks_that_were_gone_before),
      cmocka_unit_test(a_run_ends_when_all_ranks_are_gone_but_not_when_one_comes_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
