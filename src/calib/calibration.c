/* Finding and reading a calibration file. Keys: ../../configs/README.md. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/yaml.h"
#include "calib/lookup.h"
#include "calib/set.h"
#include "data/search.h"

enum { LAYERS = 8 }; /* files that include each other */

/* A file and what it includes, the including one first. */
struct layers {
  struct yaml_file at[LAYERS];
  int count;
};

static const char *const keys[] = {"calibration", "about",    "include", "source",
                                   "field",       "template", "ids",     "task",
                                   "answers",     "sampler",  "join"};
enum { KEYS = sizeof keys / sizeof keys[0] };

/* The keys that say what a document is, in the order of enum source_kind. */
static const char *const what_keys[] = {"field", "template", "ids", "task"};
enum { WHATS = sizeof what_keys / sizeof what_keys[0] };

static const struct yaml *layers_get(const struct layers *l, const char *key,
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

static void layers_close(struct layers *l) {
  for (int i = 0; i < l->count; i++) {
    yaml_close(&l->at[i]);
  }
}

/* `text` relative to the file that says it, when that exists. */
static status beside(char **out, const struct yaml_file *file, const char *text,
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
    TRY(beside(out, file, text, err));
  }
  return *out ? STATUS_OK
              : yaml_fail(file, node, err,
                          "include: no calibration set or file '%s' (expected a name under "
                          "configs/calibration or a path relative to this file)",
                          text);
}

static status layers_open(struct layers *l, const char *path, const struct search *search,
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
    TRY(yaml_check_keys(file, &file->root, "a calibration file", keys, KEYS, err));
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

static bool is_name(const char *text) {
  for (const char *p = text; *p; p++) {
    if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) {
      return false;
    }
  }
  return *text != '\0';
}

static status find_source(struct calibration *c, const struct yaml_file *file,
                          const struct yaml *node, const struct search *search, struct error *err) {
  const char *text;
  TRY(yaml_text(file, node, "source", &text, err));
  TRY(search_data(&c->data, search, text, file->path, err));
  if (!c->data) {
    return yaml_fail(
        file, node, err,
        "source: no file '%s' (looked in the data folders that ESPALIER_DATA names and "
        "beside this file)",
        text);
  }
  return STATUS_OK;
}

/* A field is an expression ("choices.text[0]"), a template a text with {{ expressions }}. */
static status parse_text(struct calibration *c, const char *file, long line, struct error *err) {
  TRY(mem_dup(&c->file, file, strlen(file), err));
  TRY(arena_create(&c->arena, err));
  if (c->source == SOURCE_FIELD) {
    return template_parse_value(&c->parsed, c->arena, c->text, c->file, line, err);
  }
  if (c->source == SOURCE_TEMPLATE) {
    return template_parse(&c->parsed, c->arena, c->text, c->file, line, err);
  }
  return STATUS_OK;
}

/* Which of field, template, ids and task says what a document is: the topmost file's word counts.
 */
static status read_what(struct calibration *c, const struct layers *l, const struct search *search,
                        struct error *err) {
  const struct yaml_file *file = &l->at[0];
  const struct yaml *found = NULL;
  for (int i = 0; i < l->count && !found; i++) {
    file = &l->at[i];
    for (int k = 0; k < WHATS; k++) {
      const struct yaml *node = yaml_get(&file->root, what_keys[k]);
      if (node && found) {
        return yaml_fail(file, node, err, "'%s' beside '%s' (expected one of them)", what_keys[k],
                         what_keys[c->source]);
      }
      if (node) {
        found = node;
        c->source = (enum source_kind)k;
      }
    }
  }
  if (!found) {
    return err_at(err, STATUS_INPUT, l->at[0].path, 0,
                  "nothing says what a document is (expected one of the keys field, template, ids, "
                  "task)");
  }
  const char *text;
  TRY(yaml_text(file, found, what_keys[c->source], &text, err));
  if (*text == '\0') {
    return yaml_fail(file, found, err, "%s is empty", what_keys[c->source]);
  }
  TRY(mem_dup(&c->text, text, strlen(text), err));
  TRY(parse_text(c, file->path, found->line, err));
  const struct yaml_file *source_file;
  const struct yaml *source = layers_get(l, "source", &source_file);
  if (c->source == SOURCE_TASK) {
    TRY_WITH(err, task_open(&c->task, text, search, err), "%s:%ld", file->path, found->line);
  }
  if (!source) {
    return err_at(err, STATUS_INPUT, l->at[0].path, 0,
                  "no source (expected 'source: FILE.jsonl', relative to this file or to a data "
                  "folder)");
  }
  return find_source(c, source_file, source, search, err);
}

static status read_sampler(struct calibration *c, const struct layers *l, struct error *err) {
  c->sampler = sampler_find(c->source == SOURCE_IDS ? "lines" : "packed");
  const struct yaml_file *file;
  const struct yaml *node = layers_get(l, "sampler", &file);
  if (node) {
    const char *names[SAMPLERS_MOST];
    size_t count = samplers_names(names, SAMPLERS_MOST);
    int choice;
    TRY(yaml_choice(file, node, "sampler", names, count, &choice, err));
    c->sampler = sampler_find(names[choice]);
    if (c->sampler->joins && c->source == SOURCE_IDS) {
      return yaml_fail(file, node, err, "sampler %s needs texts (the set gives ids)",
                       c->sampler->name);
    }
  }
  const char *join = c->sampler->join ? c->sampler->join : "";
  node = layers_get(l, "join", &file);
  if (node && !c->sampler->joins) {
    return yaml_fail(file, node, err,
                     "join means nothing to the sampler %s (expected sampler: "
                     "concatenate)",
                     c->sampler->name);
  }
  if (node) {
    TRY(yaml_text(file, node, "join", &join, err));
  }
  TRY(mem_dup(&c->join, join, strlen(join), err));
  node = layers_get(l, "answers", &file);
  c->answers = true;
  if (node && c->source != SOURCE_TASK) {
    return yaml_fail(file, node, err, "answers without task");
  }
  return node ? yaml_bool(file, node, "answers", &c->answers, err) : STATUS_OK;
}

static status read_name(struct calibration *c, const struct layers *l, struct error *err) {
  const struct yaml_file *file = &l->at[0];
  const struct yaml *node = yaml_get(&file->root, "calibration");
  if (!node) {
    const char *base = path_base(file->path);
    size_t n = strlen(base) - (str_ends(base, ".yaml") ? strlen(".yaml") : 0);
    return mem_dup(&c->name, base, n, err);
  }
  const char *text;
  TRY(yaml_text(file, node, "calibration", &text, err));
  if (!is_name(text)) {
    return yaml_fail(file, node, err, "calibration '%s' (expected letters, digits, - _ .)", text);
  }
  return mem_dup(&c->name, text, strlen(text), err);
}

static status open_file(struct calibration *c, const char *path, const struct search *search,
                        struct error *err) {
  struct layers l = {0};
  status st;
  TRY_GOTO(st, done, layers_open(&l, path, search, err));
  TRY_GOTO(st, done, read_name(c, &l, err));
  TRY_GOTO(st, done, read_what(c, &l, search, err));
  TRY_GOTO(st, done, read_sampler(c, &l, err));
done:
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
    TRY(parse_text(c, c->data, 0, err));
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

status calibration_open(struct calibration **out, const char *name, const struct search *search,
                        struct error *err) {
  struct calibration *c;
  TRY(mem_alloc(&c, 1, sizeof *c, err));
  char *path = NULL;
  status st = lookup_config(&path, search, "calibration", name, err);
  if (st == STATUS_OK && path) {
    st = open_file(c, path, search, err);
  } else if (st == STATUS_OK && file_exists(name) && !file_is_dir(name)) {
    st = open_file(c, name, search, err);
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

void calibration_close(struct calibration *c) {
  if (!c) {
    return;
  }
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
