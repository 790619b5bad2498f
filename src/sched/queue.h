/* Tasks that wait for a rank, by their keys: see master.h. Every call takes O(log tasks). */
#ifndef ESPALIER_SCHED_QUEUE_H
#define ESPALIER_SCHED_QUEUE_H

#include "sched/heap.h"
#include "sched/master.h"

/* The tasks of one key. */
struct queue_group {
  size_t first;        /* of its members */
  struct heap pending; /* positions among them, by falling cost */
  double left;         /* cost of the pending */
  double shared;       /* cost of what a rank makes when it comes */
  int ranks;           /* that stay with it */
};

struct queue {
  size_t pending;
  struct queue_group *groups; /* [group_count], by key */
  size_t group_count;
  size_t *members;  /* [tasks], grouped by key, in order of number */
  size_t *position; /* [tasks]: where a task stands among its group's */
  double *cost;     /* [tasks] */
  int *key;         /* [tasks] */
  struct heap
      need; /* groups worth joining, by what is left for each rank that would then be there */
};

/* All tasks wait but the held ones [count] (NULL: none), which queue_put lets in; shared as in
 * master_options. A key above the number of tasks is refused as STATUS_BUG. */
status queue_create(struct queue *out, const struct master_task *tasks, size_t count,
                    const double *shared, const bool *held, struct error *err);
void queue_free(struct queue *q);

void queue_put(struct queue *q, size_t task);

/* Whether there is a task for a rank that stays with `key` (0: with none), which queue_take then
 * takes out. */
bool queue_has(const struct queue *q, int key);
size_t queue_take(struct queue *q, int key);

/* A rank that stayed with `from` now stays with `to`. */
void queue_move(struct queue *q, int from, int to);

#endif
