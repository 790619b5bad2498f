#include "cli/score_read.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "base/mem.h"
#include "data/jsonl.h"

static status read_ids(const cJSON *list, const char *key, int vocab, struct ids *out,
                       struct error *err) {
  if (!cJSON_IsArray(list)) {
    return err_set(err, STATUS_INPUT, "'%s' is missing or not a list of token ids", key);
  }
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    double id = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    if (!(id >= 0 && id < vocab && floor(id) == id)) {
      return err_set(err, STATUS_INPUT, "'%s' holds %.15g (expected token ids from 0 to %d)", key,
                     id, vocab - 1);
    }
    TRY(ids_push(out, (int32_t)id, err));
  }
  return STATUS_OK;
}

static status add_ids(struct requests *r, const cJSON *o, const struct model *m,
                      struct error *err) {
  struct ids context = {0}, continuation = {0};
  const cJSON *first = cJSON_GetObjectItemCaseSensitive(o, "context_ids");
  const cJSON *second = cJSON_GetObjectItemCaseSensitive(o, "continuation_ids");
  status st = read_ids(first, "context_ids", model_vocab(m), &context, err);
  if (st == STATUS_OK) {
    st = read_ids(second, "continuation_ids", model_vocab(m), &continuation, err);
  }
  if (st == STATUS_OK) {
    st = requests_add_ids(r, m, context.at, (int)context.count, continuation.at,
                          (int)continuation.count, err);
  }
  ids_free(&context);
  ids_free(&continuation);
  return st;
}

static status add_line(struct requests *r, const cJSON *o, const struct checkpoint *c, bool bos,
                       struct error *err) {
  if (cJSON_HasObjectItem(o, "context_ids") || cJSON_HasObjectItem(o, "continuation_ids")) {
    return add_ids(r, o, c->model, err);
  }
  const cJSON *context = cJSON_GetObjectItemCaseSensitive(o, "context");
  const cJSON *continuation = cJSON_GetObjectItemCaseSensitive(o, "continuation");
  if (!cJSON_IsString(context) || !cJSON_IsString(continuation)) {
    return err_set(err, STATUS_INPUT,
                   "no \"%s\" text (expected {\"context\": \"...\", \"continuation\": \"...\"})",
                   cJSON_IsString(context) ? "continuation" : "context");
  }
  if (!c->tokenizer) {
    return err_set(
        err, STATUS_INPUT,
        "texts need %s/tokenizer.json (expected context_ids and continuation_ids without it)",
        c->folder);
  }
  return requests_add_text(r, c->tokenizer, c->model, context->valuestring,
                           continuation->valuestring, bos, err);
}

status score_read(struct requests *r, const char *path, const struct checkpoint *c, bool bos,
                  struct error *err) {
  struct jsonl lines;
  TRY(jsonl_open(&lines, path, 0, err));
  status st = STATUS_OK;
  for (size_t i = 0; i < lines.count && st == STATUS_OK; i++) {
    st = add_line(r, lines.at[i].json, c, bos, err);
    if (st != STATUS_OK) {
      st = err_prefix(err, "%s:%ld", lines.path, lines.at[i].line);
    }
  }
  jsonl_close(&lines);
  return st;
}
