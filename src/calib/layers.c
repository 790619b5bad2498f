#include "calib/layers.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "calib/lookup.h"
#include "calib/set.h"

static const char *const keys[] = {"calibration", "about", "include", "source",  "field",
                                   "template",    "ids",   "task",    "mixture", "generate",
                                   "answers",     "shots", "sampler", "join",    "target"};
enum { KEYS = sizeof keys / sizeof keys[0], KEYS_MOST = KEYS + SAMPLERS_MOST * SAMPLER_PARAMS };

const struct yaml *layers_get(const struct layers *l, const char *key,
                              const struct yaml_file **file) {
  for (int i = 0; i < l->count; i++) {
    const struct yaml *node = yaml_get(&l->at[i].root, key);
    if (node) {
      *file = &l->at[i];
      return node;
    }
  }
  return NULL;
}

void layers_close(struct layers *l) {
  for (int i = 0; i < l->count; i++) {
    yaml_close(&l->at[i]);
  }
}

status layers_beside(char **out, const struct yaml_file *file, const char *text,
                     struct error *err) {
  char *dir = NULL, *path = NULL;
  *out = NULL;
  TRY(path_dir(&dir, file->path, err));
  status st = path_join(&path, dir, text, err);
  free(dir);
  TRY(st);
  if (file_exists(path)) {
    *out = path;
  } else {
    free(path);
  }
  return STATUS_OK;
}

static status included(char **out, const struct yaml_file *file, const struct yaml *node,
                       const struct search *search, struct error *err) {
  const char *text;
  TRY(yaml_text(file, node, "include", &text, err));
  TRY(lookup_config(out, search, "calibration", text, err));
  if (!*out) {
    TRY(layers_beside(out, file, text, err));
  }
  return *out ? STATUS_OK
              : yaml_fail(file, node, err,
                          "include: no calibration set or file '%s' (expected a name under "
                          "configs/calibration or a path relative to this file)",
                          text);
}

static status check_keys(const struct yaml_file *file, struct error *err) {
  const char *all[KEYS_MOST];
  memcpy(all, keys, sizeof keys);
  size_t count = KEYS + samplers_keys(all + KEYS, KEYS_MOST - KEYS);
  return yaml_check_keys(file, &file->root, "a calibration file", all, count, err);
}

status layers_open(struct layers *l, const char *path, const struct search *search,
                   struct error *err) {
  char *next;
  TRY(mem_dup(&next, path, strlen(path), err));
  status st = STATUS_OK;
  while (next) {
    struct yaml_file *file = &l->at[l->count];
    st = yaml_open(file, next, err);
    free(next);
    next = NULL;
    TRY(st);
    l->count++;
    TRY(check_keys(file, err));
    const struct yaml *include = yaml_get(&file->root, "include");
    if (!include) {
      return STATUS_OK;
    }
    if (l->count == LAYERS) {
      return yaml_fail(file, include, err, "include: more than %d files deep", LAYERS - 1);
    }
    TRY(included(&next, file, include, search, err));
  }
  return st;
}
