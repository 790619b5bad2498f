#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "calib/lookup.h"
#include "cli/published.h"

/* What a table says of all its numbers. */
struct head {
  struct published_cell of;
  const struct published_model **models; /* [count]: of the values' columns */
  size_t count;
};

static status need(const struct published *p, const struct yaml *map, const char *key,
                   enum yaml_kind kind, const struct yaml **out, struct error *err) {
  static const char *const kinds[] = {"a text", "a list", "a map"};
  const struct yaml *node = yaml_get(map, key);
  if (!node) {
    return yaml_fail(&p->file, map, err, "no %s (expected '%s: ...')", key, key);
  }
  if (node->kind != kind) {
    return yaml_fail(&p->file, node, err, "%s: expected %s", key, kinds[kind]);
  }
  *out = node;
  return STATUS_OK;
}

static status text_of(const struct published *p, const struct yaml *map, const char *key,
                      bool needed, const char **out, struct error *err) {
  const struct yaml *node = yaml_get(map, key);
  if (!node && !needed) {
    return STATUS_OK;
  }
  TRY(need(p, map, key, YAML_TEXT, &node, err));
  return yaml_text(&p->file, node, key, out, err);
}

static status int_of(const struct published *p, const struct yaml *map, const char *key, long *out,
                     struct error *err) {
  const struct yaml *node = yaml_get(map, key);
  return node ? yaml_int(&p->file, node, key, 1, 1L << 30, out, err) : STATUS_OK;
}

static status read_models(struct published *p, struct error *err) {
  const struct yaml *map;
  TRY(need(p, &p->file.root, "models", YAML_MAP, &map, err));
  TRY(mem_alloc(&p->models, map->count, sizeof *p->models, err));
  for (; p->model_count < map->count; p->model_count++) {
    const struct yaml *patterns = &map->items[p->model_count];
    bool texts = patterns->kind != YAML_MAP && !yaml_is_null(patterns);
    for (size_t i = 0; patterns->kind == YAML_LIST && i < patterns->count; i++) {
      texts &= patterns->items[i].kind == YAML_TEXT;
    }
    if (!texts) {
      return yaml_fail(&p->file, patterns, err,
                       "%s: expected a pattern of checkpoint names or a list of them",
                       map->keys[p->model_count].text);
    }
    p->models[p->model_count] = (struct published_model){map->keys[p->model_count].text, patterns};
  }
  return STATUS_OK;
}

static status find_model(const struct published *p, const struct yaml *node,
                         const struct published_model **out, struct error *err) {
  const char *name;
  TRY(yaml_text(&p->file, node, "models", &name, err));
  for (size_t i = 0; i < p->model_count; i++) {
    if (strcmp(p->models[i].name, name) == 0) {
      *out = &p->models[i];
      return STATUS_OK;
    }
  }
  return yaml_fail(&p->file, node, err, "models: '%s' is not among the file's models", name);
}

static status read_head(const struct published *p, const struct yaml *table, struct head *h,
                        struct error *err) {
  static const char *const keys[] = {"dataset", "metric", "window", "calibration", "samples",
                                     "length",  "models", "rows",   "about"};
  TRY(yaml_check_keys(&p->file, table, "a published table", keys, sizeof keys / sizeof keys[0],
                      err));
  TRY(text_of(p, table, "dataset", true, &h->of.dataset, err));
  TRY(text_of(p, table, "metric", true, &h->of.metric, err));
  TRY(text_of(p, table, "calibration", false, &h->of.calibration, err));
  TRY(int_of(p, table, "window", &h->of.window, err));
  TRY(int_of(p, table, "samples", &h->of.samples, err));
  TRY(int_of(p, table, "length", &h->of.length, err));
  const struct yaml *models;
  TRY(need(p, table, "models", YAML_LIST, &models, err));
  TRY(mem_alloc(&h->models, models->count, sizeof(void *), err));
  for (; h->count < models->count; h->count++) {
    TRY(find_model(p, &models->items[h->count], &h->models[h->count], err));
  }
  return STATUS_OK;
}

/* A list with an entry per model, null where there is no number. */
static status list_of(const struct published *p, const struct yaml *row, const char *key,
                      const struct head *h, const struct yaml **out, struct error *err) {
  TRY(need(p, row, key, YAML_LIST, out, err));
  if ((*out)->count != h->count) {
    return yaml_fail(&p->file, *out, err, "%s: %zu numbers for %zu models", key, (*out)->count,
                     h->count);
  }
  return STATUS_OK;
}

static status read_row(struct published *p, const struct yaml *row, const struct head *h,
                       struct error *err) {
  static const char *const keys[] = {"method", "sparsity", "values", "sd"};
  TRY(yaml_check_keys(&p->file, row, "a row of a published table", keys, 4, err));
  struct published_cell cell = h->of;
  cell.sparsity = "";
  TRY(text_of(p, row, "method", true, &cell.method, err));
  TRY(text_of(p, row, "sparsity", strcmp(cell.method, "dense") != 0, &cell.sparsity, err));
  const struct yaml *values, *sds = NULL;
  TRY(list_of(p, row, "values", h, &values, err));
  if (yaml_get(row, "sd")) {
    TRY(list_of(p, row, "sd", h, &sds, err));
  }
  for (size_t i = 0; i < h->count; i++) {
    if (yaml_is_null(&values->items[i])) {
      continue;
    }
    cell.model = h->models[i];
    cell.sd = NAN;
    TRY(yaml_double(&p->file, &values->items[i], "values", -1e9, 1e9, &cell.value, err));
    if (sds && !yaml_is_null(&sds->items[i])) {
      TRY(yaml_double(&p->file, &sds->items[i], "sd", 0, 1e9, &cell.sd, err));
    }
    TRY(mem_reserve(&p->cells, &p->cap, p->count + 1, sizeof cell, err));
    p->cells[p->count++] = cell;
  }
  return STATUS_OK;
}

static status read_table(struct published *p, const struct yaml *table, struct error *err) {
  struct head h = {.count = 0};
  const struct yaml *rows = NULL;
  status st = read_head(p, table, &h, err);
  if (st == STATUS_OK) {
    st = need(p, table, "rows", YAML_LIST, &rows, err);
  }
  for (size_t i = 0; st == STATUS_OK && i < rows->count; i++) {
    st = read_row(p, &rows->items[i], &h, err);
  }
  free((void *)h.models);
  return st;
}

static status read_file(struct published *p, struct error *err) {
  static const char *const keys[] = {"published", "source", "caveat", "models", "tables"};
  TRY(yaml_check_keys(&p->file, &p->file.root, "a file of published numbers", keys, 5, err));
  p->name = path_base(p->file.path);
  TRY(text_of(p, &p->file.root, "published", false, &p->name, err));
  TRY(text_of(p, &p->file.root, "source", true, &p->source, err));
  TRY(text_of(p, &p->file.root, "caveat", false, &p->caveat, err));
  TRY(read_models(p, err));
  const struct yaml *tables;
  TRY(need(p, &p->file.root, "tables", YAML_LIST, &tables, err));
  for (size_t i = 0; i < tables->count; i++) {
    TRY(read_table(p, &tables->items[i], err));
  }
  return STATUS_OK;
}

static status unknown(const char *name, const struct search *search, struct error *err) {
  struct names names = {0};
  struct str suggestion = {0};
  status st = names_add_configs(&names, search, "published", err);
  if (st == STATUS_OK) {
    st = names_suggest(&names, name, &suggestion, err);
  }
  if (st == STATUS_OK) {
    st =
        err_set(err, STATUS_INPUT, "--published: '%s' is neither in configs/published nor a file%s",
                name, suggestion.at ? suggestion.at : "");
  }
  str_free(&suggestion);
  names_free(&names);
  return st;
}

status published_open(struct published *out, const char *name, const struct search *search,
                      struct error *err) {
  *out = (struct published){0};
  char *path;
  TRY(lookup_config(&path, search, "published", name, err));
  if (!path && !file_exists(name)) {
    return unknown(name, search, err);
  }
  status st = yaml_open(&out->file, path ? path : name, err);
  free(path);
  TRY(st);
  st = read_file(out, err);
  if (st != STATUS_OK) {
    published_close(out);
  }
  return st;
}

void published_close(struct published *p) {
  yaml_close(&p->file);
  free(p->models);
  free(p->cells);
  *p = (struct published){0};
}

bool published_is_model(const struct published_model *model, const char *name) {
  const struct yaml *patterns = model->patterns;
  if (patterns->kind == YAML_TEXT) {
    return fnmatch(patterns->text, name, FNM_CASEFOLD) == 0;
  }
  for (size_t i = 0; i < patterns->count; i++) {
    if (fnmatch(patterns->items[i].text, name, FNM_CASEFOLD) == 0) {
      return true;
    }
  }
  return false;
}
