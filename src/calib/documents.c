/* A set's documents: what its data file holds, as texts or ids, with their lines. */
#include <stdlib.h>
#include <string.h>

#include "calib/set.h"
#include "data/jsonl.h"

status pool_add(struct pool *pool, long line, struct document **out, struct error *err) {
  TRY(mem_reserve(&pool->documents, &pool->cap, pool->count + 1, sizeof *pool->documents, err));
  *out = &pool->documents[pool->count++];
  **out = (struct document){.line = line};
  return STATUS_OK;
}

static status add_text(struct pool *pool, const struct jsonl_line *at, const char *path,
                       struct arena *arena, struct error *err) {
  const struct calibration *set = pool->set;
  const struct scope scope = {.file = path, .line = at->line, .doc = at->json, .arena = arena};
  struct document *d;
  TRY(pool_add(pool, at->line, &d, err));
  if (set->source == SOURCE_TEMPLATE) {
    char *text;
    TRY(template_render(set->parsed, &scope, &text, err));
    return mem_dup(&d->text, text, strlen(text), err);
  }
  struct value value;
  TRY(template_value(set->parsed, &scope, &value, err));
  if (value.kind != VALUE_TEXT) {
    return err_at(err, STATUS_INPUT, path, at->line, "'%s' is %s (expected a text)", set->text,
                  value_kind_name(value.kind));
  }
  return mem_dup(&d->text, value.text, value.bytes, err);
}

static status add_ids(struct pool *pool, const struct jsonl_line *at, const char *path,
                      struct error *err) {
  const char *field = pool->set->text;
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(at->json, field);
  if (!list) {
    return err_at(err, STATUS_INPUT, path, at->line, "no field '%s'", field);
  }
  struct document *d;
  TRY(pool_add(pool, at->line, &d, err));
  return ids_from_json(list, field, path, at->line, &d->ids, err);
}

static status read_lines(struct pool *pool, struct error *err) {
  struct jsonl lines;
  struct arena *arena = NULL;
  TRY(jsonl_open(&lines, pool->set->data, 0, err));
  status st = arena_create(&arena, err);
  for (size_t i = 0; i < lines.count && st == STATUS_OK; i++) {
    st = pool->set->source == SOURCE_IDS ? add_ids(pool, &lines.at[i], lines.path, err)
                                         : add_text(pool, &lines.at[i], lines.path, arena, err);
  }
  arena_free(arena);
  jsonl_close(&lines);
  return st;
}

status documents_read(struct pool *pool, struct error *err) {
  TRY(pool->set->source == SOURCE_TASK ? prompts_read(pool, err) : read_lines(pool, err));
  for (size_t i = 0; i < pool->count; i++) {
    const struct document *d = &pool->documents[i];
    if (d->text ? d->text[0] != '\0' : d->ids.count > 0) {
      return STATUS_OK;
    }
  }
  return err_at(err, STATUS_INPUT, pool->set->data, 0,
                "calibration set %s is empty (expected at least one document with text)",
                pool->set->name);
}
