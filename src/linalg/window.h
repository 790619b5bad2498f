/* Memory that the ranks of a group have in common on each machine: what all of them read is there
 * once. Not an MPI window: it is given back by each rank alone, in any order, and a killed run
 * leaves nothing behind. */
#ifndef ESPALIER_LINALG_WINDOW_H
#define ESPALIER_LINALG_WINDOW_H

#include "base/mapping.h"
#include "linalg/group.h"

struct window {
  void *at;           /* aligned to a page; zero at first */
  int rank, size;     /* this rank among those that have the memory in common */
  struct group group; /* the caller's */
  struct mapping mapping;
};

/* Collective: on all ranks or on none. Where ranks of a machine cannot share memory each has its
 * own (size 1). bytes > 0, the same everywhere; `what` is what the memory is for, in messages. */
status window_open(struct window *out, const struct group *group, size_t bytes, const char *what,
                   struct error *err);
/* How many ranks of the group this one can share memory with, itself among them. Collective. */
status window_sharers(const struct group *group, int *count, struct error *err);
void window_close(struct window *w);

/* Collective: what any rank wrote before, all see after. Fails on all ranks with what one of them
 * passes (group_agree). */
status window_meet(const struct window *w, status mine, struct error *err);

/* This rank's share of `count` things to write: from *first until before *end. Shares of those that
 * have the memory in common cover all of them, once. */
void window_share(const struct window *w, size_t count, size_t *first, size_t *end);

#endif
