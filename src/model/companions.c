#include "model/companions.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "model/json_edit.h"
#include "model/parts.h"

static bool is_companion(const char *name) {
  static const char *const names[] = {
      "tokenizer.json",
      "tokenizer_config.json",
      "special_tokens_map.json",
      "generation_config.json",
      "vocab.json",
      "merges.txt",
      "tokenizer.model",
      "added_tokens.json",
      "chat_template.jinja",
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(names[i], name) == 0) {
      return true;
    }
  }
  return str_starts(name, "LICENSE") || str_starts(name, "NOTICE");
}

static status save(const char *folder, const char *name, const void *from, size_t size,
                   struct error *err) {
  char *path;
  TRY(path_join(&path, folder, name, err));
  status st = file_write(path, from, size, err);
  free(path);
  return st;
}

static status copy_file(const char *from, const char *to, const char *name, struct error *err) {
  char *path;
  TRY(path_join(&path, from, name, err));
  struct map map = {0};
  status st = file_is_dir(path) ? STATUS_OK : map_open(&map, path, err);
  if (st == STATUS_OK && !file_is_dir(path)) {
    st = save(to, name, map.at, map.size, err);
  }
  map_close(&map);
  free(path);
  return st;
}

static status copy_companions(const char *from, const char *to, struct error *err) {
  DIR *dir = opendir(from);
  if (!dir) {
    return err_errno(err, STATUS_IO, "%s", from);
  }
  status st = STATUS_OK;
  struct dirent *entry;
  while (st == STATUS_OK && (entry = readdir(dir))) {
    if (is_companion(entry->d_name)) {
      st = copy_file(from, to, entry->d_name, err);
    }
  }
  (void)closedir(dir);
  return st;
}

/* transformers 4 writes torch_dtype, transformers 5 dtype, and both read either. */
static status set_dtype(struct str *out, const char *config, const char *name, struct error *err) {
  struct str first = {0};
  bool old = false, new = false;
  status st;
  TRY_GOTO(st, done, json_set(&first, config, "torch_dtype", name, &old, err));
  TRY_GOTO(st, done, json_set(out, first.at, "dtype", name, &new, err));
  if (!old && !new) {
    out->count = 0;
    st = json_prepend(out, config, "torch_dtype", name, err);
  }
done:
  str_free(&first);
  return st;
}

static status copy_config(const struct model *m, const char *folder, enum model_dtype dtype,
                          struct error *err) {
  static const char *const names[] = {
      [MODEL_DTYPE_F32] = "\"float32\"",
      [MODEL_DTYPE_F16] = "\"float16\"",
      [MODEL_DTYPE_BF16] = "\"bfloat16\"",
  };
  if (dtype == MODEL_DTYPE_SOURCE) {
    return save(folder, "config.json", m->config_text, m->config_size, err);
  }
  struct str text = {0};
  status st = set_dtype(&text, m->config_text, names[dtype], err);
  if (st == STATUS_OK) {
    st = save(folder, "config.json", text.at, text.count, err);
  }
  str_free(&text);
  return st;
}

static status save_index(const char *text, const char *folder, uint64_t total, struct error *err) {
  cJSON *root = cJSON_ParseWithOpts(text, NULL, true);
  cJSON *metadata = cJSON_GetObjectItemCaseSensitive(root, "metadata");
  cJSON *size = cJSON_GetObjectItemCaseSensitive(metadata, "total_size");
  if (cJSON_IsNumber(size)) {
    (void)cJSON_SetNumberValue(size, (double)total);
  }
  char *printed = root ? cJSON_Print(root) : NULL;
  status st = printed ? save(folder, SHARDS_INDEX, printed, strlen(printed), err)
                      : err_set(err, STATUS_MEMORY, "out of memory: an index of shards");
  cJSON_free(printed);
  cJSON_Delete(root);
  return st;
}

static status copy_index(const struct model *m, const char *folder, enum model_dtype dtype,
                         uint64_t total, struct error *err) {
  if (!m->shards.index) {
    return STATUS_OK;
  }
  if (dtype == MODEL_DTYPE_SOURCE) {
    return copy_file(m->folder, folder, SHARDS_INDEX, err);
  }
  char *text;
  size_t size;
  TRY(file_read(&text, &size, m->shards.index, err));
  status st = save_index(text, folder, total, err);
  free(text);
  return st;
}

status companions_copy(const struct model *m, const char *folder, enum model_dtype dtype,
                       uint64_t total, struct error *err) {
  TRY(copy_config(m, folder, dtype, err));
  TRY(copy_index(m, folder, dtype, total, err));
  return copy_companions(m->folder, folder, err);
}
