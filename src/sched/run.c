#include "sched/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "grid/group_size.h"
#include "sched/assist.h"
#include "sched/follow.h"
#include "sched/lead.h"
#include "sched/models.h"
#include "sched/mpi_transport.h"
#include "sched/watch.h"

static const double SILENCE = 3;    /* lease timeouts that rank 0 may keep quiet */
static const double PATIENCE = 2;   /* lease timeouts that a team may be at work without a sign */
static const double DEPARTURE = 10; /* seconds that ranks of lost teams have to end */
static const double LOOK_EVERY = 0.05; /* seconds */
static const double MARGIN = 0.05;     /* of the time left, for writing the results ... */
static const double MARGIN_MOST = 20;  /* ... at most so many seconds */

/* What a rank holds during a run; rank 0 alone has the last four. */
struct run {
  const struct run_options *o;
  double start;
  struct grid *grid;
  struct plan *plan;
  struct team team;
  struct peers *everyone; /* all ranks, where teams are of several */
  struct peers *peers;    /* of the teams' leaders, as is mpi */
  struct mpi_transport *mpi;
  char *output;
  struct ledger *ledger;
  struct provenance provenance;
  char *note;
};

status run_output(const struct grid *grid, const char *output, int shard, int shards, char **out,
                  struct error *err) {
  if (output) {
    return str_format(out, err, "%s", output);
  }
  TRY(file_make_dirs("results", err));
  if (shards) {
    return str_format(out, err, "results/%s.shard-%d-of-%d.h5", grid->experiment, shard, shards);
  }
  return str_format(out, err, "results/%s.h5", grid->experiment);
}

/* Everything that can be refused before work starts. */
static status prepare(struct run *r, struct error *err) {
  const struct run_options *o = r->o;
  bool first = o->group.rank == 0;
  TRY(grid_open(&r->grid, o->file, o->places, err));
  TRY(plan_create(&r->plan, r->grid, first ? PLAN_FULL : PLAN_LIGHT, err));
  if (!first) {
    return STATUS_OK;
  }
  if (o->shards) {
    TRY(plan_shard(r->plan, o->shard, o->shards, err));
  }
  TRY(run_output(r->grid, o->output, o->shard, o->shards, &r->output, err));
  TRY(models_check(r->plan, r->output, err));
  TRY(ledger_open(&r->ledger, r->plan, r->output, &r->note, err));
  TRY(provenance_collect(&r->provenance, o, r->plan, r->output, err));
  return ledger_write(r->ledger, r->provenance.at, r->provenance.count, err);
}

static status agree(const struct run *r, status st, struct error *err) {
  if (r->o->group.size > 1) {
    /* rank 0 has more to check than the others: they wait asleep */
    status waited = mpi_barrier(r->o->group.comm, st == STATUS_OK ? err : NULL);
    st = st == STATUS_OK ? waited : st;
  }
  return group_agree(&r->o->group, st, err);
}

static void tell_note(const struct run *r, const char *text) {
  const struct run_watch *watch = &r->o->watch;
  if (text && watch->see) {
    struct run_state s = {.plan = r->plan, .ranks = r->o->group.size};
    watch->see(watch->user, &(struct run_event){.kind = RUN_NOTE, .state = &s, .text = text});
  }
}

/* Of all ranks; 0 when one has no limit. */
static status least_memory(const struct run *r, double *out, struct error *err) {
  const struct group *all = &r->o->group;
  double *each = NULL;
  *out = r->o->memory;
  status st = mem_alloc(&each, (size_t)all->size, sizeof *each, err);
  st = group_agree(all, st, err);
  st = st == STATUS_OK ? group_gather(all, &r->o->memory, sizeof *each, each, err) : st;
  for (int i = 0; st == STATUS_OK && i < all->size; i++) {
    *out = each[i] < *out ? each[i] : *out;
  }
  free(each);
  return st;
}

/* Rank 0, whose plan knows what variants cost, decides for all. */
static status size_of_groups(const struct run *r, int *size, struct error *err) {
  const struct run_options *o = r->o;
  int64_t node = o->node;
  double memory;
  *size = o->group_size > 0 ? o->group_size : 1;
  if (o->group_size > 0 || o->group.size == 1) {
    return STATUS_OK;
  }
  TRY(least_memory(r, &memory, err));
  TRY(group_least_int64(&o->group, &node, err));
  if (o->group.rank == 0) {
    struct group_answer a = plan_group_size(r->plan, o->group.size, (int)node, memory);
    char text[GROUP_TEXT];
    *size = a.size;
    if (a.reason != GROUP_FITS) {
      group_size_describe(&a, r->plan, o->group.size, memory, text);
      tell_note(r, text);
    }
  }
  return group_broadcast(&o->group, 0, size, sizeof *size, err);
}

static status connect(struct run *r, struct error *err) {
  int size;
  TRY(size_of_groups(r, &size, err));
  TRY(team_open(&r->team, &r->o->group, size, PATIENCE * r->o->lease_timeout, err));
  if (size > 1) {
    TRY(peers_open(&r->everyone, &r->o->group, err));
  }
  const struct group *leaders = &r->team.leaders;
  if (leaders->size == 0) {
    return STATUS_OK;
  }
  TRY(peers_open(&r->peers, leaders, err));
  return leaders->size == 1 ? STATUS_OK : mpi_transport_open(&r->mpi, leaders->comm, err);
}

static bool first_failure(void *user, const struct ledger_entry *e) {
  struct run_outcome *out = user;
  (void)snprintf(out->first_failure, sizeof out->first_failure, "%s", e->error);
  return false;
}

static status run_first(struct run *r, const struct transport *transport, struct run_outcome *out,
                        struct error *err) {
  const struct run_options *o = r->o;
  double margin = o->time_left * MARGIN < MARGIN_MOST ? o->time_left * MARGIN : MARGIN_MOST;
  struct lead_options options = {.run = o,
                                 .plan = r->plan,
                                 .ledger = r->ledger,
                                 .provenance = &r->provenance,
                                 .transport = transport,
                                 .peers = r->peers,
                                 .team = &r->team,
                                 .start = r->start,
                                 .end = o->time_left > 0 ? r->start + o->time_left - margin : 0};
  tell_note(r, r->note);
  status st = lead(&options, out, err);
  for (size_t v = 0; v < r->plan->variant_count; v++) {
    for (size_t d = 0; d < r->plan->dataset_count; d++) {
      out->cells += plan_cell(r->plan, v, d)->wanted;
    }
  }
  out->done = ledger_done(r->ledger);
  out->failed = ledger_failed(r->ledger);
  ledger_failures(r->ledger, first_failure, out);
  (void)snprintf(out->output, sizeof out->output, "%s", r->output);
  return st;
}

static status run_other(struct run *r, const struct transport *transport, struct run_outcome *out,
                        struct error *err) {
  struct follow_options options = {.plan = r->plan,
                                   .transport = transport,
                                   .peers = r->peers,
                                   .team = &r->team,
                                   .budget = r->o->budget,
                                   .scratch = r->o->scratch,
                                   .silence = SILENCE * r->o->lease_timeout,
                                   .stop = r->o->stop};
  return follow(&options, &out->all_alive, err);
}

static status run_assistant(struct run *r, struct run_outcome *out, struct error *err) {
  struct assist_options options = {
      .plan = r->plan, .team = &r->team, .budget = r->o->budget, .scratch = r->o->scratch};
  struct assist_end end;
  status st = assist(&options, &end, err);
  out->all_alive = st == STATUS_OK && end.all_alive;
  return st == STATUS_OK ? end.outcome : st;
}

/* What this rank is for. */
static status play(struct run *r, struct run_outcome *out, struct error *err) {
  struct transport transport = {0};
  if (r->team.group.rank != 0) {
    return run_assistant(r, out, err);
  }
  if (r->mpi) {
    transport = mpi_transport_interface(r->mpi);
  }
  const struct transport *to = r->mpi ? &transport : NULL;
  status st = (r->o->group.rank == 0 ? run_first : run_other)(r, to, out, err);
  struct error late = {0};
  if (assist_dismiss(&r->team, (struct assist_end){st, out->all_alive}, &late) != STATUS_OK) {
    out->all_alive = false;
  }
  return st;
}

/* A lost team's ranks end by themselves, but for one that is stopped or out of sight. */
static void wait_for_others(const struct run *r, struct run_outcome *out) {
  double until = host_seconds() + DEPARTURE;
  bool there = true;
  while (there && host_seconds() < until) {
    there = false;
    for (int i = 1; i < r->o->group.size; i++) {
      there = there || !peers_gone(r->everyone, i);
    }
    transport_nap(there ? LOOK_EVERY : 0);
  }
  out->hung = out->hung || there;
}

static void close_run(struct run *r, bool all_alive) {
  mpi_transport_close(r->mpi, all_alive);
  team_close(&r->team, all_alive);
  peers_close(r->peers);
  peers_close(r->everyone);
  ledger_close(r->ledger);
  provenance_free(&r->provenance);
  plan_free(r->plan);
  grid_close(r->grid);
  free(r->output);
  free(r->note);
}

status run_experiment(const struct run_options *options, struct run_outcome *out,
                      struct error *err) {
  struct run r = {.o = options, .start = host_seconds(), .team = {.group = group_single()}};
  *out = (struct run_outcome){.all_alive = true};
  status st = agree(&r, prepare(&r, err), err);
  if (st == STATUS_OK) {
    st = connect(&r, err);
  }
  if (options->starting) {
    watch_close(*options->starting);
    *options->starting = NULL;
  }
  if (st == STATUS_OK) {
    st = play(&r, out, err);
  }
  if (!out->all_alive && r.everyone && options->group.rank == 0) {
    wait_for_others(&r, out);
  }
  close_run(&r, out->all_alive);
  return st;
}
