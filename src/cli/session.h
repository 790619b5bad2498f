/* The process among its like: MPI, started only under mpirun or srun, and its share of the machine.
 */
#ifndef ESPALIER_CLI_SESSION_H
#define ESPALIER_CLI_SESSION_H

#include <stdbool.h>

#include "linalg/group.h"

struct session {
  struct group group; /* all ranks, or one process */
  int node;           /* ranks of the group on this machine, itself among them */
  int threads;        /* already handed to linalg */
  size_t memory;      /* bytes: this process's share */
};

/* Starts the program again with short spinning at OpenMP barriers, unless the user has set a
 * policy; returns when there is nothing to do. The library reads its environment before main and
 * then spins for milliseconds at every barrier: on a machine with other work that costs ten times
 * the run. */
void session_calm_threads(char **argv);

/* Starts MPI when a launcher has set its variables, or when `force`. threads 0: this rank's share
 * of the cores. MPI is ended by session_end. */
status session_open(struct session *out, bool force, int threads, struct error *err);

/* This process's rank, known also before MPI is started. */
int session_rank(void);

/* Ends MPI when it was started: every rank must come here. */
void session_end(void);

/* Ends the process although ranks are lost, without waiting for them; hung: ends those that live
 * too. Does not return. */
void session_abandon(int exit_status, bool hung) __attribute__((noreturn));

/* Gives every rank rank 0's standard input: mpirun forwards it to rank 0 alone. Collective; nothing
 * happens in one process. */
status session_share_stdin(const struct session *s, struct error *err);

struct watch; /* sched/watch.h */

/* Ends this process when another rank is gone, for which it would wait for ever: a launcher may
 * leave the others alive. outcome: what the process ends with; consequence: the end of its line on
 * standard error, kept by the caller. *out: for watch_close before the session ends; NULL in one
 * process. Collective. */
status session_watch(const struct session *s, status outcome, const char *consequence,
                     struct watch **out, struct error *err);

/* Version of the MPI library and the number of ranks, or "none"; the caller frees *out. */
status session_describe(const struct session *s, char **out, struct error *err);

#endif
