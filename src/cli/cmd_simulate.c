#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/duration.h"
#include "cli/places.h"
#include "cli/session.h"
#include "grid/cost.h"
#include "sched/simulate.h"

enum {
  KEY_RANKS = 256,
  KEY_MTBF,
  KEY_SEED,
  KEY_TIME_LIMIT,
  KEY_LEASE_TIMEOUT,
  KEY_NOISE,
  KEY_CELLS,
  KEY_VARIANT,
  KEY_SHARE,
  KEY_SPREAD,
  KEY_SECONDS,
  KEY_THREADS,
  KEY_RATE,
  KEY_JSON
};

static const double LATENCY = 0.01; /* seconds: workers and master look for messages as often */

struct simulate_arguments {
  const char *file;
  int ranks, seed, lease_timeout, threads, rate;
  double mtbf, time_limit, noise;
  struct simulate_shape shape; /* cells 0: of an experiment */
  const char *made;            /* an option that goes with --cells, when there is one */
  bool json;
};

static const struct argp_option options[] = {
    {"ranks", KEY_RANKS, "N", 0, "ranks to simulate, up to a million", 0},
    {"mtbf", KEY_MTBF, "TIME", 0,
     "mean time between failures of one rank, seconds or [[D-]HH:]MM:SS (default: none fails)", 0},
    {"time-limit", KEY_TIME_LIMIT, "TIME", 0, "of one job; another follows while work is left", 0},
    {"lease-timeout", KEY_LEASE_TIMEOUT, "SECONDS", 0,
     "a rank that is silent for so long is taken for lost (default 600, as run has it)", 0},
    {"noise", KEY_NOISE, "X", 0,
     "how far durations stray from their estimates: standard deviation of the logarithm (default "
     "0.2)",
     0},
    {"threads", KEY_THREADS, "N", 0, "threads of a rank (default: all cores)", 0},
    {"rate", KEY_RATE, "GFLOPS", 0,
     "what a rank gets done of an experiment, in 10^9 operations per second, everything counted "
     "(default: measured here, in a moment)",
     0},
    {"cells", KEY_CELLS, "N", 0, "so many made-up cells in place of an experiment", 0},
    {"variant", KEY_VARIANT, "N", 0, "made-up cells: cells of one variant (default 4)", 0},
    {"share", KEY_SHARE, "N", 0,
     "made-up cells: variants that share one calibration pass (default 1: no pass is shared)", 0},
    {"spread", KEY_SPREAD, "X", 0,
     "made-up cells: standard deviation of the logarithm of their costs (default 0.5)", 0},
    {"seconds", KEY_SECONDS, "TIME", 0, "made-up cells: mean time of one (default 60)", 0},
    {"seed", KEY_SEED, "N", 0, "of everything random (default 0)", 0},
    {"json", KEY_JSON, 0, 0, "one JSON object", 0},
    {0}};

static error_t parse_time(const struct cli_input *in, const char *name, const char *text,
                          double *out) {
  return duration_parse(text, out) && *out > 0
             ? 0
             : cli_refuse(in, "%s: '%s' (expected seconds or [[D-]HH:]MM:SS)", name, text);
}

static error_t parse_number(const struct cli_input *in, const char *name, const char *text,
                            double most, double *out) {
  char *end;
  double value = strtod(text, &end);
  if (end == text || *end || !(value >= 0 && value <= most)) {
    return cli_refuse(in, "%s: '%s' (expected a number from 0 to %g)", name, text, most);
  }
  *out = value;
  return 0;
}

static error_t check(const struct cli_input *in, const struct simulate_arguments *a) {
  if (a->file && a->shape.cells) {
    return cli_refuse(in, "--cells stands in place of an experiment, not beside '%s'", a->file);
  }
  if (!a->file && !a->shape.cells) {
    return cli_refuse(in,
                      "an experiment file or --cells is missing (see espalier simulate --help)");
  }
  if (a->made && !a->shape.cells) {
    return cli_refuse(in, "%s goes with --cells", a->made);
  }
  return a->ranks ? 0 : cli_refuse(in, "--ranks is missing");
}

static error_t parse_shape(const struct cli_input *in, int key, const char *arg,
                           struct simulate_arguments *a) {
  struct simulate_shape *s = &a->shape;
  int cells = 0;
  error_t code;
  switch (key) {
  case KEY_CELLS:
    code = cli_int(in, "--cells", arg, 1, 10000000, &cells);
    s->cells = (size_t)cells;
    return code;
  case KEY_VARIANT:
    a->made = "--variant";
    return cli_int(in, a->made, arg, 1, 1000, &s->variant);
  case KEY_SHARE:
    a->made = "--share";
    return cli_int(in, a->made, arg, 1, 1000000, &s->share);
  case KEY_SPREAD:
    a->made = "--spread";
    return parse_number(in, a->made, arg, 3, &s->spread);
  default:
    a->made = "--seconds";
    return parse_time(in, a->made, arg, &s->seconds);
  }
}

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct simulate_arguments *a = in->options;
  switch (key) {
  case KEY_RANKS:
    return cli_int(in, "--ranks", arg, 1, 1000000, &a->ranks);
  case KEY_MTBF:
    return parse_time(in, "--mtbf", arg, &a->mtbf);
  case KEY_TIME_LIMIT:
    return parse_time(in, "--time-limit", arg, &a->time_limit);
  case KEY_LEASE_TIMEOUT:
    return cli_int(in, "--lease-timeout", arg, 1, 1000000, &a->lease_timeout);
  case KEY_NOISE:
    return parse_number(in, "--noise", arg, 3, &a->noise);
  case KEY_THREADS:
    return cli_int(in, "--threads", arg, 1, 4096, &a->threads);
  case KEY_RATE:
    return cli_int(in, "--rate", arg, 1, 1000000, &a->rate);
  case KEY_CELLS:
  case KEY_VARIANT:
  case KEY_SHARE:
  case KEY_SPREAD:
  case KEY_SECONDS:
    return parse_shape(in, key, arg, a);
  case KEY_SEED:
    return cli_int(in, "--seed", arg, 0, 2147483647, &a->seed);
  case KEY_JSON:
    a->json = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "simulate takes one experiment, '%s' is a second", arg);
    }
    a->file = arg;
    return 0;
  case ARGP_KEY_END:
    return check(in, a);
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "[EXPERIMENT.yaml]",
    "How a run would fare on many ranks: the scheduler of espalier run, event by event, against "
    "simulated workers in virtual time. Durations come from the plan's estimates, strayed by "
    "--noise. Prints the makespan; the efficiency (needed computing / ranks x makespan); what the "
    "scheduler costs, measured; what failures lose. Failed ranks stay away until the job ends; "
    "without rank 0 it ends at once, and the next carries on. Nothing is computed or written.\v"
    "Example:\n  espalier simulate experiments/demo.yaml --ranks 16 --mtbf 24:00:00\n"
    "  espalier simulate --cells 200000 --ranks 10000",
    NULL,
    NULL,
    NULL};

static double each_us(double seconds, size_t count) {
  return count ? 1e6 * seconds / (double)count : 0;
}

static double percent(double part, const struct simulate_result *r) {
  double all = r->useful + r->repeated + r->lost;
  return all > 0 ? 100 * part / all : 0;
}

static void print_text(const struct simulate_arguments *a, const struct simulate_result *r) {
  char makespan[32], least[32], useful[32], repeated[32], lost[32];
  duration_print(r->makespan, makespan, sizeof makespan);
  duration_print(r->least, least, sizeof least);
  duration_print(r->useful, useful, sizeof useful);
  duration_print(r->repeated, repeated, sizeof repeated);
  duration_print(r->lost, lost, sizeof lost);
  printf("%zu cells on %d rank%s: %zu done, %zu given up, in %zu job%s\n", r->cells, a->ranks,
         a->ranks == 1 ? "" : "s", r->recorded, r->given_up, r->jobs, r->jobs == 1 ? "" : "s");
  if (r->stuck) {
    printf("the rest does not end within a job: a longer --time-limit, or ranks that last\n");
  }
  printf("makespan:    %s (at least %s: all work on all ranks, or the longest variant)\n", makespan,
         least);
  printf("efficiency:  %.3f of ranks x makespan is needed computing (%s)\n", r->efficiency, useful);
  printf("shared work: %s of passes that were made before (%.1f %% of the computing)\n", repeated,
         percent(r->repeated, r));
  printf("lost work:   %s (%.1f %%); %zu ranks lost, %zu of %zu leases handed out again\n", lost,
         percent(r->lost, r), r->ranks_lost, r->again, r->leases);
  printf("master:      %zu events of %.2f us, a beat %.2f us (measured here); busy %.2f %% of the "
         "makespan\n",
         r->events, each_us(r->event_seconds + r->beat_seconds, r->events),
         each_us(r->beat_seconds, r->beats), 100 * r->load);
}

static status print_json(const struct simulate_arguments *a, const struct simulate_result *r,
                         struct error *err) {
  const struct {
    const char *name;
    double value;
  } numbers[] = {{"ranks", a->ranks},
                 {"cells", (double)r->cells},
                 {"recorded", (double)r->recorded},
                 {"given_up", (double)r->given_up},
                 {"jobs", (double)r->jobs},
                 {"makespan_seconds", r->makespan},
                 {"least_seconds", r->least},
                 {"efficiency", r->efficiency},
                 {"useful_seconds", r->useful},
                 {"repeated_seconds", r->repeated},
                 {"lost_seconds", r->lost},
                 {"ranks_lost", (double)r->ranks_lost},
                 {"leases", (double)r->leases},
                 {"leases_again", (double)r->again},
                 {"events", (double)r->events},
                 {"event_us", each_us(r->event_seconds + r->beat_seconds, r->events)},
                 {"master_load", r->load}};
  cJSON *o = cJSON_CreateObject();
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    (void)cJSON_AddNumberToObject(o, numbers[i].name, numbers[i].value);
  }
  (void)cJSON_AddBoolToObject(o, "stuck", r->stuck);
  char *text = cJSON_Print(o);
  cJSON_Delete(o);
  if (!text) {
    return err_set(err, STATUS_MEMORY, "out of memory");
  }
  printf("%s\n", text);
  free(text);
  return STATUS_OK;
}

static status load_grid(const char *file, int rate, struct simulate_work *out, struct error *err) {
  struct cli_places places;
  struct grid *grid = NULL;
  struct plan *plan = NULL;
  TRY(places_open(&places, err));
  status st = grid_open(&grid, file, &places.places, err);
  if (st == STATUS_OK) {
    st = plan_create(&plan, grid, PLAN_FULL, err);
  }
  if (st == STATUS_OK) {
    st = cost_set_rate(plan, rate, err);
  }
  if (st == STATUS_OK) {
    st = simulate_work_of_plan(out, plan, err);
  }
  plan_free(plan);
  grid_close(grid);
  places_close(&places);
  return st;
}

static status make_work(const struct simulate_arguments *a, struct simulate_work *out,
                        struct error *err) {
  if (a->file) {
    return load_grid(a->file, a->rate, out, err);
  }
  struct simulate_shape shape = a->shape;
  shape.seed = (uint64_t)a->seed;
  return simulate_work_make(out, &shape, err);
}

static status show(const struct simulate_arguments *a, struct error *err) {
  struct simulate_work work;
  TRY(make_work(a, &work, err));
  struct simulate_options how = {.ranks = a->ranks,
                                 .mtbf = a->mtbf,
                                 .time_limit = a->time_limit,
                                 .lease_timeout = a->lease_timeout,
                                 .latency = LATENCY,
                                 .noise = a->noise,
                                 .seed = (uint64_t)a->seed};
  struct simulate_result result;
  status st = simulate(&result, &work, &how, err);
  simulate_work_free(&work);
  TRY(st);
  if (a->json) {
    return print_json(a, &result, err);
  }
  print_text(a, &result);
  return STATUS_OK;
}

status cmd_simulate(int argc, char **argv, struct error *err) {
  struct simulate_arguments a = {.lease_timeout = 600,
                                 .noise = 0.2,
                                 .shape = {.variant = 4, .share = 1, .seconds = 60, .spread = 0.5}};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  struct session session;
  TRY(session_open(&session, false, a.threads, err));
  return session.group.rank == 0 ? show(&a, err) : STATUS_OK;
}
