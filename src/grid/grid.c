#include "grid/grid.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "grid/expand.h"
#include "grid/parse.h"

enum { DEFAULT_SAMPLES = 128, VARIANTS = 1000000, WINDOW = 1 << 24 };

static const char *const keys[] = {"experiment",  "models",   "methods", "sparsity",
                                   "calibration", "datasets", "limit",   "precision",
                                   "seed",        "exclude",  "store",   "shots",
                                   "bos",         "window",   "windows", "attribution"};
enum { KEYS = sizeof keys / sizeof keys[0] };

static bool is_name(const char *text) {
  if (!isalnum((unsigned char)*text)) {
    return false;
  }
  for (const char *p = text; *p; p++) {
    if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) {
      return false;
    }
  }
  return true;
}

static status read_experiment(struct grid *g, struct error *err) {
  const struct yaml *node = yaml_get(&g->file.root, "experiment");
  const char *text;
  if (node) {
    TRY(yaml_text(&g->file, node, "experiment", &text, err));
    if (!is_name(text)) {
      return yaml_fail(&g->file, node, err,
                       "experiment '%s' (expected letters, digits, - _ . with a letter or digit "
                       "first)",
                       text);
    }
    return mem_dup(&g->experiment, text, strlen(text), err);
  }
  text = path_base(g->file.path);
  size_t n = strlen(text);
  n -= str_ends(text, ".yaml") ? strlen(".yaml") : str_ends(text, ".yml") ? strlen(".yml") : 0;
  TRY(mem_dup(&g->experiment, text, n, err));
  return is_name(g->experiment)
             ? STATUS_OK
             : err_at(err, STATUS_INPUT, g->file.path, 0,
                      "the file's name does not serve as the experiment's (expected 'experiment: "
                      "NAME' of letters, digits, - _ .)");
}

static status read_precision(struct grid *g, struct error *err) {
  const struct yaml *node = yaml_get(&g->file.root, "precision");
  if (!node) {
    return STATUS_OK;
  }
  const char *names[PRECISION_COUNT];
  for (int i = 0; i < PRECISION_COUNT; i++) {
    names[i] = precision_name((enum precision)i);
  }
  int choice;
  TRY(yaml_choice(&g->file, node, "precision", names, PRECISION_COUNT, &choice, err));
  g->precision = (enum precision)choice;
  return STATUS_OK;
}

static status read_store(struct grid *g, struct error *err) {
  static const char *const names[] = {"items", "masks"};
  g->store_items = true;
  const struct yaml *node = yaml_get(&g->file.root, "store");
  if (!node) {
    return STATUS_OK;
  }
  TRY(yaml_check_keys(&g->file, node, "store", names, 2, err));
  const struct yaml *value = yaml_get(node, "items");
  if (value) {
    TRY(yaml_bool(&g->file, value, "items", &g->store_items, err));
  }
  value = yaml_get(node, "masks");
  return value ? yaml_bool(&g->file, value, "masks", &g->store_masks, err) : STATUS_OK;
}

/* A whole number behind a key of the file; *out stays as it is when the key is absent. */
static status read_int(const struct grid *g, const char *key, long low, long high, long *out,
                       struct error *err) {
  const struct yaml *node = yaml_get(&g->file.root, key);
  return node ? yaml_int(&g->file, node, key, low, high, out, err) : STATUS_OK;
}

static status read_numbers(struct grid *g, struct error *err) {
  long limit = 0, shots = 0, window = 0, windows = 0, seed = 0;
  const struct yaml *node = yaml_get(&g->file.root, "limit");
  if (node && node->kind == YAML_TEXT && !node->quoted && strcmp(node->text, "0") == 0) {
    return yaml_fail(&g->file, node, err, "'limit' is 0 (leave the key out for all items)");
  }
  TRY(read_int(g, "limit", 1, INT_MAX, &limit, err));
  TRY(read_int(g, "shots", 0, 1000, &shots, err));
  TRY(read_int(g, "window", 2, WINDOW, &window, err));
  windows = limit;
  TRY(read_int(g, "windows", 1, INT_MAX, &windows, err));
  TRY(read_int(g, "seed", 0, LONG_MAX, &seed, err));
  g->limit = (int)limit;
  g->shots = (int)shots;
  g->window = (int)window;
  g->windows = (int)windows;
  g->seed = (uint64_t)seed;
  node = yaml_get(&g->file.root, "window");
  g->window_line = node ? node->line : 0;
  node = yaml_get(&g->file.root, "bos");
  return node ? yaml_bool(&g->file, node, "bos", &g->bos, err) : STATUS_OK;
}

/* What a calibration map leaves out. */
static status set_defaults(struct grid *g, struct error *err) {
  if (g->sample_count == 0) {
    free(g->samples);
    g->samples = NULL;
    TRY(mem_alloc(&g->samples, 1, sizeof *g->samples, err));
    g->samples[g->sample_count++] = (struct grid_int){DEFAULT_SAMPLES, 0};
  }
  if (g->length_count == 0) {
    free(g->lengths);
    g->lengths = NULL;
    TRY(mem_alloc(&g->lengths, 1, sizeof *g->lengths, err));
    g->lengths[g->length_count++] = (struct grid_int){0, 0};
  }
  return STATUS_OK;
}

static status read_axes(struct grid *g, struct error *err) {
  static const struct {
    const char *key, *expected;
    status (*parse)(struct grid *g, const struct yaml *node, struct error *err);
  } parts[] = {
      {"models", "models: [NAME]", parse_models},
      {"methods", "methods: [NAME]", parse_methods},
      {"sparsity", NULL, parse_sparsity},
      {"calibration", NULL, parse_calibration},
      {"datasets", "datasets: [NAME]", parse_datasets},
  };
  g->draws = 1;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    const struct yaml *node = yaml_get(&g->file.root, parts[i].key);
    if (node) {
      TRY(parts[i].parse(g, node, err));
    } else if (parts[i].expected) {
      return err_at(err, STATUS_INPUT, g->file.path, 0, "no %s (expected '%s')", parts[i].key,
                    parts[i].expected);
    }
  }
  return set_defaults(g, err);
}

struct tally {
  const struct grid *g;
  size_t variants, pruned;
};

static status tally_point(void *user, const struct point *p, struct error *err) {
  struct tally *t = user;
  if (p->method >= 0) {
    const struct grid_method *m = &t->g->methods[p->method];
    const struct grid_sparsity *s = &t->g->sparsity[p->sparsity];
    TRY_WITH(err, method_check(m->method, &m->params[p->params], &s->value, err), "%s:%ld: %s",
             t->g->file.path, m->line, m->label);
    t->pruned++;
  }
  if (++t->variants > VARIANTS) {
    return err_at(err, STATUS_INPUT, t->g->file.path, 0, "more than %d variants", VARIANTS);
  }
  return STATUS_OK;
}

/* That the exclude rules leave something to do. */
static status check_left(const struct grid *g, struct error *err) {
  struct tally t = {g, 0, 0};
  TRY(grid_expand(g, tally_point, &t, err));
  bool prunes = false;
  for (size_t i = 0; i < g->method_count; i++) {
    prunes = prunes || !g->methods[i].method->dense;
  }
  if (t.variants == 0 || (prunes && t.pruned == 0)) {
    return yaml_fail(&g->file, yaml_get(&g->file.root, "exclude"), err,
                     "exclude leaves nothing of the grid");
  }
  return STATUS_OK;
}

static status read_grid(struct grid *g, const char *path, struct error *err) {
  TRY(yaml_open(&g->file, path, err));
  TRY(yaml_check_keys(&g->file, &g->file.root, "an experiment file", keys, KEYS, err));
  TRY(read_experiment(g, err));
  TRY(read_axes(g, err));
  TRY(read_precision(g, err));
  TRY(read_store(g, err));
  TRY(read_numbers(g, err));
  TRY(check_needs(g, err));
  const struct yaml *attribution = yaml_get(&g->file.root, "attribution");
  if (attribution) {
    TRY(parse_attribution(g, attribution, err));
  }
  const struct yaml *exclude = yaml_get(&g->file.root, "exclude");
  if (exclude) {
    TRY(parse_excludes(g, exclude, err));
  }
  return check_left(g, err);
}

status grid_open(struct grid **out, const char *path, const struct places *places,
                 struct error *err) {
  struct grid *g;
  TRY(mem_alloc(&g, 1, sizeof *g, err));
  g->places = places;
  status st = read_grid(g, path, err);
  if (st != STATUS_OK) {
    grid_close(g);
    return st;
  }
  *out = g;
  return STATUS_OK;
}

void grid_close(struct grid *g) {
  if (!g) {
    return;
  }
  for (size_t i = 0; i < g->model_count; i++) {
    free(g->models[i].name);
    free(g->models[i].folder);
  }
  for (size_t i = 0; i < g->method_count; i++) {
    free(g->methods[i].params);
  }
  for (size_t i = 0; i < g->exclude_count; i++) {
    for (int axis = 0; axis < AXIS_COUNT; axis++) {
      free(g->excludes[i].axes[axis].at);
    }
    for (int k = 0; k < METHOD_PARAMS; k++) {
      free(g->excludes[i].params[k].at);
    }
  }
  for (size_t i = 0; i < g->set_count; i++) {
    free(g->sets[i].path);
  }
  for (size_t i = 0; i < g->dataset_count; i++) {
    free(g->datasets[i].path);
  }
  free(g->experiment);
  free(g->models);
  free(g->methods);
  free(g->sparsity);
  free(g->sets);
  free(g->samples);
  free(g->lengths);
  free(g->datasets);
  free(g->excludes);
  free(g->attributed);
  free(g->attribution.lexicon);
  free(g->background.path);
  yaml_close(&g->file);
  free(g);
}
