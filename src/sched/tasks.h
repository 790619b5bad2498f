/* What a plan has to do beyond a ledger, cut into the tasks that go out as leases. */
#ifndef ESPALIER_SCHED_TASKS_H
#define ESPALIER_SCHED_TASKS_H

#include "sched/ledger.h"

/* A variant and the cells that the ledger lacked. The dense model needs no pruning, so each of its
 * cells is a task of its own: more to spread. */
struct work_task {
  size_t variant;
  int *datasets; /* [cells] of the plan */
  int cells;
  double cost; /* floating-point operations */
  int key;     /* of what it shares with other tasks; 0: nothing */
  bool later;  /* it is measured against what other tasks find out about the dense model */
};

struct tasks {
  struct work_task *at;
  size_t count, cap;
  int *keys; /* [shares of the plan]; 0: without a task so far */
  int key_count;
  double *shared; /* [1 + shares of the plan]: operations of what the tasks of a key share */
  size_t reused;  /* cells that the ledger has */
};

/* ledger NULL: nothing is done yet. Cells that failed before are tried again. Free with tasks_free,
 * also after a failure. */
status tasks_make(struct tasks *out, const struct plan *plan, const struct ledger *ledger,
                  struct error *err);
void tasks_free(struct tasks *t);

#endif
