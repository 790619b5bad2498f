#include "data/task.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/search.h"
#include "data/task_parts.h"

static const char *const keys[] = {
    "task",        "include", "origin",  "kind",    "data",   "train", "type", "where",
    "fields",      "context", "choices", "label",   "target", "text",  "join", "delimiter",
    "description", "fewshot", "metrics", "counted", "pages",  "order",
};
enum { KEYS = sizeof keys / sizeof *keys };

struct entry task_entry(const struct task *t, const char *key) {
  for (int i = 0; i < t->file_count; i++) {
    const struct yaml *node = yaml_get(&t->files[i].root, key);
    if (node) {
      return (struct entry){&t->files[i], node};
    }
  }
  return (struct entry){&t->files[0], NULL};
}

status task_load(struct task *t, const char *path, struct error *err) {
  char *next;
  TRY(str_format(&next, err, "%s", path));
  status st = STATUS_OK;
  while (next && st == STATUS_OK) {
    struct yaml_file *file = &t->files[t->file_count];
    TRY_GOTO(st, done, yaml_open(file, next, err));
    t->file_count++;
    TRY_GOTO(st, done, yaml_check_keys(file, &file->root, "a task file", keys, KEYS, err));
    free(next);
    next = NULL;
    const struct yaml *include = yaml_get(&file->root, "include");
    const char *name;
    if (!include) {
      break;
    }
    TRY_GOTO(st, done, yaml_text(file, include, "include", &name, err));
    if (t->file_count == TASK_INCLUDES) {
      st = yaml_fail(file, include, err, "more than %d files include each other",
                     (int)TASK_INCLUDES);
      break;
    }
    char *dir;
    TRY_GOTO(st, done, path_dir(&dir, file->path, err));
    st = path_join(&next, dir, name, err);
    free(dir);
    if (st == STATUS_OK && !file_exists(next)) {
      st = yaml_fail(file, include, err, "no file '%s' to include", next);
    }
  }
done:
  free(next);
  return st;
}

static status digest_tree(struct digest *d, const struct yaml *node, struct error *err) {
  unsigned char head[] = {(unsigned char)node->kind, node->quoted};
  TRY(digest_feed(d, head, sizeof head, err));
  if (node->kind == YAML_TEXT) {
    return digest_feed_text(d, node->text, err);
  }
  TRY(digest_feed(d, &node->count, sizeof node->count, err));
  for (size_t i = 0; i < node->count; i++) {
    if (node->kind == YAML_MAP) {
      TRY(digest_feed_text(d, node->keys[i].text, err));
    }
    TRY(digest_tree(d, &node->items[i], err));
  }
  return STATUS_OK;
}

status task_identify(struct task *t, struct error *err) {
  static const char *const idle[] = {"task", "include", "origin", "kind"};
  struct digest d = {0};
  status st = STATUS_OK;
  for (size_t i = 0; i < KEYS && st == STATUS_OK; i++) {
    bool counts = true;
    for (size_t j = 0; j < sizeof idle / sizeof *idle; j++) {
      counts = counts && strcmp(keys[i], idle[j]) != 0;
    }
    struct entry entry = task_entry(t, keys[i]);
    if (counts && entry.node) {
      st = digest_feed_text(&d, keys[i], err);
      st = st == STATUS_OK ? digest_tree(&d, entry.node, err) : st;
    }
  }
  digest_finish(&d, t->digest);
  return st;
}

/* Resolves a file name behind a key into the arena; NULL when there is no such file. */
static status find_data(struct task *t, const struct search *search, struct entry entry,
                        const char *key, const char **written, const char **out,
                        struct error *err) {
  char *path, *copy = NULL;
  TRY(yaml_text(entry.file, entry.node, key, written, err));
  TRY(search_data(&path, search, *written, entry.file->path, err));
  status st = path ? arena_dup(t->arena, &copy, path, strlen(path), err) : STATUS_OK;
  free(path);
  *out = copy;
  return st;
}

static status find_files(struct task *t, const struct search *search, struct error *err) {
  const char *written;
  struct entry data = task_entry(t, "data"), train = task_entry(t, "train");
  TRY(find_data(t, search, data, "data", &written, &t->data, err));
  if (!t->data) {
    return yaml_fail(data.file, data.node, err,
                     "no file '%s' (looked up in the data folders and beside the task file)",
                     written);
  }
  t->pool = t->data;
  if (train.node) {
    TRY(find_data(t, search, train, "train", &t->pool_name, &t->pool, err));
    t->pool_origin = (struct origin){train.file->path, train.node->line};
  }
  return STATUS_OK;
}

/* "sst2" of "configs/tasks/sst2.yaml". */
static status default_name(struct task *t, const char *path, struct error *err) {
  const char *base = path_base(path);
  size_t n = strlen(base);
  n -= str_ends(base, ".yaml") ? 5 : 0;
  char *name;
  TRY(arena_dup(t->arena, &name, base, n, err));
  t->name = name;
  return STATUS_OK;
}

status task_open(struct task **out, const char *name, const struct search *search,
                 struct error *err) {
  struct task *t;
  char *path = NULL;
  status st;
  TRY(mem_alloc(&t, 1, sizeof *t, err));
  TRY_GOTO(st, done, arena_create(&t->arena, err));
  TRY_GOTO(st, done, search_config(&path, search, "tasks", "task", name, err));
  TRY_GOTO(st, done, task_load(t, path, err));
  TRY_GOTO(st, done, default_name(t, path, err));
  TRY_GOTO(st, done, task_parse(t, err));
  TRY_GOTO(st, done, find_files(t, search, err));
  TRY_GOTO(st, done, task_identify(t, err));
done:
  free(path);
  if (st != STATUS_OK) {
    task_close(t);
    return st;
  }
  *out = t;
  return STATUS_OK;
}

void task_close(struct task *t) {
  if (!t) {
    return;
  }
  for (int i = 0; i < t->file_count; i++) {
    yaml_close(&t->files[i]);
  }
  arena_free(t->arena);
  free(t);
}

const char *task_name(const struct task *t) {
  return t->name;
}

const char *task_file(const struct task *t) {
  return t->files[0].path;
}

const char *task_data(const struct task *t) {
  return t->data;
}

enum task_type task_type(const struct task *t) {
  return t->type;
}

enum task_kind task_kind(const struct task *t) {
  return t->kind;
}

const char *const *task_metrics(const struct task *t) {
  return t->metrics;
}

const char *task_digest(const struct task *t) {
  return t->digest;
}

const char *task_join(const struct task *t) {
  return t->join;
}
