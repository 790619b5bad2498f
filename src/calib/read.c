/* prune --calibration: a JSONL file of the user's, one sequence a line. */
#include <math.h>
#include <string.h>

#include "calib/set.h"
#include "data/jsonl.h"

status ids_from_json(const cJSON *list, const char *field, const char *path, long line,
                     struct ids *out, struct error *err) {
  if (!cJSON_IsArray(list)) {
    return err_at(err, STATUS_INPUT, path, line, "'%s' is not a list of token ids", field);
  }
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    double value = cJSON_IsNumber(item) ? item->valuedouble : -1;
    if (value < 0 || value > INT32_MAX || value != floor(value)) {
      return err_at(err, STATUS_INPUT, path, line,
                    "'%s' holds something that is no token id (expected whole numbers from 0)",
                    field);
    }
    TRY(ids_push(out, (int32_t)value, err));
  }
  return STATUS_OK;
}

static status read_line(const struct jsonl_line *at, const char *path, const struct tokenizer *t,
                        struct ids *ids, struct error *err) {
  const cJSON *text = cJSON_GetObjectItemCaseSensitive(at->json, "text");
  const cJSON *given = cJSON_GetObjectItemCaseSensitive(at->json, "input_ids");
  if (text && given) {
    return err_at(err, STATUS_INPUT, path, at->line,
                  "both 'text' and 'input_ids' (expected one of them)");
  }
  if (given) {
    TRY(ids_from_json(given, "input_ids", path, at->line, ids, err));
  } else if (!text) {
    return err_at(err, STATUS_INPUT, path, at->line, "neither 'text' nor 'input_ids'");
  } else if (!cJSON_IsString(text)) {
    return err_at(err, STATUS_INPUT, path, at->line, "'text' is not a text");
  } else if (text->valuestring[0] == '\0') {
    return err_at(err, STATUS_INPUT, path, at->line, "'text' is empty");
  } else if (!t) {
    return err_at(err, STATUS_INPUT, path, at->line,
                  "a text, and the model has no tokenizer (expected 'input_ids')");
  } else if (tokenizer_encode(t, text->valuestring, strlen(text->valuestring), true, ids, err) !=
             STATUS_OK) {
    return err_prefix(err, "%s:%ld", path, at->line);
  }
  if (ids->count == 0) {
    return err_at(err, STATUS_INPUT, path, at->line, "no token (expected at least one)");
  }
  return STATUS_OK;
}

status calibration_read(const char *path, const struct tokenizer *t, const struct model *m,
                        int samples, int length, struct sequences *out, struct error *err) {
  if (length > model_positions(m)) {
    return err_set(err, STATUS_INPUT, "length %d is above the model's %d positions", length,
                   model_positions(m));
  }
  size_t cut = (size_t)(length > 0 ? length : model_positions(m));
  struct jsonl lines;
  TRY(jsonl_open(&lines, path, (size_t)samples, err));
  struct sequences read = {0};
  struct ids ids = {0};
  status st = STATUS_OK;
  for (size_t i = 0; i < lines.count; i++) {
    ids.count = 0;
    TRY_GOTO(st, done, read_line(&lines.at[i], lines.path, t, &ids, err));
    TRY_GOTO(st, done, ids_check(&ids, model_vocab(m), lines.path, lines.at[i].line, err));
    ids.count = ids.count < cut ? ids.count : cut;
    TRY_GOTO(st, done, sequences_add(&read, ids.at, ids.count, err));
  }
  if (lines.count < (size_t)samples) {
    st = err_at(err, STATUS_INPUT, lines.path, 0, "%zu lines, and %d samples are asked for",
                lines.count, samples);
  }
done:
  ids_free(&ids);
  jsonl_close(&lines);
  if (st != STATUS_OK) {
    sequences_free(&read);
    return st;
  }
  *out = read;
  return STATUS_OK;
}
