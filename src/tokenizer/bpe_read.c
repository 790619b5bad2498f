#include <stdio.h>
#include <string.h>

#include "tokenizer/bpe.h"
#include "tokenizer/json.h"

static status read_vocab(struct bpe *b, const cJSON *model, const char *file, struct error *err) {
  const cJSON *vocab = json_get(model, "vocab"), *item;
  if (!cJSON_IsObject(vocab) || !vocab->child) {
    return err_at(err, STATUS_INPUT, file, 0,
                  "no vocabulary (expected model.vocab, an object of tokens and their ids)");
  }
  size_t count = 0;
  cJSON_ArrayForEach(item, vocab) {
    count++;
  }
  TRY(vocab_start(&b->vocab, count, err));
  cJSON_ArrayForEach(item, vocab) {
    int32_t id;
    if (!json_is_id(item, &id)) {
      return err_at(err, STATUS_INPUT, file, 0,
                    "the id of token '%s' is not a whole number (expected 0 to 2147483646)",
                    item->string);
    }
    vocab_add(&b->vocab, item->string, id);
  }
  return vocab_index(&b->vocab, file, err);
}

static status read_unknown(struct bpe *b, const cJSON *model, const char *file, struct error *err) {
  const char *unknown;
  TRY(json_text(file, "model", model, "unk_token", &unknown, err));
  b->unknown = unknown ? vocab_id(&b->vocab, unknown, strlen(unknown)) : -1;
  if (unknown && b->unknown < 0) {
    return err_at(err, STATUS_INPUT, file, 0, "unk_token '%s' is not in the vocabulary", unknown);
  }
  return STATUS_OK;
}

static status read_flags(struct bpe *b, const cJSON *model, const char *file, struct error *err) {
  const cJSON *dropout = json_get(model, "dropout");
  if (dropout && !(cJSON_IsNumber(dropout) && dropout->valuedouble == 0)) {
    return err_at(err, STATUS_UNSUPPORTED, file, 0,
                  "model with dropout: its ids are random (expected null)");
  }
  TRY(json_bool(file, "model", model, "fuse_unk", &b->fuse_unknown, err));
  TRY(json_bool(file, "model", model, "byte_fallback", &b->byte_fallback, err));
  TRY(json_bool(file, "model", model, "ignore_merges", &b->ignore_merges, err));
  TRY(json_text(file, "model", model, "continuing_subword_prefix", &b->prefix, err));
  TRY(json_text(file, "model", model, "end_of_word_suffix", &b->suffix, err));
  b->prefix = b->prefix ? b->prefix : "";
  b->suffix = b->suffix ? b->suffix : "";
  return STATUS_OK;
}

status bpe_read(struct bpe *b, const cJSON *model, const char *file, struct error *err) {
  static const char *const types[] = {"BPE"};
  int type;
  if (!cJSON_IsObject(model)) {
    return err_at(err, STATUS_INPUT, file, 0, "no model (expected one of type BPE)");
  }
  /* Files of the first years leave the type out. */
  if (json_get(model, "type") || !json_get(model, "merges")) {
    TRY(json_type(file, "model", model, types, 1, &type, err));
  }
  TRY(read_flags(b, model, file, err));
  TRY(read_vocab(b, model, file, err));
  TRY(read_unknown(b, model, file, err));
  for (int i = 0; i < 256; i++) {
    char name[8];
    int n = snprintf(name, sizeof name, "<0x%02X>", (unsigned)i);
    b->bytes[i] = vocab_id(&b->vocab, name, (size_t)n);
  }
  const cJSON *merges;
  TRY(json_need_array(file, "model", model, "merges", &merges, err));
  return merges_read(&b->merges, merges, &b->vocab, strlen(b->prefix), file, err);
}

void bpe_free(struct bpe *b) {
  vocab_free(&b->vocab);
  merges_free(&b->merges);
  *b = (struct bpe){0};
}
