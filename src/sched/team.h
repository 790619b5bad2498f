/* A group of ranks that work on one lease together. Its first rank, the leader, talks with the
 * master; the others do what it is told, without a word to anyone else. */
#ifndef ESPALIER_SCHED_TEAM_H
#define ESPALIER_SCHED_TEAM_H

#include <stdbool.h>

#include "linalg/group.h"

struct team {
  struct group group;   /* this rank's team; of one: nothing here does anything */
  struct group leaders; /* of all teams; size 0 on ranks that lead none */
  struct watch *watch;  /* over the team, while it is more than one rank */
};

/* Collective over all ranks of a run: teams of `size` neighbouring ranks. Refuses a size that does
 * not divide them. Ends this process when it finds that one of its team is gone, or after so many
 * seconds of silence at work: the team would wait for ever, and the master hands its lease to
 * another. The master's own team ends the run. */
status team_open(struct team *out, const struct group *all, int size, double silence,
                 struct error *err);

/* No rank of the team is watched any more: it may end. */
void team_unwatch(struct team *t);

/* all_alive: collective, gives communicators back. */
void team_close(struct team *t, bool all_alive);

/* The leader's: bytes [size] go to the team. size 0 is the last that it says. */
status team_tell(const struct team *t, const void *bytes, size_t size, struct error *err);

/* The others': waits, asleep, for what the leader tells; *bytes is the caller's, NULL for the last.
 */
status team_hear(const struct team *t, unsigned char **bytes, size_t *size, struct error *err);

#endif
