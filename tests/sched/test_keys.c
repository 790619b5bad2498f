/* Tasks that share work go to the rank that has it. */
#include "support.h"

#include "base/rng.h"
#include "sched/master.h"

static struct error err;

static struct master *make(int ranks, const struct master_task *tasks, size_t count) {
  struct master_options o = {.ranks = ranks, .lease_timeout = 10, .crash_limit = 3};
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

/* A rank is done with its lease and asks again; the task it gets, or -1. */
static int next_task(struct master *m, struct actions *a, int rank, struct action *lease) {
  struct event e = {.rank = rank, .task = lease->task, .instance = lease->instance};
  for (enum event_kind kind = lease->instance ? EVENT_RESULT : EVENT_READY;;) {
    e.kind = kind;
    feed(m, a, e);
    if (kind == EVENT_READY) {
      break;
    }
    kind = kind == EVENT_RESULT ? EVENT_DONE : EVENT_READY;
  }
  const struct action *next = find(a, ACTION_LEASE);
  *lease = next ? *next : (struct action){0};
  return next ? next->task : -1;
}

static void a_rank_stays_with_its_key_and_joins_where_most_is_left(void **state) {
  (void)state;
  /* key 1: 12 in four; key 2: 10 in three; key 3: 9 in one; no key: 5 and 1 */
  struct master_task tasks[] = {{1, 1, 1}, {4, 1, 1}, {4, 1, 1}, {3, 1, 1}, {3, 1, 2},
                                {4, 1, 2}, {3, 1, 2}, {9, 1, 3}, {5, 1, 0}, {1, 1, 0}};
  struct master *m = make(2, tasks, 10);
  struct actions a = {0};
  struct action lease[2] = {{0}, {0}};
  /* rank 0 takes key 1 (12), then rank 1 key 2 (10 beside 8 / 2 of key 1); each stays */
  static const int ranks[] = {0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1};
  static const int wanted[] = {1, 5, 2, 4, 3, 6, 0, 7, 8, 9, -1};
  for (size_t i = 0; i < sizeof ranks / sizeof ranks[0]; i++) {
    assert_int_equal(next_task(m, &a, ranks[i], &lease[ranks[i]]), wanted[i]);
  }
  actions_free(&a);
  master_free(m);
}

/* Eight tasks of one key: the second rank joins rather than sleeps. */
static void the_last_key_is_split(void **state) {
  (void)state;
  struct master_task tasks[8];
  for (int i = 0; i < 8; i++) {
    tasks[i] = (struct master_task){1, 1, 1};
  }
  struct master *m = make(2, tasks, 8);
  struct actions a = {0};
  struct action lease[2] = {{0}, {0}};
  for (int i = 0; i < 8; i++) {
    assert_int_equal(next_task(m, &a, i % 2, &lease[i % 2]), i);
  }
  assert_int_equal(next_task(m, &a, 0, &lease[0]), -1);
  assert_int_equal(next_task(m, &a, 1, &lease[1]), -1);
  assert_true(master_state(m).finished && !master_state(m).stopped);
  actions_free(&a);
  master_free(m);
}

/* 40 keys of 12 tasks on 4 ranks: hardly more than a change of key per key. */
static void keys_change_hands_rarely(void **state) {
  (void)state;
  enum { KEYS = 40, EACH = 12, RANKS = 4 };
  struct master_task tasks[KEYS * EACH];
  for (int i = 0; i < KEYS * EACH; i++) {
    tasks[i] = (struct master_task){1 + i % 5, 1, i % KEYS + 1};
  }
  struct master *m = make(RANKS, tasks, KEYS * EACH);
  struct actions a = {0};
  struct action lease[RANKS] = {{0}};
  struct rng rng;
  rng_seed(&rng, 3);
  int key[RANKS] = {0}, changes = 0, given = 0;
  bool idle[RANKS] = {false};
  while (given < KEYS * EACH) {
    int rank = (int)rng_below(&rng, RANKS);
    int task = idle[rank] ? -1 : next_task(m, &a, rank, &lease[rank]);
    idle[rank] = task < 0;
    if (task >= 0) {
      changes += tasks[task].key != key[rank];
      key[rank] = tasks[task].key;
      given++;
    }
  }
  assert_in_range(changes, KEYS, KEYS + 2 * RANKS);
  actions_free(&a);
  master_free(m);
}

static void a_key_that_no_list_has_room_for_is_refused(void **state) {
  (void)state;
  struct master_options o = {.ranks = 1, .lease_timeout = 10, .crash_limit = 3};
  static const int keys[] = {-1, 2};
  for (size_t i = 0; i < 2; i++) {
    struct master_task task = {1, 1, keys[i]};
    struct master *m;
    assert_fails(master_create(&m, &o, &task, 1, &err), STATUS_BUG, "a task with key");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rank_stays_with_its_key_and_joins_where_most_is_left),
      cmocka_unit_test(the_last_key_is_split),
      cmocka_unit_test(keys_change_hands_rarely),
      cmocka_unit_test(a_key_that_no_list_has_room_for_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
