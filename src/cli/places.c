#include "cli/places.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

struct list {
  char **at; /* [count + 1] */
  size_t count, cap;
};

/* Takes path over. */
static status add_owned(struct list *l, char *path, struct error *err) {
  status st = mem_reserve(&l->at, &l->cap, l->count + 2, sizeof(char *), err);
  if (st != STATUS_OK) {
    free(path);
    return st;
  }
  l->at[l->count++] = path;
  l->at[l->count] = NULL;
  return STATUS_OK;
}

static status add_if_there(struct list *l, const char *folder, const char *below,
                           struct error *err) {
  char *path;
  TRY(path_join(&path, folder, below, err));
  if (!file_is_dir(path)) {
    free(path);
    return STATUS_OK;
  }
  return add_owned(l, path, err);
}

static status add_variable(struct list *l, const char *name, struct error *err) {
  const char *set = getenv(name);
  while (set && *set) {
    size_t length = strcspn(set, ":");
    if (length) {
      char *path;
      TRY(mem_dup(&path, set, length, err));
      TRY(add_owned(l, path, err));
    }
    set += length + (set[length] == ':');
  }
  return STATUS_OK;
}

/* The folder of the running program; "" when /proc does not tell. The caller frees it. */
static status find_program(char **out, struct error *err) {
  char path[PATH_MAX];
  ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
  path[n < 0 ? 0 : n] = '\0';
  return n < 0 ? mem_dup(out, "", 0, err) : path_dir(out, path, err);
}

/* configs/ of the nearest folder above the program that holds task files. */
static status add_above(struct list *l, char *folder, struct error *err) {
  for (char *slash = strrchr(folder, '/'); slash; slash = strrchr(folder, '/')) {
    *slash = '\0';
    char *tasks;
    TRY(path_join(&tasks, *folder ? folder : "/", "configs/tasks", err));
    bool there = file_is_dir(tasks);
    free(tasks);
    if (there) {
      return add_if_there(l, *folder ? folder : "/", "configs", err);
    }
  }
  return STATUS_OK;
}

static status find_configs(struct list *l, struct error *err) {
  TRY(add_variable(l, "ESPALIER_CONFIGS", err));
  if (file_is_dir("configs")) {
    char *here;
    TRY(mem_dup(&here, "configs", 7, err));
    TRY(add_owned(l, here, err));
  }
  char *program;
  TRY(find_program(&program, err));
  size_t before = l->count;
  status st = add_if_there(l, program, "../share/espalier/configs", err);
  if (st == STATUS_OK && l->count == before) {
    st = add_above(l, program, err);
  }
  free(program);
  return st;
}

static status add_demo(struct list *l, const struct list *configs, const char *below,
                       struct error *err) {
  for (size_t i = 0; i < configs->count; i++) {
    TRY(add_if_there(l, configs->at[i], below, err));
  }
  return STATUS_OK;
}

static status add_cache(struct list *l, struct error *err) {
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (cache && *cache) {
    return add_if_there(l, cache, "espalier/models", err);
  }
  return home ? add_if_there(l, home, ".cache/espalier/models", err) : STATUS_OK;
}

static status fill(struct list *configs, struct list *data, struct list *models,
                   struct error *err) {
  TRY(find_configs(configs, err));
  TRY(add_variable(data, "ESPALIER_DATA", err));
  TRY(add_if_there(data, ".", "data", err));
  TRY(add_demo(data, configs, "../experiments/demo/data", err));
  TRY(add_variable(models, "ESPALIER_MODELS", err));
  TRY(add_if_there(models, ".", "models", err));
  TRY(add_demo(models, configs, "../experiments/demo", err));
  return add_cache(models, err);
}

/* Lists without a folder still end with their NULL. */
static status finish(struct list *l, struct error *err) {
  TRY(mem_reserve(&l->at, &l->cap, l->count + 1, sizeof(char *), err));
  l->at[l->count] = NULL;
  return STATUS_OK;
}

status places_open(struct cli_places *out, struct error *err) {
  struct list lists[3] = {{0}};
  status st = fill(&lists[0], &lists[1], &lists[2], err);
  for (int i = 0; i < 3 && st == STATUS_OK; i++) {
    st = finish(&lists[i], err);
  }
  *out = (struct cli_places){.configs = lists[0].at, .data = lists[1].at, .models = lists[2].at};
  if (st != STATUS_OK) {
    places_close(out);
    return st;
  }
  out->places.search.configs = (const char *const *)out->configs;
  out->places.search.data = (const char *const *)out->data;
  out->places.models = (const char *const *)out->models;
  return STATUS_OK;
}

static void free_list(char **list) {
  for (size_t i = 0; list && list[i]; i++) {
    free(list[i]);
  }
  free(list);
}

void places_close(struct cli_places *p) {
  free_list(p->configs);
  free_list(p->data);
  free_list(p->models);
  *p = (struct cli_places){0};
}
