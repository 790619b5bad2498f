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

/* Linears in order of execution: q, k, v read the block's input, o their heads, and so on. */
static void list_linears(struct model *m) {
  static const struct {
    enum slot slot;
    int reads;
  } order[] = {
      {SLOT_Q, 0},    {SLOT_K, 0},  {SLOT_V, 0},    {SLOT_O, 1},
      {SLOT_GATE, 2}, {SLOT_UP, 2}, {SLOT_DOWN, 3},
  };
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    enum slot slot = order[i].slot;
    if (m->arch.weight[slot]) {
      m->linear_slots[m->linear_count] = slot;
      m->linears[m->linear_count++] = (struct linear){
          .name = m->family->names->slots[slot],
          .rows = (int)model_rows(&m->arch.config, slot),
          .cols = (int)model_cols(&m->arch.config, slot),
          .input = order[i].reads,
      };
      m->inputs = order[i].reads + 1;
    }
  }
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
  list_linears(m);
  return STATUS_OK;
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
  free(m->bound);
  free(m->config_text);
  free(m->folder);
  free(m);
}
