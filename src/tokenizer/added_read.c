#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/added.h"
#include "tokenizer/json.h"

static status find_match(struct added_token *t, const struct normalizer *normalizer,
                         struct error *err) {
  struct traced text = {0}, spare = {0};
  struct scan scan = {0};
  bool first = true;
  status st = str_add(&text.text, t->text, strlen(t->text), err);
  if (st == STATUS_OK && t->normalized) {
    st = normalizer_apply(normalizer, &text, &spare, &scan, &first, err);
  }
  traced_free(&spare);
  scan_free(&scan);
  t->match = text.text.at;
  t->bytes = text.text.count;
  return st;
}

static status read_token(struct added_token *t, const cJSON *item,
                         const struct normalizer *normalizer, const char *file, struct error *err) {
  static const char what[] = "added_tokens";
  TRY(json_need_text(file, what, item, "content", &t->text, err));
  if (!json_is_id(json_get(item, "id"), &t->id)) {
    return err_at(err, STATUS_INPUT, file, 0,
                  "the id of added token '%s' is not a whole number (expected 0 to 2147483646)",
                  t->text);
  }
  bool special = false;
  TRY(json_bool(file, what, item, "special", &special, err));
  t->normalized = !special;
  TRY(json_bool(file, what, item, "normalized", &t->normalized, err));
  TRY(json_bool(file, what, item, "single_word", &t->single_word, err));
  TRY(json_bool(file, what, item, "lstrip", &t->left, err));
  TRY(json_bool(file, what, item, "rstrip", &t->right, err));
  return find_match(t, normalizer, err);
}

static status check_against(const struct added_token *t, const struct vocab *vocab,
                            const char *file, struct error *err) {
  const char *text = vocab_text(vocab, t->id);
  int32_t id = vocab_id(vocab, t->text, strlen(t->text));
  if (id >= 0 && id != t->id) {
    return err_at(err, STATUS_INPUT, file, 0, "added token '%s' has two ids, %d and %d", t->text,
                  t->id, id);
  }
  if (text && strcmp(text, t->text) != 0) {
    return err_at(err, STATUS_INPUT, file, 0, "tokens '%s' and '%s' both have id %d", text, t->text,
                  t->id);
  }
  return STATUS_OK;
}

static unsigned char initial(const struct added_token *t) {
  return (unsigned char)t->match[0];
}

static int by_initial(const void *a, const void *b) {
  const struct added_token *x = a, *y = b;
  int order = (initial(x) > initial(y)) - (initial(x) < initial(y));
  order = order ? order : (x->bytes < y->bytes) - (x->bytes > y->bytes);
  return order ? order : (x->id > y->id) - (x->id < y->id);
}

static status gather(struct added_set *set, const struct added *a, bool normalized,
                     struct error *err) {
  size_t n = 0;
  TRY(mem_alloc(&set->tokens, a->count, sizeof *set->tokens, err));
  for (size_t i = 0; i < a->count; i++) {
    const struct added_token *t = &a->tokens[i];
    if (t->normalized == normalized && t->bytes > 0) {
      set->tokens[n++] = *t;
      set->first[initial(t) + 1]++;
    }
  }
  for (int c = 0; c < 256; c++) {
    set->first[c + 1] += set->first[c];
  }
  qsort(set->tokens, n, sizeof *set->tokens, by_initial);
  return STATUS_OK;
}

status added_read(struct added *a, const cJSON *list, const struct normalizer *normalizer,
                  const struct vocab *vocab, const char *file, struct error *err) {
  size_t count = 0;
  const cJSON *item;
  if (list && !cJSON_IsArray(list)) {
    return err_at(err, STATUS_INPUT, file, 0, "added_tokens is not a list");
  }
  cJSON_ArrayForEach(item, list) {
    count++;
  }
  TRY(mem_alloc(&a->tokens, count, sizeof *a->tokens, err));
  TRY(vocab_start(&a->names, count, err));
  cJSON_ArrayForEach(item, list) {
    struct added_token *t = &a->tokens[a->count++];
    TRY(read_token(t, item, normalizer, file, err));
    TRY(check_against(t, vocab, file, err));
    vocab_add(&a->names, t->text, t->id);
  }
  TRY(vocab_index(&a->names, file, err));
  TRY(gather(&a->raw, a, false, err));
  return gather(&a->normals, a, true, err);
}

void added_free(struct added *a) {
  for (size_t i = 0; i < a->count; i++) {
    free(a->tokens[i].match);
  }
  free(a->tokens);
  free(a->raw.tokens);
  free(a->normals.tokens);
  vocab_free(&a->names);
  *a = (struct added){0};
}
