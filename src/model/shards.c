#include "model/shards.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static int compare_texts(const void *a, const void *b) {
  const char *const *x = a, *const *y = b;
  return strcmp(*x, *y);
}

static int compare_tensors(const void *a, const void *b) {
  const struct tensor *const *x = a, *const *y = b;
  return strcmp((*x)->name, (*y)->name);
}

/* The distinct file names of a weight_map, sorted; they belong to it. The caller frees *out. */
static status list_files(const struct shards *s, const cJSON *map, const char ***out, size_t *count,
                         struct error *err) {
  const char **names;
  TRY(mem_alloc(&names, (size_t)cJSON_GetArraySize(map), sizeof *names, err));
  size_t n = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, map) {
    if (!cJSON_IsString(item) || !item->valuestring[0] || strchr(item->valuestring, '/') ||
        item->valuestring[0] == '.') {
      free((void *)names);
      return err_at(err, STATUS_INPUT, s->index, 0,
                    "weight_map: tensor %s: not the name of a file in this folder", item->string);
    }
    names[n++] = item->valuestring;
  }
  qsort(names, n, sizeof *names, compare_texts);
  size_t distinct = 0;
  for (size_t i = 0; i < n; i++) {
    if (i == 0 || strcmp(names[i], names[distinct - 1]) != 0) {
      names[distinct++] = names[i];
    }
  }
  *out = names;
  *count = distinct;
  return STATUS_OK;
}

static status open_file(struct shards *s, const char *folder, const char *name, struct error *err) {
  char *path;
  TRY(path_join(&path, folder, name, err));
  status st = STATUS_OK;
  if (!file_exists(path)) {
    st = err_at(err, STATUS_INPUT, path, 0, "no such file (%s names it)", s->index);
  } else {
    st = safetensors_open(&s->files[s->count], path, err);
  }
  free(path);
  s->count += st == STATUS_OK;
  return st;
}

static const struct safetensors *file_named(const struct shards *s, const char *name) {
  size_t i = 0;
  while (strcmp(path_base(s->files[i].path), name) != 0) {
    i++;
  }
  return &s->files[i];
}

static status collect(struct shards *s, const cJSON *map, struct error *err) {
  TRY(mem_alloc(&s->tensors, (size_t)cJSON_GetArraySize(map), sizeof(void *), err));
  const cJSON *item;
  cJSON_ArrayForEach(item, map) {
    const struct safetensors *file = file_named(s, item->valuestring);
    const struct tensor *t = safetensors_find(file, item->string);
    if (!t) {
      return err_at(err, STATUS_INPUT, file->path, 0, "tensor %s is missing (%s puts it here)",
                    item->string, s->index);
    }
    s->tensors[s->tensor_count++] = t;
  }
  qsort(s->tensors, s->tensor_count, sizeof(void *), compare_tensors);
  for (size_t i = 1; i < s->tensor_count; i++) {
    if (strcmp(s->tensors[i - 1]->name, s->tensors[i]->name) == 0) {
      return err_at(err, STATUS_INPUT, s->index, 0, "weight_map: tensor %s stands twice",
                    s->tensors[i]->name);
    }
  }
  return STATUS_OK;
}

static status open_mapped(struct shards *s, const char *folder, const cJSON *map,
                          struct error *err) {
  if (!cJSON_IsObject(map) || !map->child) {
    return err_at(err, STATUS_INPUT, s->index, 0,
                  "no weight_map (expected a map of tensors to files)");
  }
  const char **names = NULL;
  size_t count = 0;
  TRY(list_files(s, map, &names, &count, err));
  status st = mem_alloc(&s->files, count, sizeof *s->files, err);
  for (size_t i = 0; i < count && st == STATUS_OK; i++) {
    st = open_file(s, folder, names[i], err);
  }
  free((void *)names);
  return st == STATUS_OK ? collect(s, map, err) : st;
}

static status open_index(struct shards *s, const char *folder, struct error *err) {
  char *text;
  size_t size;
  TRY(file_read(&text, &size, s->index, err));
  cJSON *root = cJSON_ParseWithOpts(text, NULL, true);
  status st =
      root ? open_mapped(s, folder, cJSON_GetObjectItemCaseSensitive(root, "weight_map"), err)
           : err_at(err, STATUS_INPUT, s->index, 0, "not JSON");
  cJSON_Delete(root);
  free(text);
  return st;
}

static status open_single(struct shards *s, const char *path, struct error *err) {
  TRY(mem_alloc(&s->files, 1, sizeof *s->files, err));
  TRY(safetensors_open(&s->files[0], path, err));
  s->count = 1;
  s->tensor_count = s->files[0].count;
  TRY(mem_alloc(&s->tensors, s->tensor_count, sizeof(void *), err));
  for (size_t i = 0; i < s->tensor_count; i++) {
    s->tensors[i] = s->files[0].by_name[i];
  }
  return STATUS_OK;
}

static status open_either(struct shards *s, const char *folder, const char *single,
                          struct error *err) {
  if (file_exists(single)) {
    return open_single(s, single, err);
  }
  TRY(path_join(&s->index, folder, SHARDS_INDEX, err));
  if (!file_exists(s->index)) {
    return err_at(err, STATUS_INPUT, folder, 0,
                  "no weights (expected " SHARDS_SINGLE " or " SHARDS_INDEX ")");
  }
  return open_index(s, folder, err);
}

status shards_open(struct shards *out, const char *folder, struct error *err) {
  *out = (struct shards){0};
  char *single;
  TRY(path_join(&single, folder, SHARDS_SINGLE, err));
  status st = open_either(out, folder, single, err);
  free(single);
  if (st != STATUS_OK) {
    shards_close(out);
  }
  return st;
}

void shards_close(struct shards *s) {
  for (size_t i = 0; i < s->count; i++) {
    safetensors_close(&s->files[i]);
  }
  free(s->files);
  free((void *)s->tensors);
  free(s->index);
  *s = (struct shards){0};
}

const struct tensor *shards_find(const struct shards *s, const char *name) {
  size_t low = 0, high = s->tensor_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = strcmp(name, s->tensors[middle]->name);
    if (order == 0) {
      return s->tensors[middle];
    }
    if (order < 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return NULL;
}

const char *shards_path(const struct shards *s) {
  return s->index ? s->index : s->files[0].path;
}
