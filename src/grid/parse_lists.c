/* The axes that are plain lists: models, data sets, sparsities, calibration. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "calib/lookup.h"
#include "grid/parse.h"

status parse_entries(const struct yaml_file *file, const struct yaml *node, const char *what,
                     struct entries *out, struct error *err) {
  if (node->kind == YAML_MAP) {
    return yaml_fail(file, node, err, "'%s' is a map (expected a list)", what);
  }
  if (node->kind == YAML_LIST && node->count == 0) {
    return yaml_fail(file, node, err, "'%s' is empty (expected at least one entry)", what);
  }
  *out = node->kind == YAML_LIST ? (struct entries){node->items, node->count}
                                 : (struct entries){node, 1};
  return STATUS_OK;
}

static status equal_entries(const struct grid *g, const struct yaml *entry, const char *what,
                            const char *first, struct error *err) {
  if (strcmp(first, entry->text) == 0) {
    return yaml_fail(&g->file, entry, err, "'%s': equal entries in a list: %s stands twice", what,
                     first);
  }
  return yaml_fail(&g->file, entry, err, "'%s': equal entries in a list: %s and %s", what, first,
                   entry->text);
}

status parse_beside(const struct grid *g, const char *text, char **out, struct error *err) {
  char *dir, *path = NULL;
  *out = NULL;
  TRY(path_dir(&dir, g->file.path, err));
  status st = path_join(&path, dir, text, err);
  free(dir);
  TRY(st);
  if (*text && file_exists(path)) {
    *out = path;
  } else {
    free(path);
  }
  return STATUS_OK;
}

status parse_models(struct grid *g, const struct yaml *node, struct error *err) {
  struct entries list;
  TRY(parse_entries(&g->file, node, "models", &list, err));
  TRY(mem_alloc(&g->models, list.count, sizeof *g->models, err));
  for (size_t i = 0; i < list.count; i++) {
    const char *text;
    TRY(yaml_text(&g->file, &list.at[i], "models", &text, err));
    struct grid_model *m = &g->models[g->model_count];
    char *beside;
    TRY(parse_beside(g, text, &beside, err));
    status st = grid_find_model_beside(text, beside, g->places, &m->folder, &m->name, err);
    free(beside);
    TRY_WITH(err, st, "%s:%ld", g->file.path, list.at[i].line);
    m->line = list.at[i].line;
    g->model_count++;
    for (size_t k = 0; k < i; k++) {
      if (strcmp(g->models[k].name, m->name) == 0 || strcmp(g->models[k].folder, m->folder) == 0) {
        return equal_entries(g, &list.at[i], "models", list.at[k].text, err);
      }
    }
  }
  return STATUS_OK;
}

/* A list of names into out [count], each told once. */
static status parse_names(struct grid *g, const struct yaml *node, const char *what,
                          struct grid_name **out, size_t *count, struct error *err) {
  struct entries list;
  TRY(parse_entries(&g->file, node, what, &list, err));
  TRY(mem_alloc(out, list.count, sizeof **out, err));
  for (size_t i = 0; i < list.count; i++) {
    struct grid_name *name = &(*out)[i];
    TRY(yaml_text(&g->file, &list.at[i], what, &name->name, err));
    name->line = list.at[i].line;
    for (size_t k = 0; k < i; k++) {
      if (strcmp((*out)[k].name, name->name) == 0) {
        return equal_entries(g, &list.at[i], what, (*out)[k].name, err);
      }
    }
    (*count)++;
  }
  return STATUS_OK;
}

/* Finds a file of configs/KIND or a path, relative to the grid's folder or to the working one. */
static status find_name(const struct grid *g, struct grid_name *name, const char *kind,
                        const char *what, struct error *err) {
  char *path;
  TRY(lookup_config(&path, &g->places->search, kind, name->name, err));
  bool found = path != NULL;
  free(path);
  if (!found) {
    TRY(parse_beside(g, name->name, &name->path, err));
    found = name->path || file_exists(name->name);
  }
  if (found) {
    return name->path ? STATUS_OK : mem_dup(&name->path, name->name, strlen(name->name), err);
  }
  struct names names = {0};
  struct str suggestion = {0};
  status st = names_add_configs(&names, &g->places->search, kind, err);
  if (st == STATUS_OK) {
    st = names_suggest(&names, name->name, &suggestion, err);
  }
  if (st == STATUS_OK) {
    st = err_at(err, STATUS_INPUT, g->file.path, name->line, "unknown %s '%s'%s", what, name->name,
                suggestion.at);
  }
  str_free(&suggestion);
  names_free(&names);
  return st;
}

status parse_datasets(struct grid *g, const struct yaml *node, struct error *err) {
  TRY(parse_names(g, node, "datasets", &g->datasets, &g->dataset_count, err));
  for (size_t i = 0; i < g->dataset_count; i++) {
    TRY(find_name(g, &g->datasets[i], "tasks", "data set", err));
  }
  return STATUS_OK;
}

status parse_sparsity(struct grid *g, const struct yaml *node, struct error *err) {
  struct entries list;
  TRY(parse_entries(&g->file, node, "sparsity", &list, err));
  TRY(mem_alloc(&g->sparsity, list.count, sizeof *g->sparsity, err));
  for (size_t i = 0; i < list.count; i++) {
    const char *text;
    TRY(yaml_text(&g->file, &list.at[i], "sparsity", &text, err));
    struct grid_sparsity *s = &g->sparsity[i];
    TRY_WITH(err, sparsity_parse(&s->value, text, err), "%s:%ld", g->file.path, list.at[i].line);
    sparsity_print(&s->value, s->text);
    s->line = list.at[i].line;
    for (size_t k = 0; k < i; k++) {
      if (strcmp(g->sparsity[k].text, s->text) == 0) {
        return equal_entries(g, &list.at[i], "sparsity", list.at[k].text, err);
      }
    }
    g->sparsity_count++;
  }
  return STATUS_OK;
}

static status parse_ints(struct grid *g, const struct yaml *node, const char *what,
                         struct grid_int **out, size_t *count, struct error *err) {
  struct entries list;
  TRY(parse_entries(&g->file, node, what, &list, err));
  TRY(mem_alloc(out, list.count, sizeof **out, err));
  for (size_t i = 0; i < list.count; i++) {
    long value;
    TRY(yaml_int(&g->file, &list.at[i], what, 1, INT_MAX, &value, err));
    (*out)[i] = (struct grid_int){(int)value, list.at[i].line};
    for (size_t k = 0; k < i; k++) {
      if ((*out)[k].value == (int)value) {
        return equal_entries(g, &list.at[i], what, list.at[k].text, err);
      }
    }
    (*count)++;
  }
  return STATUS_OK;
}

static status parse_propagate(struct grid *g, const struct yaml *node, struct error *err) {
  const char *names[PROPAGATE_COUNT];
  for (int i = 0; i < PROPAGATE_COUNT; i++) {
    names[i] = propagate_name((enum propagate)i);
  }
  int choice;
  TRY(yaml_choice(&g->file, node, "propagate", names, PROPAGATE_COUNT, &choice, err));
  g->propagate = (enum propagate)choice;
  return STATUS_OK;
}

status parse_set(const struct grid *g, struct grid_name *name, struct error *err) {
  for (const char *const *folder = g->places->search.data; folder && *folder; folder++) {
    char *path;
    TRY(path_join(&path, *folder, name->name, err));
    bool found = *name->name && file_is_dir(path);
    free(path);
    if (found) {
      return mem_dup(&name->path, name->name, strlen(name->name), err);
    }
  }
  return find_name(g, name, "calibration", "calibration set", err);
}

status parse_calibration(struct grid *g, const struct yaml *node, struct error *err) {
  static const char *const keys[] = {"sets", "samples", "length", "draws", "propagate"};
  TRY(yaml_check_keys(&g->file, node, "calibration", keys, 5, err));
  const struct yaml *value = yaml_get(node, "sets");
  if (!value) {
    return yaml_fail(&g->file, node, err, "calibration without sets (expected 'sets: [NAME]')");
  }
  TRY(parse_names(g, value, "sets", &g->sets, &g->set_count, err));
  for (size_t i = 0; i < g->set_count; i++) {
    TRY(parse_set(g, &g->sets[i], err));
  }
  value = yaml_get(node, "samples");
  if (value) {
    TRY(parse_ints(g, value, "samples", &g->samples, &g->sample_count, err));
  }
  value = yaml_get(node, "length");
  if (value) {
    TRY(parse_ints(g, value, "length", &g->lengths, &g->length_count, err));
  }
  value = yaml_get(node, "draws");
  if (value) {
    long draws;
    TRY(yaml_int(&g->file, value, "draws", 1, INT_MAX, &draws, err));
    g->draws = (int)draws;
  }
  value = yaml_get(node, "propagate");
  return value ? parse_propagate(g, value, err) : STATUS_OK;
}
