/* The master against simulated workers in virtual time: how long a run would take on so many ranks,
 * how much of them it would use, and what failures would cost. Every message that sched/lead.c
 * turns into an event is an event here, at the time at which it would arrive, for the very same
 * master.
 *
 * A rank computes what its lease says, as sched/worker.c does: the pass that tasks with its key
 * share, unless it is the one it made last; then what comes before the first cell; then the cells.
 * Ranks fail by themselves, with exponential times between failures, and nobody says so: the master
 * must notice. A failed rank stays away until the job ends. When rank 0 fails, or the time limit is
 * reached, the job ends, and the next one begins with all ranks and what was recorded. */
#ifndef ESPALIER_SCHED_SIMULATE_H
#define ESPALIER_SCHED_SIMULATE_H

#include "grid/plan.h"
#include "sched/master.h"

struct simulate_task {
  double prepare; /* seconds before the first cell, without what is shared */
  size_t first;   /* of its cells in simulate_work */
  int cells;      /* >= 1 */
  int key;        /* as in master_task */
};

/* What there is to compute; simulate_work_free frees the lists. Seconds are estimates for one rank:
 * the master's view. */
struct simulate_work {
  struct simulate_task *tasks; /* [task_count] */
  double *cells;               /* [cell_count] seconds */
  double *passes;              /* [key_count + 1] seconds of what the tasks of a key share */
  size_t task_count, cell_count;
  int key_count;
};

/* A plan's tasks, none of them done; the plan must be full. */
status simulate_work_of_plan(struct simulate_work *out, const struct plan *plan, struct error *err);

/* Made-up tasks: `seconds` per cell on average, half of that for pruning a variant, twice for a
 * pass. Costs of cells and prunings are log-normal, `spread` the standard deviation of their
 * logarithm. */
struct simulate_shape {
  size_t cells;
  int variant; /* cells of one variant, >= 1 */
  int share;   /* variants that share a pass; 1: none */
  double seconds, spread;
  uint64_t seed;
};
status simulate_work_make(struct simulate_work *out, const struct simulate_shape *shape,
                          struct error *err);
void simulate_work_free(struct simulate_work *w);

struct simulate_options {
  int ranks;
  double mtbf;          /* seconds between the failures of one rank, on average; 0: none fails */
  double time_limit;    /* seconds of one job; 0: none */
  double lease_timeout; /* as in master_options */
  double latency;       /* seconds that a message takes until it is read */
  double noise;         /* tasks take log-normally longer or shorter than estimated: the standard
                           deviation of the logarithm */
  uint64_t seed;
};

/* Seconds are virtual unless it says otherwise; all but the real ones follow from work, options and
 * seed. */
struct simulate_result {
  double makespan;   /* of all jobs together */
  double least;      /* no makespan is shorter: all that is needed / ranks, or the longest task */
  double useful;     /* computing that was needed: every pass, pruning and cell once */
  double repeated;   /* passes that another rank had made already */
  double lost;       /* computing that came to nothing */
  double efficiency; /* useful / (ranks * makespan) */
  size_t cells, recorded; /* cells; those with a result */
  size_t given_up;        /* cells that lost their rank too often */
  size_t leases, again;   /* again: of tasks that had been handed out before */
  size_t ranks_lost;      /* as the master saw it */
  size_t jobs;            /* > 1: rank 0 failed, or time ran out */
  bool stuck;             /* cells were left that a whole job could not finish */
  size_t events, beats;   /* beats: of the events */
  double event_seconds;   /* real: of the master on all events but beats, ... */
  double beat_seconds;    /* ... and on beats */
  double load;            /* real seconds of the master per virtual second */
};

status simulate(struct simulate_result *out, const struct simulate_work *work,
                const struct simulate_options *options, struct error *err);

#endif
