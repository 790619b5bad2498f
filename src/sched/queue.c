#include "sched/queue.h"

#include <stdlib.h>

#include "base/mem.h"

/* Whether one more rank, which must make what the key shares, would end it sooner. */
static bool worth_joining(const struct queue_group *g) {
  return g->ranks == 0 || g->shared <= 0 || g->left > g->shared * g->ranks;
}

/* Keeps a group's place among the others. Tasks without a key have no rank that stays with them:
 * the longest of them speaks for itself. */
static void weigh(struct queue *q, int key) {
  struct queue_group *g = &q->groups[key];
  g->left = g->pending.count ? g->left : 0;
  if (g->pending.count == 0 || !worth_joining(g)) {
    heap_remove(&q->need, (size_t)key);
    return;
  }
  double need =
      key ? (g->left + g->shared) / (g->ranks + 1) : -g->pending.key[heap_top(&g->pending)];
  heap_set(&q->need, (size_t)key, -need);
}

static void put(struct queue *q, size_t task) {
  struct queue_group *g = &q->groups[q->key[task]];
  if (heap_has(&g->pending, q->position[task])) {
    return;
  }
  heap_set(&g->pending, q->position[task], -q->cost[task]);
  g->left += q->cost[task];
  q->pending++;
}

void queue_put(struct queue *q, size_t task) {
  put(q, task);
  weigh(q, q->key[task]);
}

/* Lists the members of each group; sizes [group_count] is scratch. */
static void group_members(struct queue *q, size_t count, size_t *sizes) {
  for (size_t t = 0; t < count; t++) {
    sizes[q->key[t]]++;
  }
  for (size_t k = 0, first = 0; k < q->group_count; k++) {
    q->groups[k].first = first;
    first += sizes[k];
    sizes[k] = 0;
  }
  for (size_t t = 0; t < count; t++) {
    size_t k = (size_t)q->key[t];
    q->position[t] = sizes[k]++;
    q->members[q->groups[k].first + q->position[t]] = t;
  }
}

static status fill(struct queue *q, const struct master_task *tasks, size_t count,
                   const double *shared, struct error *err) {
  q->group_count = 1;
  TRY(mem_alloc(&q->members, count, sizeof *q->members, err));
  TRY(mem_alloc(&q->position, count, sizeof *q->position, err));
  TRY(mem_alloc(&q->cost, count, sizeof *q->cost, err));
  TRY(mem_alloc(&q->key, count, sizeof *q->key, err));
  for (size_t t = 0; t < count; t++) {
    int key = tasks[t].key;
    if (key < 0 || (size_t)key > count) {
      return err_set(err, STATUS_BUG, "a task with key %d among %zu", key, count);
    }
    q->key[t] = key;
    q->cost[t] = tasks[t].cost;
    q->group_count = (size_t)key >= q->group_count ? (size_t)key + 1 : q->group_count;
  }
  TRY(mem_alloc(&q->groups, q->group_count, sizeof *q->groups, err));
  TRY(heap_create(&q->need, q->group_count, err));
  size_t *sizes;
  TRY(mem_alloc(&sizes, q->group_count, sizeof *sizes, err));
  group_members(q, count, sizes);
  status st = STATUS_OK;
  for (size_t k = 0; st == STATUS_OK && k < q->group_count; k++) {
    q->groups[k].shared = shared && k ? shared[k] : 0;
    st = heap_create(&q->groups[k].pending, sizes[k], err);
  }
  free(sizes);
  return st;
}

status queue_create(struct queue *out, const struct master_task *tasks, size_t count,
                    const double *shared, const bool *held, struct error *err) {
  *out = (struct queue){0};
  TRY(fill(out, tasks, count, shared, err));
  for (size_t t = 0; t < count; t++) {
    if (!held || !held[t]) {
      put(out, t);
    }
  }
  for (size_t k = 0; k < out->group_count; k++) {
    weigh(out, (int)k);
  }
  return STATUS_OK;
}

void queue_free(struct queue *q) {
  for (size_t k = 0; q->groups && k < q->group_count; k++) {
    heap_free(&q->groups[k].pending);
  }
  heap_free(&q->need);
  free(q->groups);
  free(q->members);
  free(q->position);
  free(q->cost);
  free(q->key);
  *q = (struct queue){0};
}

bool queue_has(const struct queue *q, int key) {
  return q->need.count > 0 || (key && q->groups[key].pending.count > 0);
}

size_t queue_take(struct queue *q, int key) {
  bool stays = key && q->groups[key].pending.count > 0;
  size_t k = stays ? (size_t)key : heap_top(&q->need);
  struct queue_group *g = &q->groups[k];
  size_t position = heap_top(&g->pending), task = q->members[g->first + position];
  heap_remove(&g->pending, position);
  g->left -= q->cost[task];
  q->pending--;
  weigh(q, (int)k);
  return task;
}

void queue_move(struct queue *q, int from, int to) {
  if (from == to) {
    return;
  }
  q->groups[from].ranks--;
  q->groups[to].ranks++;
  weigh(q, from);
  weigh(q, to);
}
