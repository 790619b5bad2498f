/* An experiment from its file to its results: the plan, agreed among ranks; the ledger of what is
 * known; rank 0 as master and worker; the other ranks as workers. */
#ifndef ESPALIER_SCHED_RUN_H
#define ESPALIER_SCHED_RUN_H

#include <stdatomic.h>

#include "grid/plan.h"
#include "linalg/group.h"
#include "sched/ledger.h"

enum run_event_kind {
  RUN_STARTED,  /* the plan stands, the journal is read */
  RUN_NOTE,     /* text: a line for the user */
  RUN_CELL,     /* entry: a cell ended */
  RUN_VARIANT,  /* entry: a variant was pruned, or failed to be */
  RUN_LOST,     /* rank: taken for lost */
  RUN_PROGRESS, /* time has passed; many times a second */
  RUN_FINISHED,
};

struct run_state {
  const struct plan *plan;
  size_t cells, done, failed; /* of the plan; failed is part of done */
  size_t reused;              /* done before this run */
  double elapsed;             /* seconds since the start */
  double left;                /* estimated seconds; NaN: unknown */
  double share;               /* of the work: 0 to 1 */
  int ranks, ranks_live;
};

struct run_event {
  enum run_event_kind kind;
  const struct run_state *state;
  const char *text;
  const struct ledger_entry *entry;
  int rank;
};

/* Told of everything that happens, on rank 0. */
struct run_watch {
  void *user;
  void (*see)(void *user, const struct run_event *e);
};

struct watch; /* sched/watch.h */

struct run_options {
  const char *file; /* the experiment */
  const struct places *places;
  const char *output;      /* results file; NULL: run_output's choice */
  int shard, shards;       /* the part of the plan to run: plan_shard; shards 0: all of it */
  const char *command;     /* provenance: the command line */
  const char *mpi;         /* provenance: version of the MPI library, or "none" */
  struct group group;      /* all ranks of the run, or one process */
  int group_size;          /* ranks that work on one variant together; 0: as plan_group_size says */
  int node;                /* of the ranks so many run on this machine */
  double memory;           /* bytes that this rank may use; 0: no limit */
  size_t budget;           /* bytes for a model's weights: worker_create */
  const char *scratch;     /* folder for what does not fit into memory, or NULL: likewise */
  double lease_timeout;    /* seconds without a sign of life after which a rank is taken for lost */
  double time_left;        /* seconds from now after which to stop; 0: never */
  double write_every;      /* seconds between two results files */
  const atomic_bool *stop; /* set at any time */
  struct watch **starting; /* of all ranks: closed and NULL once they only send each other messages,
                              and a lost one is worked around; or NULL */
  struct run_watch watch;
};

struct run_outcome {
  size_t cells, done, failed;
  char first_failure[512]; /* its reason */
  bool stopped_by_signal;
  bool all_alive;    /* no rank was lost: MPI can be finalised */
  bool hung;         /* a rank lives and does not answer: only ending the job gets rid of it */
  char output[4096]; /* path of the results file */
};

/* Where an experiment's results go: `output`, or where it is NULL results/<experiment>.h5, of a
 * shard (shards > 0) results/<experiment>.shard-I-of-N.h5. results/ is made; a folder that the user
 * names must be there. The caller frees *out. */
status run_output(const struct grid *grid, const char *output, int shard, int shards, char **out,
                  struct error *err);

/* Collective over the group. STATUS_PARTIAL when cells failed, STATUS_TIME when work is left, with
 * no text in *err; the same status on every rank. */
status run_experiment(const struct run_options *options, struct run_outcome *out,
                      struct error *err);

#endif
