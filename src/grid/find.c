/* Finding what a grid names: checkpoints and presets of methods. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "calib/lookup.h"
#include "grid/parse.h"

/* The path a configs/models file gives: relative to that file, else in a models folder. */
static status read_model_file(const char *path, const struct places *places, char **folder,
                              struct error *err) {
  static const char *const keys[] = {"path", "about"};
  struct yaml_file file;
  TRY(yaml_open(&file, path, err));
  status st = yaml_check_keys(&file, &file.root, "a model file", keys, 2, err);
  const struct yaml *node = yaml_get(&file.root, "path");
  const char *text = NULL;
  if (st == STATUS_OK && !node) {
    st = err_at(err, STATUS_INPUT, path, 0, "no path (expected 'path: FOLDER')");
  }
  if (st == STATUS_OK) {
    st = yaml_text(&file, node, "path", &text, err);
  }
  char *dir = NULL, *tried = NULL;
  if (st == STATUS_OK) {
    st = path_dir(&dir, path, err);
  }
  if (st == STATUS_OK) {
    st = path_join(&tried, dir, text, err);
  }
  const char *const *next = places->models;
  while (st == STATUS_OK && !file_is_dir(tried) && next && *next) {
    free(tried);
    tried = NULL;
    st = path_join(&tried, *next++, text, err);
  }
  if (st == STATUS_OK && !file_is_dir(tried)) {
    st = yaml_fail(&file, node, err,
                   "path: no folder '%s' (looked beside this file and in the models folders that "
                   "ESPALIER_MODELS names)",
                   text);
  }
  free(dir);
  yaml_close(&file);
  if (st != STATUS_OK) {
    free(tried);
    return st;
  }
  *folder = tried;
  return STATUS_OK;
}

static status unknown_model(const char *text, const struct places *places, struct error *err) {
  struct names names = {0};
  struct str suggestion = {0};
  status st = names_add_configs(&names, &places->search, "models", err);
  if (st == STATUS_OK) {
    st = names_add_folders(&names, places->models, err);
  }
  if (st == STATUS_OK) {
    st = names_suggest(&names, text, &suggestion, err);
  }
  if (st == STATUS_OK) {
    st = err_set(err, STATUS_INPUT,
                 "unknown model '%s'%s: no such name under configs/models, in a models folder "
                 "(ESPALIER_MODELS) or as a path",
                 text, suggestion.at);
  }
  str_free(&suggestion);
  names_free(&names);
  return st;
}

/* The last part of a path, trailing slashes left out. */
static status last_part(char **out, const char *path, struct error *err) {
  size_t n = strlen(path);
  while (n > 1 && path[n - 1] == '/') {
    n--;
  }
  TRY(mem_dup(out, path, n, err));
  const char *base = path_base(*out);
  memmove(*out, base, strlen(base) + 1);
  return STATUS_OK;
}

status grid_find_model_beside(const char *text, const char *beside, const struct places *places,
                              char **folder, char **name, struct error *err) {
  char *found = NULL, *path = NULL;
  TRY(lookup_config(&path, &places->search, "models", text, err));
  if (path) {
    status st = read_model_file(path, places, &found, err);
    free(path);
    TRY(st);
  }
  for (const char *const *next = places->models; !found && next && *next && *text; next++) {
    TRY(path_join(&path, *next, text, err));
    if (file_is_dir(path)) {
      found = path;
    } else {
      free(path);
    }
  }
  const char *paths[] = {beside, text};
  for (int i = 0; i < 2 && !found; i++) {
    if (paths[i] && file_is_dir(paths[i])) {
      TRY(mem_dup(&found, paths[i], strlen(paths[i]), err));
    }
  }
  if (!found) {
    return unknown_model(text, places, err);
  }
  status st = name ? last_part(name, text, err) : STATUS_OK;
  if (st != STATUS_OK) {
    free(found);
    return st;
  }
  *folder = found;
  return STATUS_OK;
}

status grid_find_model(const char *text, const struct places *places, char **folder, char **name,
                       struct error *err) {
  return grid_find_model_beside(text, NULL, places, folder, name, err);
}

static status read_preset(const struct yaml_file *file, const struct method **method,
                          struct params *params, struct error *err) {
  const struct yaml *node = yaml_get(&file->root, "method");
  if (!node) {
    return err_at(err, STATUS_INPUT, file->path, 0, "no method (expected 'method: NAME')");
  }
  size_t count;
  const struct method *all = methods_all(&count);
  const char **names;
  TRY(mem_alloc(&names, count + 2 + METHOD_PARAMS, sizeof *names, err));
  for (size_t i = 0; i < count; i++) {
    names[i] = all[i].name;
  }
  int choice = 0;
  status st = yaml_choice(file, node, "method", names, count, &choice, err);
  if (st == STATUS_OK) {
    size_t keys = 0;
    names[keys++] = "method";
    names[keys++] = "about";
    for (const struct param_spec *spec = all[choice].params; spec && spec->name; spec++) {
      names[keys++] = spec->name;
    }
    st = yaml_check_keys(file, &file->root, "a method file", names, keys, err);
  }
  free(names);
  TRY(st);
  *method = &all[choice];
  *params = method_defaults(*method);
  for (const struct param_spec *spec = (*method)->params; spec && spec->name; spec++) {
    const struct yaml *value = yaml_get(&file->root, spec->name);
    const char *text;
    if (value) {
      TRY(yaml_text(file, value, spec->name, &text, err));
      TRY_WITH(err, method_param_set(*method, params, spec->name, text, err), "%s:%ld", file->path,
               value->line);
    }
  }
  return STATUS_OK;
}

static status unknown_method(const char *name, const struct places *places, struct error *err) {
  struct names names = {0};
  struct str suggestion = {0};
  size_t count;
  const struct method *all = methods_all(&count);
  status st = STATUS_OK;
  for (size_t i = 0; i < count && st == STATUS_OK; i++) {
    st = names_add(&names, all[i].name, err);
  }
  if (st == STATUS_OK) {
    st = names_add_configs(&names, &places->search, "methods", err);
  }
  if (st == STATUS_OK) {
    st = names_suggest(&names, name, &suggestion, err);
  }
  if (st == STATUS_OK) {
    st = err_set(err, STATUS_INPUT, "unknown method '%s'%s", name, suggestion.at);
  }
  str_free(&suggestion);
  names_free(&names);
  return st;
}

status grid_find_method(const char *name, const struct places *places, const struct method **method,
                        struct params *params, struct error *err) {
  *method = method_find(name);
  if (*method) {
    *params = method_defaults(*method);
    return STATUS_OK;
  }
  char *path;
  TRY(lookup_config(&path, &places->search, "methods", name, err));
  if (!path) {
    return unknown_method(name, places, err);
  }
  struct yaml_file file;
  status st = yaml_open(&file, path, err);
  free(path);
  TRY(st);
  st = read_preset(&file, method, params, err);
  yaml_close(&file);
  return st;
}
