#include "cli/bench.h"
#include "cli/cli.h"
#include "cli/signals.h"

/* In the order in which they run. */
static const struct section {
  const char *name;
  bool needs_model;
  status (*run)(struct bench *b, struct error *err);
} sections[] = {
    {"ceiling", true, bench_ceiling},  {"memory", false, bench_memory},
    {"forward", true, bench_forward},  {"gram", false, bench_gram},
    {"methods", false, bench_methods}, {"eval", true, bench_eval},
    {"factor", false, bench_factor},   {"grid", false, bench_grid},
};
enum { SECTIONS = sizeof sections / sizeof sections[0], GRID = SECTIONS - 1, FACTOR = GRID - 1 };

static bool asked(const struct bench_arguments *a, int section) {
  return (a->sections & 1U << section) != 0;
}

static status choose_sections(struct bench_arguments *a, int ranks, struct error *err) {
  if (a->sections == 0) {
    a->sections = (1U << FACTOR) - 1;
  }
  if (a->grid) {
    a->sections |= 1U << GRID;
  }
  if (asked(a, GRID) && !a->grid) {
    return err_set(err, STATUS_INPUT, "section grid needs --grid FILE");
  }
  if (ranks > 1 && a->sections & ((1U << FACTOR) - 1)) {
    return err_set(
        err, STATUS_INPUT,
        "of the sections only factor and grid run on several ranks (expected one process, "
        "`bench factor` or `bench grid --grid FILE`)");
  }
  return STATUS_OK;
}

static bool needs_model(const struct bench_arguments *a) {
  for (int i = 0; i < SECTIONS; i++) {
    if (asked(a, i) && sections[i].needs_model) {
      return true;
    }
  }
  return false;
}

static status run_sections(struct bench *b, bool loud, struct error *err) {
  TRY(needs_model(b->a) ? bench_model_open(b, err) : STATUS_OK);
  for (int i = 0; i < SECTIONS; i++) {
    if (asked(b->a, i)) {
      TRY(sections[i].run(b, err));
      if (loud && !b->a->json) {
        bench_print(&b->report);
      }
    }
  }
  return STATUS_OK;
}

static status measure(struct bench *b, struct error *err) {
  bool first = b->session->group.rank == 0;
  struct bench_host host = {0};
  status st = bench_host_collect(&host, b->session, err);
  st = group_agree(&b->session->group, st, err);
  if (st == STATUS_OK && first && !b->a->json) {
    bench_host_print(&host, b->a->repeats);
  }
  if (st == STATUS_OK) {
    st = run_sections(b, first, err);
  }
  if (st == STATUS_OK && first && b->a->json) {
    st = bench_print_json(&b->report, &host, b->a->repeats, err);
  }
  bench_host_free(&host);
  return st;
}

static status bench(struct bench_arguments *a, const atomic_bool *stop, struct error *err) {
  struct session session;
  TRY(session_open(&session, false, a->threads, err));
  TRY(choose_sections(a, session.group.size, err));
  struct cli_places places;
  TRY(places_open(&places, err));
  struct bench b = {.a = a,
                    .stop = stop,
                    .session = &session,
                    .places = &places,
                    .threads = {1, session.threads},
                    .thread_count = session.threads > 1 ? 2 : 1};
  status st = measure(&b, err);
  bench_model_close(&b.model);
  bench_report_free(&b.report);
  places_close(&places);
  return st;
}

status cmd_bench(int argc, char **argv, struct error *err) {
  const char *names[SECTIONS];
  for (int i = 0; i < SECTIONS; i++) {
    names[i] = sections[i].name;
  }
  struct bench_arguments a;
  TRY(bench_parse(argc, argv, names, SECTIONS, &a, err));
  if (!asked(&a, GRID)) {
    return bench(&a, NULL, err);
  }
  struct signals signals;
  TRY(signals_open(&signals, err));
  status st = bench(&a, &signals.stop, err);
  signals_close(&signals);
  return st;
}
