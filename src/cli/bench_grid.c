#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/bench.h"
#include "sched/host.h"
#include "sched/run.h"
#include "store/journal.h"
#include "store/results.h"

static const double NEVER = 1e9; /* seconds between two results files: one, at the end */
enum { LEASE_TIMEOUT = 600 };

/* A run in a folder of its own, which is rank 0's to make and to remove. */
struct trial {
  const struct bench *b;
  char *folder, *results, *journal, *mpi;
  double elapsed, work; /* seconds of the last run, and those of its variants and cells */
};

static status open_trial(struct trial *t, struct error *err) {
  const char *base = getenv("TMPDIR");
  TRY(session_describe(t->b->session, &t->mpi, err));
  if (t->b->session->group.rank != 0) {
    return STATUS_OK;
  }
  TRY(str_format(&t->folder, err, "%s/espalier-bench-XXXXXX", base && *base ? base : "/tmp"));
  if (!mkdtemp(t->folder)) {
    status st = err_errno(err, STATUS_IO, "%s", t->folder);
    free(t->folder);
    t->folder = NULL;
    return st;
  }
  TRY(str_format(&t->results, err, "%s/grid.h5", t->folder));
  return journal_path(&t->journal, t->results, err);
}

/* Without its journal the next run starts from nothing. */
static void remove_results(const struct trial *t) {
  if (t->journal) {
    (void)unlink(t->journal);
    (void)unlink(t->results);
  }
}

static void close_trial(struct trial *t) {
  if (t->folder) {
    remove_results(t);
    (void)rmdir(t->folder);
  }
  free(t->folder);
  free(t->results);
  free(t->journal);
  free(t->mpi);
}

/* Seconds of everything that a run did, on whatever rank. */
static status add_up(struct trial *t, struct error *err) {
  struct results_file r;
  TRY(results_read(&r, t->results, err));
  t->work = 0;
  for (size_t i = 0; i < r.variant_count; i++) {
    t->work += isnan(r.variants[i].seconds) ? 0 : r.variants[i].seconds;
  }
  for (size_t i = 0; i < r.cell_count; i++) {
    t->work += isnan(r.cells[i].seconds) ? 0 : r.cells[i].seconds;
  }
  results_close(&r);
  return STATUS_OK;
}

static status check(status st, const struct run_outcome *o, struct error *err) {
  if (st == STATUS_TIME) {
    return err_set(err, st, "grid: stopped by a signal");
  }
  if (st == STATUS_PARTIAL) {
    return err_set(err, st, "grid: %zu of %zu cells failed, the first with: %s", o->failed,
                   o->cells, o->first_failure);
  }
  return st;
}

static status run(struct trial *t, struct error *err) {
  const struct session *s = t->b->session;
  struct run_options o = {.file = t->b->a->grid,
                          .places = &t->b->places->places,
                          .output = t->results,
                          .command = "espalier bench grid",
                          .mpi = t->mpi,
                          .group = s->group,
                          .budget = s->memory / 2,
                          .lease_timeout = LEASE_TIMEOUT,
                          .write_every = NEVER,
                          .stop = t->b->stop};
  struct run_outcome outcome;
  double start = host_seconds();
  status st = check(run_experiment(&o, &outcome, err), &outcome, err);
  t->elapsed = host_seconds() - start;
  if (!outcome.all_alive) { /* MPI cannot go on without it */
    remove_results(t);
    session_abandon(status_exit(st == STATUS_OK ? STATUS_MPI : st), outcome.hung);
  }
  if (st == STATUS_OK && s->group.rank == 0) {
    st = add_up(t, err);
    remove_results(t);
  }
  return group_agree(&s->group, st, err);
}

static status report(struct bench *b, const double *elapsed, const double *work, double *shares,
                     struct error *err) {
  const struct session *s = b->session;
  int repeats = b->a->repeats;
  for (int r = 0; r < repeats; r++) {
    shares[r] = work[r] / (elapsed[r] * s->group.size);
  }
  TRY(bench_add(&b->report, "grid", "s", s->threads, elapsed, shares, repeats, err,
                "end to end, %d rank%s", s->group.size, s->group.size == 1 ? "" : "s"));
  return bench_add(&b->report, "grid", "s", s->threads, work, NULL, repeats, err,
                   "its variants and cells");
}

static status repeat(struct bench *b, struct trial *t, double *values, struct error *err) {
  int repeats = b->a->repeats;
  for (int r = 0; r < repeats; r++) {
    TRY(run(t, err));
    values[r] = t->elapsed;
    values[repeats + r] = t->work;
  }
  return report(b, values, values + repeats, values + 2 * (size_t)repeats, err);
}

status bench_grid(struct bench *b, struct error *err) {
  struct trial t = {.b = b};
  double *values = NULL;
  status st = mem_alloc(&values, 3 * (size_t)b->a->repeats, sizeof *values, err);
  if (st == STATUS_OK) {
    st = open_trial(&t, err);
  }
  st = group_agree(&b->session->group, st, err);
  if (st == STATUS_OK) {
    st = repeat(b, &t, values, err);
  }
  close_trial(&t);
  free(values);
  return st;
}
