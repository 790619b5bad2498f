/* The master as a pure state machine: events in, actions out. It knows ranks, tasks and the times
 * it is told, and neither MPI, clock, files nor what a task means; so the same code runs under MPI,
 * in tests with random schedules, and against thousands of simulated ranks (sched/simulate.h). An
 * event costs O(log tasks + log ranks), beside the actions it causes; near `end`, each task once
 * more when it is put aside as too long for the time left.
 *
 * A task is a list of cells (a variant and its data sets) and goes out as a lease: (task, instance,
 * deadline). The instance grows with every lease, so that answers of a lease that was taken away
 * are told from those of the one that replaced it.
 *
 * Tasks with the same key share work that a rank does once and keeps while it stays with the key:
 * a rank gets the longest task of the key it had last. When none is left it joins the key that has
 * most left to do for each rank that would then be at it, so that the last keys are split; but not
 * one that the ranks at it would end sooner than a new one can make what it shares, even if it then
 * waits. Tasks without a key count each for itself: the longest first. */
#ifndef ESPALIER_SCHED_MASTER_H
#define ESPALIER_SCHED_MASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct master_task {
  double cost; /* any unit, the same for all tasks */
  int cells;   /* >= 1 */
  int key;     /* tasks of the same key share work; 0: none */
};

struct master_options {
  int ranks;            /* ranks 0 .. ranks - 1 may ask for work */
  double lease_timeout; /* seconds without a sign of life after which a rank is taken for lost */
  int crash_limit;      /* losses after which what was being computed is given up; a rank that never
                           answered to its lease is not counted, it was gone before */
  double end;           /* the time at which to stop; 0: never */
  const double *shared; /* [largest key + 1]: cost of what a rank makes when it comes to a key, in
                           the unit of master_task.cost; NULL: nothing. Needed by master_create
                           alone */
  const bool *later; /* [count]: tasks that are handed out when all others have ended, well or not;
                        NULL: none. Likewise */
};

enum { MASTER_PREPARE = -1 }; /* in place of a cell: what comes before a task's first cell */

enum event_kind {
  EVENT_READY,  /* rank wants work */
  EVENT_BEAT,   /* rank lives and works on `cell` of its lease (task, instance) */
  EVENT_RESULT, /* rank finished `cell` (or MASTER_PREPARE) of its lease, well or with a failure */
  EVENT_DONE,   /* rank is through with its lease */
  EVENT_LOST,   /* rank is known to be gone */
  EVENT_TICK,   /* time passes */
  EVENT_STOP,   /* stop handing out and drop what is in flight */
};

struct event {
  enum event_kind kind;
  int rank, task, cell;
  double now; /* seconds since any moment; never goes back */
  int64_t instance;
};

enum action_kind {
  ACTION_LEASE,  /* send rank the lease (task, instance) of the cells for which
                    master_cell_open() */
  ACTION_RECORD, /* the result that this event brought counts: keep it */
  ACTION_FAIL,   /* (task, cell) lost its rank too often: record it as failed */
  ACTION_LOST,   /* rank is taken for lost; its lease (task, instance) is over */
  ACTION_STOP,   /* tell rank to stop */
  ACTION_FINISH, /* nothing more will come of this master; given once */
};

struct action {
  enum action_kind kind;
  int rank, task, cell;
  int64_t instance;
};

/* A growing list; zero-initialise, free with actions_free. */
struct actions {
  struct action *at;
  size_t count, cap;
};
void actions_free(struct actions *a);

struct master;

/* tasks [count] is copied. count may be 0: the first event then finishes. */
status master_create(struct master **out, const struct master_options *options,
                     const struct master_task *tasks, size_t count, struct error *err);
void master_free(struct master *m);

/* Takes one event and appends what is to be done, in order. Events with ranks, tasks or cells that
 * do not exist are refused as STATUS_BUG; those of old instances have no effect. */
status master_event(struct master *m, const struct event *e, struct actions *out,
                    struct error *err);

/* Whether the cell still waits for a result. */
bool master_cell_open(const struct master *m, int task, int cell);

struct master_state {
  size_t cells, done;     /* done: with a result, or given up */
  double cost, cost_done; /* of all tasks; of the cells that are done */
  int ranks_live, ranks_busy;
  bool finished, stopped; /* stopped: finished with cells left */
};
struct master_state master_state(const struct master *m);

#endif
