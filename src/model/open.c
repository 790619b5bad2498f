#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "model/parts.h"

status model_config_path(const char *folder, char **out, struct error *err) {
  return path_join(out, folder, "config.json", err);
}

static status configure(struct model *m, const struct keys *keys, struct error *err) {
  TRY(family_of(keys, &m->family, err));
  return m->family->configure(keys, &m->arch, err);
}

static status read_config(struct model *m, const char *path, struct error *err) {
  TRY(file_read(&m->config_text, &m->config_size, path, err));
  cJSON *root = cJSON_ParseWithOpts(m->config_text, NULL, true);
  struct keys keys = {path, "", root};
  status st = cJSON_IsObject(root) ? configure(m, &keys, err)
                                   : err_at(err, STATUS_INPUT, path, 0, "not a JSON object");
  cJSON_Delete(root);
  return st;
}

static status fill(struct model *m, const char *folder, struct error *err) {
  if (!file_is_dir(folder)) {
    return err_at(err, STATUS_INPUT, folder, 0, "no such folder (expected a checkpoint's)");
  }
  TRY(mem_dup(&m->folder, folder, strlen(folder), err));
  char *path;
  TRY(model_config_path(folder, &path, err));
  status st = read_config(m, path, err);
  free(path);
  TRY(st);
  TRY(shards_open(&m->shards, folder, err));
  TRY(model_bind(m, err));
  return model_list_linears(m, err);
}

status model_open(struct model **out, const char *folder, struct error *err) {
  struct model *m;
  TRY(mem_alloc(&m, 1, sizeof *m, err));
  (void)pthread_mutex_init(&m->digest_lock, NULL);
  status st = fill(m, folder, err);
  if (st != STATUS_OK) {
    model_close(m);
    return st;
  }
  *out = m;
  return STATUS_OK;
}

void model_close(struct model *m) {
  if (!m) {
    return;
  }
  shards_close(&m->shards);
  (void)pthread_mutex_destroy(&m->digest_lock);
  for (int i = 0; m->linears && i < m->linear_count; i++) {
    free((void *)m->linears[i].name);
  }
  free(m->linears);
  free(m->places);
  free(m->bound);
  arch_free(&m->arch);
  free(m->config_text);
  free(m->folder);
  free(m);
}
