#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/duration.h"
#include "cli/places.h"
#include "cli/session.h"
#include "grid/cost.h"
#include "grid/group_size.h"

enum { KEY_JSON = 256, KEY_RANKS, KEY_NODE, KEY_MEMORY, KEY_RATE };

struct plan_arguments {
  const char *file;
  bool json;
  int ranks, node, memory, rate;
};

static const struct argp_option options[] = {
    {"ranks", KEY_RANKS, "N", 0, "ranks of the run to come (default: those of mpirun, else 1)", 0},
    {"node", KEY_NODE, "K", 0, "of them K run on each machine (default: all)", 0},
    {"memory", KEY_MEMORY, "GB", 0,
     "memory of each of them (default: this machine's, shared by those on one)", 0},
    {"rate", KEY_RATE, "GFLOPS", 0,
     "what a process gets done, in 10^9 operations per second, everything counted (default: "
     "measured here, in a moment)",
     0},
    {"json", KEY_JSON, 0, 0, "everything as one JSON object", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  const struct cli_input *in = state->input;
  struct plan_arguments *a = in->options;
  switch (key) {
  case KEY_JSON:
    a->json = true;
    return 0;
  case KEY_RANKS:
    return cli_int(in, "--ranks", arg, 1, 1000000, &a->ranks);
  case KEY_RATE:
    return cli_int(in, "--rate", arg, 1, 1000000, &a->rate);
  case KEY_NODE:
    return cli_int(in, "--node", arg, 1, 1000000, &a->node);
  case KEY_MEMORY:
    return cli_int(in, "--memory", arg, 1, 1000000, &a->memory);
  case ARGP_KEY_ARG:
    if (a->file) {
      return cli_refuse(in, "plan takes one experiment, '%s' is a second", arg);
    }
    a->file = arg;
    return 0;
  case ARGP_KEY_END:
    return a->file ? 0 : cli_refuse(in, "an experiment file is missing (see espalier plan --help)");
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {
    options,
    parse,
    "EXPERIMENT.yaml",
    "Checks an experiment and prints what would run: variants, cells, shared work, operations, "
    "memory, and an estimate of the time. Nothing is computed or written.\v"
    "Ranks work on a variant together when one alone lacks the memory for it, or when there are "
    "fewer variants than ranks (espalier run --group-size).\n\n"
    "Example:\n  espalier plan experiments/demo.yaml --ranks 16 --node 8 --memory 8",
    NULL,
    NULL,
    NULL};

struct totals {
  size_t cells, prunings, draws, calibrated;
  double prune_flops, eval_flops, seconds, longest, bytes;
  double attribution_flops, dense_flops; /* of eval_flops; of those the dense models' */
  int ranks;
  double memory; /* of each, in bytes */
  struct group_answer groups;
};

static size_t count_cells(const struct plan *p, size_t variant) {
  size_t count = 0;
  for (size_t d = 0; d < p->dataset_count; d++) {
    count += plan_cell(p, variant, d)->wanted;
  }
  return count;
}

static void add_attributions(const struct plan *p, size_t variant, struct totals *t) {
  for (size_t d = 0; d < p->dataset_count; d++) {
    const struct cell *c = plan_cell(p, variant, d);
    t->attribution_flops += c->wanted ? c->attribution_flops : 0;
    t->dense_flops += c->wanted && p->variants[variant].method->dense ? c->attribution_flops : 0;
  }
}

/* Of a task as it goes out: the dense model's data sets are tasks of their own. */
static double longest_task(const struct plan *p, size_t variant) {
  const struct variant *v = &p->variants[variant];
  double flops = 0;
  for (size_t d = 0; v->method->dense && d < p->dataset_count; d++) {
    const struct cell *c = plan_cell(p, variant, d);
    flops = c->wanted && c->flops > flops ? c->flops : flops;
  }
  return v->method->dense ? flops / p->rate : v->seconds;
}

static status add_up(const struct plan *p, struct totals *t, struct error *err) {
  size_t *draws;
  TRY(plan_distinct_draws(p, &draws, &t->draws, err));
  free(draws);
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[i];
    t->cells += count_cells(p, i);
    t->prunings += !v->method->dense;
    t->calibrated += v->calibration >= 0;
    t->prune_flops += v->prune_flops;
    t->eval_flops += v->eval_flops;
    t->seconds += v->seconds;
    double longest = longest_task(p, i);
    add_attributions(p, i, t);
    t->longest = longest > t->longest ? longest : t->longest;
    t->bytes = v->peak_bytes > t->bytes ? v->peak_bytes : t->bytes;
  }
  return STATUS_OK;
}

static void choose_groups(const struct plan *p, const struct plan_arguments *a,
                          const struct session *s, struct totals *t) {
  t->ranks = a->ranks ? a->ranks : s->group.size;
  int node = a->node && a->node < t->ranks ? a->node : t->ranks;
  if (!a->ranks && !a->node) {
    node = s->node;
  }
  /* a session's ranks have shared the machine already */
  t->memory = a->memory ? 1e9 * a->memory : (double)s->memory * s->node / node;
  t->groups = plan_group_size(p, t->ranks, node, t->memory);
}

static void print_groups(const struct plan *p, const struct totals *t) {
  char text[GROUP_TEXT];
  group_size_describe(&t->groups, p, t->ranks, t->memory, text);
  printf("groups: %s\n", text);
}

static void print_variants(const struct plan *p) {
  printf("%-14s %-14s %-9s %-16s %7s %7s %5s %6s %9s\n", "model", "method", "sparsity",
         "calibration", "samples", "length", "draw", "cells", "seconds");
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[i];
    printf("%-14s %-14s %-9s ", p->models[v->model].name, v->label, v->sparsity_text);
    if (v->calibration >= 0) {
      printf("%-16s %7d %7d %5d ", p->calibrations[v->calibration].name, v->samples, v->length,
             v->draw);
    } else {
      printf("%-16s %7s %7s %5s ", "-", "-", "-", "-");
    }
    printf("%6zu %9.1f\n", count_cells(p, i), v->seconds);
  }
}

static const char *plural(size_t n, const char *one, const char *many) {
  return n == 1 ? one : many;
}

static double saved_factor(const struct plan_saving *s) {
  return s->alone_flops > 0 ? s->shared_flops / s->alone_flops : 1;
}

/* What the grid's way to propagate shares, and what the other way would. */
static void print_sharing(const struct plan *p) {
  static const char *const what[PROPAGATE_COUNT][2] = {
      [PROPAGATE_PRUNED] = {"pass over the first block", "passes over the first block"},
      [PROPAGATE_DENSE] = {"pass over the dense model", "passes over the dense model"}};
  for (int i = 0; i < PROPAGATE_COUNT; i++) {
    enum propagate propagate = i == 0 ? p->grid->propagate : (enum propagate) !p->grid->propagate;
    struct plan_saving s = plan_saving(p, propagate);
    if (s.passes) {
      printf("%s %zu %s serve%s %zu variants (propagate %s): %.2f of one by one\n",
             i == 0 ? "calibration:" : "  otherwise:", s.passes,
             plural(s.passes, what[propagate][0], what[propagate][1]), plural(s.passes, "s", ""),
             s.variants, propagate_name(propagate), saved_factor(&s));
    }
  }
}

static void print_plan(const struct plan *p, const struct totals *t, const struct session *s) {
  print_variants(p);
  char alone[32], longest[32];
  duration_print(t->seconds, alone, sizeof alone);
  duration_print(t->longest, longest, sizeof longest);
  printf("\n%zu variants (%zu prunings) on %zu data sets: %zu cells\n", p->variant_count,
         t->prunings, p->dataset_count, t->cells);
  printf("shared: %zu calibration draws serve %zu prunings, %zu tokenised data sets serve %zu "
         "cells, a pruning serves all its data sets\n",
         t->draws, t->calibrated, p->dataset_count * p->model_count, t->cells);
  print_sharing(p);
  printf("work: %.3g Tflop pruning, %.3g Tflop evaluating", 1e-12 * t->prune_flops,
         1e-12 * t->eval_flops);
  if (p->grid->attributed) {
    printf(", %.3g of them for attributions (%.3g before pruning)", 1e-12 * t->attribution_flops,
           1e-12 * t->dense_flops);
  }
  printf("\n");
  printf("precision: %s\n", precision_name(p->grid->precision));
  printf("memory: about %.2f GB per process\n", 1e-9 * t->bytes);
  print_groups(p, t);
  printf("time: about %s on one process with %d thread%s at %.0f Gflop/s; never less than %s, the "
         "longest task\n",
         alone, s->threads, s->threads == 1 ? "" : "s", 1e-9 * p->rate, longest);
}

static cJSON *variant_json(const struct plan *p, size_t index) {
  const struct variant *v = &p->variants[index];
  cJSON *o = cJSON_CreateObject();
  (void)cJSON_AddStringToObject(o, "id", v->id);
  (void)cJSON_AddStringToObject(o, "model", p->models[v->model].name);
  (void)cJSON_AddStringToObject(o, "method", v->label);
  (void)cJSON_AddItemToObject(o, "parameters", cJSON_Parse(v->params_json));
  (void)cJSON_AddStringToObject(o, "sparsity", v->sparsity_text);
  if (v->calibration >= 0) {
    (void)cJSON_AddStringToObject(o, "calibration", p->calibrations[v->calibration].name);
    (void)cJSON_AddNumberToObject(o, "samples", v->samples);
    (void)cJSON_AddNumberToObject(o, "length", v->length);
    (void)cJSON_AddNumberToObject(o, "draw", v->draw);
  }
  (void)cJSON_AddNumberToObject(o, "prune_flops", v->prune_flops);
  (void)cJSON_AddNumberToObject(o, "eval_flops", v->eval_flops);
  (void)cJSON_AddNumberToObject(o, "seconds", v->seconds);
  (void)cJSON_AddNumberToObject(o, "peak_bytes", v->peak_bytes);
  cJSON *cells = cJSON_AddArrayToObject(o, "cells");
  for (size_t d = 0; d < p->dataset_count; d++) {
    if (plan_cell(p, index, d)->wanted) {
      cJSON *cell = cJSON_CreateObject();
      (void)cJSON_AddStringToObject(cell, "dataset", p->datasets[d].name);
      (void)cJSON_AddStringToObject(cell, "id", plan_cell(p, index, d)->id);
      (void)cJSON_AddItemToArray(cells, cell);
    }
  }
  return o;
}

static cJSON *sharing_json(const struct plan *p) {
  cJSON *o = cJSON_CreateObject();
  for (int i = 0; i < PROPAGATE_COUNT; i++) {
    struct plan_saving s = plan_saving(p, (enum propagate)i);
    cJSON *one = cJSON_AddObjectToObject(o, propagate_name((enum propagate)i));
    (void)cJSON_AddNumberToObject(one, "passes", (double)s.passes);
    (void)cJSON_AddNumberToObject(one, "variants", (double)s.variants);
    (void)cJSON_AddNumberToObject(one, "alone_flops", s.alone_flops);
    (void)cJSON_AddNumberToObject(one, "shared_flops", s.shared_flops);
    (void)cJSON_AddNumberToObject(one, "factor", saved_factor(&s));
  }
  return o;
}

static status print_json(const struct plan *p, const struct totals *t, struct error *err) {
  cJSON *o = cJSON_CreateObject();
  (void)cJSON_AddStringToObject(o, "experiment", p->grid->experiment);
  (void)cJSON_AddStringToObject(o, "precision", precision_name(p->grid->precision));
  (void)cJSON_AddStringToObject(o, "propagate", propagate_name(p->grid->propagate));
  (void)cJSON_AddItemToObject(o, "sharing", sharing_json(p));
  (void)cJSON_AddNumberToObject(o, "cells", (double)t->cells);
  (void)cJSON_AddNumberToObject(o, "draws", (double)t->draws);
  (void)cJSON_AddNumberToObject(o, "prune_flops", t->prune_flops);
  (void)cJSON_AddNumberToObject(o, "eval_flops", t->eval_flops);
  (void)cJSON_AddNumberToObject(o, "rate", p->rate);
  (void)cJSON_AddNumberToObject(o, "seconds", t->seconds);
  (void)cJSON_AddNumberToObject(o, "peak_bytes", t->bytes);
  (void)cJSON_AddNumberToObject(o, "ranks", t->ranks);
  (void)cJSON_AddNumberToObject(o, "group_size", t->groups.size);
  (void)cJSON_AddNumberToObject(o, "group_bytes", t->groups.bytes);
  cJSON *variants = cJSON_AddArrayToObject(o, "variants");
  for (size_t i = 0; i < p->variant_count; i++) {
    (void)cJSON_AddItemToArray(variants, variant_json(p, i));
  }
  char *text = cJSON_Print(o);
  cJSON_Delete(o);
  if (!text) {
    return err_set(err, STATUS_MEMORY, "out of memory");
  }
  printf("%s\n", text);
  free(text);
  return STATUS_OK;
}

static status show(const struct plan_arguments *a, const struct cli_places *places,
                   const struct session *session, struct error *err) {
  struct grid *grid = NULL;
  struct plan *plan = NULL;
  struct totals totals = {0};
  status st;
  TRY_GOTO(st, end, grid_open(&grid, a->file, &places->places, err));
  TRY_GOTO(st, end, plan_create(&plan, grid, PLAN_FULL, err));
  TRY_GOTO(st, end, cost_set_rate(plan, a->rate, err));
  TRY_GOTO(st, end, add_up(plan, &totals, err));
  choose_groups(plan, a, session, &totals);
  if (a->json) {
    st = print_json(plan, &totals, err);
  } else {
    print_plan(plan, &totals, session);
  }
end:
  plan_free(plan);
  grid_close(grid);
  return st;
}

status cmd_plan(int argc, char **argv, struct error *err) {
  struct plan_arguments a = {0};
  TRY(cli_parse(&argp, NULL, argc, argv, &a, err));
  struct session session;
  TRY(session_open(&session, false, 0, err));
  struct cli_places places;
  TRY(places_open(&places, err));
  status st = session.group.rank == 0 ? show(&a, &places, &session, err) : STATUS_OK;
  places_close(&places);
  return st;
}
