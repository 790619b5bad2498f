#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cli/cli.h"
#include "cli/duration.h"
#include "cli/places.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "sched/host.h"
#include "sched/watch.h"

enum {
  KEY_THREADS = 256,
  KEY_GROUP_SIZE,
  KEY_LEASE_TIMEOUT,
  KEY_TIME_LIMIT,
  KEY_LOG_JSON,
  KEY_SHARD
};
static const double WRITE_EVERY = 30; /* seconds */

struct run_arguments {
  const char *file, *output, *json;
  int threads, group_size, lease_timeout;
  int shard, shards;
  double time_limit;
  bool quiet;
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE.h5", 0, "results file (default: results/<experiment>.h5)", 0},
    {"shard", KEY_SHARD, "I/N", 0,
     "run the I-th of N parts of the experiment, into results/<experiment>.shard-I-of-N.h5", 0},
    {"threads", KEY_THREADS, "N", 0, "threads of each rank (default: its share of the cores)", 0},
    {"time-limit", KEY_TIME_LIMIT, "TIME", 0,
     "stop in time, with status 75: seconds or [HH:]MM:SS (default: the Slurm allocation's end)",
     0},
    {"lease-timeout", KEY_LEASE_TIMEOUT, "SECONDS", 0,
     "take a rank for lost after so long without a sign of life (default 600)", 0},
    {"group-size", KEY_GROUP_SIZE, "N", 0,
     "ranks that work on one variant together: those of a large model need less memory each "
     "(default: 1, more where memory or idle ranks ask for it; see espalier plan --ranks)",
     0},
    {"quiet", 'q', 0, 0, "no progress", 0},
    {"log-json", KEY_LOG_JSON, "FILE", 0, "append one JSON object per event to FILE", 0},
    {0}};

static error_t parse_shard(const struct cli_input *in, const char *arg, struct run_arguments *a) {
  char rest;
  if (strspn(arg, "0123456789/") != strlen(arg) ||
      sscanf(arg, "%6d/%6d%c", &a->shard, &a->shards, &rest) != 2 || a->shard < 1 ||
      a->shard > a->shards) {
    return cli_refuse(in, "--shard: '%s' (expected I/N with I from 1 to N)", arg);
  }
  return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct run_arguments *a = in->options;
  switch (key) {
  case 'o':
    a->output = arg;
    return 0;
  case KEY_THREADS:
    return cli_int(in, "--threads", arg, 1, 4096, &a->threads);
  case KEY_SHARD:
    return parse_shard(in, arg, a);
  case KEY_GROUP_SIZE:
    return cli_int(in, "--group-size", arg, 1, 1000000, &a->group_size);
  case KEY_LEASE_TIMEOUT:
    return cli_int(in, "--lease-timeout", arg, 1, 1000000, &a->lease_timeout);
  case KEY_TIME_LIMIT:
    return duration_parse(arg, &a->time_limit) && a->time_limit > 0
               ? 0
               : cli_refuse(in, "--time-limit: '%s' (expected seconds or [HH:]MM:SS)", arg);
  case 'q':
    a->quiet = true;
    return 0;
  case KEY_LOG_JSON:
    a->json = arg;
    return 0;
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "run takes one experiment, '%s' is a second", arg);
    }
    a->file = arg;
    return 0;
  case ARGP_KEY_END:
    return a->file ? 0 : cli_refuse(in, "an experiment file is missing (see espalier run --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "EXPERIMENT.yaml",
    "Runs an experiment: prunes every variant, evaluates it on every data set, and leaves one "
    "HDF5 file. Started again after it was stopped or killed, it carries on.\v"
    "Alone it uses all cores with one process; under mpirun all ranks work, rank 0 too. SIGTERM, "
    "SIGINT and SIGUSR1 stop it: what is in flight is dropped, results are written, and the exit "
    "status is 75.\n\n"
    "--shard I/N computes one of N parts that cost about the same: for job arrays, or machines "
    "that share no MPI. Every part splits the experiment in the same way; variants of one "
    "calibration pass stay together where that leaves no part idle. The dense baseline is computed "
    "in part 1 only: tables compare with it after espalier merge, which makes one file of the "
    "parts, in the order of a run of the whole.\n\n"
    "Example:\n"
    "  mpirun -n 2 espalier run experiments/demo.yaml\n"
    "  mpirun --enable-recovery -n 16 espalier run experiments/smollm2.yaml --time-limit 1:00:00\n"
    "  espalier run experiments/demo.yaml --shard 2/4",
    NULL,
    NULL,
    NULL};

static status join(int argc, char **argv, char **out, struct error *err) {
  struct str s = {0};
  status st = str_addf(&s, err, "espalier");
  for (int i = 0; i < argc && st == STATUS_OK; i++) {
    st = str_addf(&s, err, " %s", argv[i]);
  }
  if (st != STATUS_OK) {
    str_free(&s);
    return st;
  }
  *out = s.at;
  return STATUS_OK;
}

/* The line that goes with an outcome. */
static status conclude(status st, const struct run_outcome *o, const char *command,
                       struct error *err) {
  if (st == STATUS_PARTIAL) {
    return err_set(err, st, "%zu of %zu cells failed, the first with: %s (espalier status %s)",
                   o->failed, o->cells, o->first_failure, o->output);
  }
  if (st == STATUS_TIME) {
    return err_set(err, st, "stopped %s with %zu of %zu cells done (to carry on: %s)",
                   o->stopped_by_signal ? "by a signal" : "for time", o->done, o->cells, command);
  }
  return st;
}

static status run(const struct run_arguments *a, const struct session *session,
                  const struct cli_places *places, const char *command, const atomic_bool *stop,
                  struct watch **starting, struct progress *progress, struct run_outcome *outcome,
                  struct error *err) {
  char *mpi;
  TRY(session_describe(session, &mpi, err));
  struct run_options o = {.file = a->file,
                          .places = &places->places,
                          .output = a->output,
                          .shard = a->shard,
                          .shards = a->shards,
                          .command = command,
                          .mpi = mpi,
                          .group = session->group,
                          .group_size = a->group_size,
                          .node = session->node,
                          .memory = (double)session->memory,
                          .budget = session->memory / 2,
                          .scratch = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp",
                          .lease_timeout = a->lease_timeout,
                          .time_left = a->time_limit,
                          .write_every = WRITE_EVERY,
                          .stop = stop,
                          .starting = starting,
                          .watch = {progress, progress_see}};
  status st = run_experiment(&o, outcome, err);
  free(mpi);
  return st;
}

static void print_done(const struct run_outcome *o, double seconds) {
  char time[32];
  duration_print(seconds, time, sizeof time);
  printf("%s: %zu of %zu cells, %zu failed, %s\n", o->output, o->done, o->cells, o->failed, time);
}

/* Progress is rank 0's; the others' events would only repeat it. */
static status run_watched(const struct run_arguments *a, const struct session *session,
                          const struct cli_places *places, const char *command,
                          const atomic_bool *stop, struct watch **starting,
                          struct run_outcome *outcome, struct error *err) {
  bool first = session->group.rank == 0;
  struct progress progress;
  status st = progress_open(&progress, a->quiet, first ? a->json : NULL, err);
  st = group_agree(&session->group, st, err);
  if (st == STATUS_OK) {
    st = run(a, session, places, command, stop, starting, &progress, outcome, err);
  }
  progress_close(&progress);
  return st;
}

/* argv: the command to carry on with. */
static status run_session(const struct run_arguments *a, int argc, char **argv,
                          const atomic_bool *stop, struct error *err) {
  double start = host_seconds();
  struct session session;
  TRY(session_open(&session, false, a->threads, err));
  struct watch *starting;
  TRY(session_watch(&session, STATUS_TIME,
                    "the run ends (what is finished is kept; to carry on: the same command)",
                    &starting, err));
  struct cli_places places;
  status st = places_open(&places, err);
  if (st != STATUS_OK) {
    watch_close(starting);
    return st;
  }
  char *command = NULL;
  struct run_outcome outcome = {.all_alive = true};
  st = join(argc, argv, &command, err);
  if (st == STATUS_OK) {
    st = run_watched(a, &session, &places, command, stop, &starting, &outcome, err);
  }
  watch_close(starting);
  places_close(&places);
  if (session.group.rank == 0 && outcome.cells) {
    st = conclude(st, &outcome, command, err);
    print_done(&outcome, host_seconds() - start);
  }
  free(command);
  if (!outcome.all_alive) {
    if (session.group.rank == 0 && st != STATUS_OK) {
      (void)fprintf(stderr, "espalier: %s\n", err->text);
    }
    session_abandon(status_exit(st), outcome.hung);
  }
  return st;
}

status cmd_run(int argc, char **argv, struct error *err) {
  struct run_arguments a = {.lease_timeout = 600};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  double left = session_rank() == 0 ? duration_allocation_left() : 0;
  if (left > 0 && (a.time_limit == 0 || left < a.time_limit)) {
    a.time_limit = left;
  }
  struct signals signals;
  TRY(signals_open(&signals, err));
  status st = run_session(&a, argc, argv, &signals.stop, err);
  signals_close(&signals);
  return st;
}
