/* `methods`: names of the table or of presets, each with parameters whose lists are axes. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "grid/expand.h"
#include "grid/parse.h"

enum { COMBINATIONS = 10000 }; /* of one method's parameters: beyond it a list was a mistake */

/* Values of one parameter as the grid lists them. */
struct axis {
  double *at; /* [count] */
  size_t count;
};

static status read_axis(const struct grid *g, const struct grid_method *m, const struct yaml *key,
                        const struct yaml *node, struct axis *axis, int index, struct error *err) {
  struct entries list;
  TRY(parse_entries(&g->file, node, key->text, &list, err));
  TRY(mem_alloc(&axis->at, list.count, sizeof *axis->at, err));
  for (size_t i = 0; i < list.count; i++) {
    const char *text;
    struct params params = method_defaults(m->method);
    TRY(yaml_text(&g->file, &list.at[i], key->text, &text, err));
    TRY_WITH(err, method_param_set(m->method, &params, key->text, text, err), "%s:%ld",
             g->file.path, list.at[i].line);
    axis->at[i] = params.value[index];
    for (size_t k = 0; k < i; k++) {
      if (axis->at[k] == axis->at[i]) {
        return yaml_fail(&g->file, &list.at[i], err, "%s: %s: equal entries in a list: %s and %s",
                         m->label, key->text, list.at[k].text, text);
      }
    }
    axis->count++;
  }
  return STATUS_OK;
}

/* The product of the axes; the last parameter changes fastest. */
static status expand_params(const struct grid *g, struct grid_method *m, const struct params *base,
                            const struct axis *axes, struct error *err) {
  size_t total = 1;
  for (int k = 0; k < METHOD_PARAMS; k++) {
    total *= axes[k].count ? axes[k].count : 1;
    if (total > COMBINATIONS) {
      return err_at(err, STATUS_INPUT, g->file.path, m->line,
                    "%s: more than %d combinations of parameters", m->label, COMBINATIONS);
    }
  }
  TRY(mem_alloc(&m->params, total, sizeof *m->params, err));
  for (m->count = 0; m->count < total; m->count++) {
    struct params *p = &m->params[m->count];
    *p = *base;
    size_t rest = m->count;
    for (int k = METHOD_PARAMS - 1; k >= 0; k--) {
      if (axes[k].count) {
        p->value[k] = axes[k].at[rest % axes[k].count];
        rest /= axes[k].count;
      }
    }
  }
  return STATUS_OK;
}

static status read_param(const struct grid *g, const struct grid_method *m, const struct yaml *key,
                         const struct yaml *node, struct axis *axes, struct error *err) {
  int index = method_param_index(m->method, key->text);
  if (index < 0) {
    struct params params = method_defaults(m->method);
    TRY_WITH(err, method_param_set(m->method, &params, key->text, "", err), "%s:%ld", g->file.path,
             key->line);
  }
  return read_axis(g, m, key, node, &axes[index], index, err);
}

static status read_params(const struct grid *g, struct grid_method *m, const struct params *base,
                          const struct yaml *node, struct error *err) {
  struct axis axes[METHOD_PARAMS] = {{0}};
  status st = STATUS_OK;
  if (node && !yaml_is_null(node)) {
    if (node->kind != YAML_MAP) {
      return yaml_fail(&g->file, node, err, "parameters of %s (expected {NAME: VALUE})", m->label);
    }
    for (size_t i = 0; i < node->count && st == STATUS_OK; i++) {
      st = read_param(g, m, &node->keys[i], &node->items[i], axes, err);
    }
  }
  if (st == STATUS_OK) {
    st = expand_params(g, m, base, axes, err);
  }
  for (int k = 0; k < METHOD_PARAMS; k++) {
    free(axes[k].at);
  }
  return st;
}

static bool params_equal(const struct params *a, const struct params *b) {
  for (int k = 0; k < METHOD_PARAMS; k++) {
    if (a->value[k] != b->value[k]) {
      return false;
    }
  }
  return true;
}

/* Refuses an entry that gives a variant which an earlier entry gives too. */
static status check_distinct(const struct grid *g, const struct grid_method *m, struct error *err) {
  for (const struct grid_method *other = g->methods; other < m; other++) {
    for (size_t i = 0; other->method == m->method && i < other->count; i++) {
      for (size_t k = 0; k < m->count; k++) {
        if (params_equal(&other->params[i], &m->params[k])) {
          return err_at(err, STATUS_INPUT, g->file.path, m->line,
                        "'methods': equal entries in a list: %s is, with its parameters, what line "
                        "%ld (%s) gives",
                        m->label, other->line, other->label);
        }
      }
    }
  }
  return STATUS_OK;
}

static status parse_method(struct grid *g, const struct yaml *node, struct grid_method *m,
                           struct error *err) {
  const struct yaml *name = node, *params = NULL;
  if (node->kind == YAML_LIST || (node->kind == YAML_MAP && node->count != 1)) {
    return yaml_fail(&g->file, node, err,
                     "an entry of 'methods' is neither a name nor one 'NAME: {PARAMETER: VALUE}'");
  }
  if (node->kind == YAML_MAP) {
    name = &node->keys[0];
    params = &node->items[0];
  }
  m->label = name->text;
  m->line = name->line;
  struct params base = {{0}};
  TRY_WITH(err, grid_find_method(m->label, g->places, &m->method, &base, err), "%s:%ld",
           g->file.path, m->line);
  TRY(read_params(g, m, &base, params, err));
  return check_distinct(g, m, err);
}

status parse_methods(struct grid *g, const struct yaml *node, struct error *err) {
  struct entries list;
  if (node->kind == YAML_MAP) {
    return yaml_fail(&g->file, node, err,
                     "'methods' is a map (expected a list: '- NAME' or '- NAME: {PARAMETER: "
                     "VALUE}')");
  }
  TRY(parse_entries(&g->file, node, "methods", &list, err));
  TRY(mem_alloc(&g->methods, list.count, sizeof *g->methods, err));
  for (size_t i = 0; i < list.count; i++) {
    struct grid_method *m = &g->methods[g->method_count++];
    TRY(parse_method(g, &list.at[i], m, err));
  }
  return STATUS_OK;
}

status check_needs(const struct grid *g, struct error *err) {
  for (size_t i = 0; i < g->method_count; i++) {
    const struct grid_method *m = &g->methods[i];
    if (!m->method->dense && g->sparsity_count == 0) {
      return err_at(err, STATUS_INPUT, g->file.path, m->line,
                    "%s needs a sparsity (expected the key 'sparsity: [0.5]')", m->label);
    }
    if (method_calibrated(m->method) && g->set_count == 0) {
      return err_at(err, STATUS_INPUT, g->file.path, m->line,
                    "%s needs calibration data (expected the key 'calibration: {sets: [NAME]}')",
                    m->label);
    }
  }
  return STATUS_OK;
}
