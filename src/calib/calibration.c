/* Finding a calibration file or a data folder. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "calib/layers.h"
#include "calib/lookup.h"
#include "calib/set.h"

static status open_file(struct calibration *c, const char *path, const struct search *search,
                        int depth, struct error *err) {
  struct layers l = {0};
  status st = layers_open(&l, path, search, err);
  if (st == STATUS_OK) {
    st = set_read(c, &l, search, depth, err);
  }
  layers_close(&l);
  return st;
}

/* A folder with train.jsonl or test.jsonl; *found says whether it is one. */
static status open_folder(struct calibration *c, const char *folder, bool *found,
                          struct error *err) {
  static const char *const splits[] = {"train.jsonl", "test.jsonl"};
  *found = false;
  for (int i = 0; i < 2 && !*found; i++) {
    TRY(path_join(&c->data, folder, splits[i], err));
    if (file_exists(c->data)) {
      *found = true;
    } else {
      free(c->data);
      c->data = NULL;
    }
  }
  if (*found) {
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') {
      n--;
    }
    TRY(mem_dup(&c->name, folder, n, err));
    const char *base = path_base(c->name);
    memmove(c->name, base, strlen(base) + 1);
    TRY(mem_dup(&c->text, "text", strlen("text"), err));
    TRY(mem_dup(&c->join, "", 0, err));
    c->source = SOURCE_FIELD;
    c->sampler = sampler_find("packed");
    TRY(set_parse_text(c, c->data, 0, err));
  }
  return STATUS_OK;
}

static status open_data(struct calibration *c, const char *name, const struct search *search,
                        struct error *err) {
  bool found = false;
  if (file_is_dir(name)) {
    TRY(open_folder(c, name, &found, err));
    return found ? STATUS_OK
                 : err_at(err, STATUS_INPUT, name, 0,
                          "neither train.jsonl nor test.jsonl in this calibration folder");
  }
  for (const char *const *folder = search->data; !found && folder && *folder; folder++) {
    char *path;
    TRY(path_join(&path, *folder, name, err));
    status st = file_is_dir(path) ? open_folder(c, path, &found, err) : STATUS_OK;
    free(path);
    TRY(st);
  }
  if (found) {
    return STATUS_OK;
  }
  struct names names = {0};
  struct str suggestion = {0};
  status st = names_add_configs(&names, search, "calibration", err);
  if (st == STATUS_OK) {
    st = names_suggest(&names, name, &suggestion, err);
  }
  if (st == STATUS_OK) {
    st = err_set(err, STATUS_INPUT, "unknown calibration set '%s'%s", name, suggestion.at);
  }
  str_free(&suggestion);
  names_free(&names);
  return st;
}

status set_open(struct calibration **out, const char *name, const struct search *search, int depth,
                struct error *err) {
  if (depth > SETS_DEEP) {
    return err_set(err, STATUS_INPUT, "sets that name other sets more than %d deep", SETS_DEEP);
  }
  struct calibration *c;
  TRY(mem_alloc(&c, 1, sizeof *c, err));
  char *path = NULL;
  status st = lookup_config(&path, search, "calibration", name, err);
  if (st == STATUS_OK && path) {
    st = open_file(c, path, search, depth, err);
  } else if (st == STATUS_OK && file_exists(name) && !file_is_dir(name)) {
    st = open_file(c, name, search, depth, err);
  } else if (st == STATUS_OK) {
    st = open_data(c, name, search, err);
  }
  free(path);
  if (st != STATUS_OK) {
    calibration_close(c);
    return st;
  }
  *out = c;
  return STATUS_OK;
}

status calibration_open(struct calibration **out, const char *name, const struct search *search,
                        struct error *err) {
  return set_open(out, name, search, 0, err);
}

void calibration_close(struct calibration *c) {
  if (!c) {
    return;
  }
  for (size_t i = 0; i < c->part_count; i++) {
    calibration_close(c->parts[i].set);
  }
  free(c->parts);
  calibration_close(c->target);
  calibration_close(c->generate.from);
  free(c->generate.prompt);
  task_close(c->task);
  free(c->name);
  free(c->data);
  free(c->text);
  free(c->file);
  free(c->join);
  arena_free(c->arena);
  free(c);
}

const char *calibration_name(const struct calibration *c) {
  return c->name;
}

const char *calibration_data(const struct calibration *c) {
  return c->data;
}
