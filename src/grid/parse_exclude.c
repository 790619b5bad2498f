/* `exclude`: maps of axis to value or list; what matches all of a map's axes is left out. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "calib/lookup.h"
#include "grid/parse.h"

static const char *const axis_keys[AXIS_COUNT] = {
    [AXIS_MODEL] = "model",       [AXIS_METHOD] = "method",
    [AXIS_SPARSITY] = "sparsity", [AXIS_CALIBRATION] = "calibration",
    [AXIS_SAMPLES] = "samples",   [AXIS_LENGTH] = "length",
    [AXIS_DRAW] = "draw",         [AXIS_DATASET] = "dataset",
};

static size_t axis_count(const struct grid *g, enum grid_axis axis) {
  switch (axis) {
  case AXIS_MODEL:
    return g->model_count;
  case AXIS_METHOD:
    return g->method_count;
  case AXIS_SPARSITY:
    return g->sparsity_count;
  case AXIS_CALIBRATION:
    return g->set_count;
  case AXIS_SAMPLES:
    return g->sample_count;
  case AXIS_LENGTH:
    return g->length_count;
  case AXIS_DRAW:
    return (size_t)g->draws;
  case AXIS_DATASET:
    return g->dataset_count;
  case AXIS_COUNT:
    break;
  }
  return 0;
}

/* What value i of an axis is called; numbers are printed into `number`. */
static const char *axis_value(const struct grid *g, enum grid_axis axis, size_t i,
                              char number[32]) {
  switch (axis) {
  case AXIS_MODEL:
    return g->models[i].name;
  case AXIS_METHOD:
    return g->methods[i].label;
  case AXIS_SPARSITY:
    return g->sparsity[i].text;
  case AXIS_CALIBRATION:
    return g->sets[i].name;
  case AXIS_DATASET:
    return g->datasets[i].name;
  case AXIS_SAMPLES:
    (void)snprintf(number, 32, "%d", g->samples[i].value);
    return number;
  case AXIS_LENGTH:
    (void)snprintf(number, 32, "%d", g->lengths[i].value);
    return number;
  case AXIS_DRAW:
  case AXIS_COUNT:
    break;
  }
  (void)snprintf(number, 32, "%zu", i);
  return number;
}

static status not_in_grid(const struct grid *g, enum grid_axis axis, const struct yaml *node,
                          struct error *err) {
  struct names names = {0};
  struct str suggestion = {0};
  char number[32];
  status st = STATUS_OK;
  size_t count = axis_count(g, axis);
  for (size_t i = 0; i < count && i < 1000 && st == STATUS_OK; i++) {
    st = names_add(&names, axis_value(g, axis, i, number), err);
  }
  if (st == STATUS_OK) {
    st = names_suggest(&names, node->text, &suggestion, err);
  }
  if (st == STATUS_OK) {
    st = yaml_fail(&g->file, node, err, "exclude: no %s '%s' in this grid%s", axis_keys[axis],
                   node->text, suggestion.at);
  }
  str_free(&suggestion);
  names_free(&names);
  return st;
}

static status read_value(const struct grid *g, struct grid_exclude *rule, enum grid_axis axis,
                         const struct yaml *node, struct error *err) {
  const char *text;
  char number[32], canonical[32];
  TRY(yaml_text(&g->file, node, axis_keys[axis], &text, err));
  if (axis == AXIS_SPARSITY) {
    struct sparsity s;
    TRY_WITH(err, sparsity_parse(&s, text, err), "%s:%ld", g->file.path, node->line);
    sparsity_print(&s, canonical);
    text = canonical;
  } else if (axis == AXIS_SAMPLES || axis == AXIS_LENGTH || axis == AXIS_DRAW) {
    long value;
    TRY(yaml_int(&g->file, node, axis_keys[axis], 0, INT_MAX, &value, err));
    (void)snprintf(canonical, sizeof canonical, "%ld", value);
    text = canonical;
  } else if (axis == AXIS_METHOD && strcmp(text, "dense") == 0) {
    return yaml_fail(
        &g->file, node, err,
        "exclude: the dense baseline belongs to every table (expected another method)");
  }
  size_t count = axis_count(g, axis), before = rule->axes[axis].count;
  for (size_t i = 0; i < count; i++) {
    if (strcmp(text, axis_value(g, axis, i, number)) == 0) {
      rule->axes[axis].at[rule->axes[axis].count++] = (int)i;
      if (axis != AXIS_METHOD) {
        return STATUS_OK;
      }
    }
  }
  return rule->axes[axis].count > before ? STATUS_OK : not_in_grid(g, axis, node, err);
}

static status read_axis(const struct grid *g, struct grid_exclude *rule, enum grid_axis axis,
                        const struct yaml *node, struct error *err) {
  struct entries list;
  TRY(parse_entries(&g->file, node, axis_keys[axis], &list, err));
  size_t room = axis == AXIS_METHOD ? list.count * (g->method_count + 1) : list.count;
  TRY(mem_alloc(&rule->axes[axis].at, room, sizeof *rule->axes[axis].at, err));
  for (size_t i = 0; i < list.count; i++) {
    TRY(read_value(g, rule, axis, &list.at[i], err));
  }
  return STATUS_OK;
}

/* A parameter of the rule's method; which parameters there are depends on it. */
static status read_param(const struct grid *g, struct grid_exclude *rule, const struct yaml *key,
                         const struct yaml *node, struct error *err) {
  const struct method *m = NULL;
  for (size_t i = 0; i < rule->axes[AXIS_METHOD].count; i++) {
    const struct method *next = g->methods[rule->axes[AXIS_METHOD].at[i]].method;
    m = m && m != next ? NULL : next;
    if (!m) {
      break;
    }
  }
  int index = m ? method_param_index(m, key->text) : -1;
  if (index < 0) {
    int near = str_nearest(key->text, axis_keys, AXIS_COUNT);
    return near >= 0
               ? yaml_fail(&g->file, key, err, "unknown key '%s' in exclude (did you mean '%s'?)",
                           key->text, axis_keys[near])
               : yaml_fail(&g->file, key, err,
                           "unknown key '%s' in exclude (expected one of: model, method, "
                           "sparsity, calibration, samples, length, draw, dataset, or a "
                           "parameter of the one method that it names)",
                           key->text);
  }
  struct entries list;
  TRY(parse_entries(&g->file, node, key->text, &list, err));
  TRY(mem_alloc(&rule->params[index].at, list.count, sizeof(double), err));
  for (size_t i = 0; i < list.count; i++) {
    const char *text;
    struct params params = method_defaults(m);
    TRY(yaml_text(&g->file, &list.at[i], key->text, &text, err));
    TRY_WITH(err, method_param_set(m, &params, key->text, text, err), "%s:%ld", g->file.path,
             list.at[i].line);
    rule->params[index].at[rule->params[index].count++] = params.value[index];
  }
  return STATUS_OK;
}

static int axis_find(const char *key) {
  for (int axis = 0; axis < AXIS_COUNT; axis++) {
    if (strcmp(axis_keys[axis], key) == 0) {
      return axis;
    }
  }
  return -1;
}

static status read_rule(const struct grid *g, struct grid_exclude *rule, const struct yaml *node,
                        struct error *err) {
  if (node->kind != YAML_MAP || node->count == 0) {
    return yaml_fail(&g->file, node, err,
                     "an entry of 'exclude' is no map (expected {method: NAME, sparsity: VALUE})");
  }
  rule->line = node->line;
  for (size_t i = 0; i < node->count; i++) {
    int axis = axis_find(node->keys[i].text);
    if (axis >= 0) {
      TRY(read_axis(g, rule, (enum grid_axis)axis, &node->items[i], err));
    }
  }
  for (size_t i = 0; i < node->count; i++) {
    if (axis_find(node->keys[i].text) < 0) {
      TRY(read_param(g, rule, &node->keys[i], &node->items[i], err));
    }
  }
  return STATUS_OK;
}

status parse_excludes(struct grid *g, const struct yaml *node, struct error *err) {
  const struct yaml *rules = node->kind == YAML_LIST ? node->items : node;
  size_t count = node->kind == YAML_LIST ? node->count : 1;
  TRY(mem_alloc(&g->excludes, count, sizeof *g->excludes, err));
  for (size_t i = 0; i < count; i++) {
    g->exclude_count++;
    TRY(read_rule(g, &g->excludes[i], &rules[i], err));
  }
  return STATUS_OK;
}
