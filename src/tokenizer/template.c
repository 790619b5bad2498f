#include "tokenizer/template.h"

#include <string.h>

#include "tokenizer/json.h"

static const char what[] = "post_processor TemplateProcessing";

static status add_special(struct template *t, const cJSON *specials, const char *name,
                          const char *file, struct error *err) {
  const cJSON *list = json_get(json_get(specials, name), "ids"), *item;
  if (!cJSON_IsArray(list)) {
    return err_at(err, STATUS_INPUT, file, 0, "%s: no ids for special token '%s'", what, name);
  }
  cJSON_ArrayForEach(item, list) {
    int32_t id;
    if (!json_is_id(item, &id)) {
      return err_at(err, STATUS_INPUT, file, 0, "%s: an id of '%s' is not a whole number", what,
                    name);
    }
    TRY(ids_push(&t->items, id, err));
  }
  return STATUS_OK;
}

static status read_single(struct template *t, const cJSON *node, const char *file,
                          struct error *err) {
  const cJSON *list, *item, *specials = json_get(node, "special_tokens");
  TRY(json_need_array(file, what, node, "single", &list, err));
  cJSON_ArrayForEach(item, list) {
    const cJSON *special = json_get(item, "SpecialToken"), *text = json_get(item, "Sequence");
    const char *name;
    if (!special && !text) {
      return err_at(err, STATUS_INPUT, file, 0,
                    "%s: single has an item that is neither SpecialToken nor Sequence", what);
    }
    TRY(json_need_text(file, what, special ? special : text, "id", &name, err));
    if (special) {
      TRY(add_special(t, specials, name, file, err));
    } else if (strcmp(name, "A") == 0) {
      TRY(ids_push(&t->items, TEMPLATE_TEXT, err));
    } else {
      return err_at(err, STATUS_INPUT, file, 0, "%s: single has a sequence '%s' (expected A)", what,
                    name);
    }
  }
  return ids_push(&t->items, TEMPLATE_END, err);
}

status template_read(struct template *t, const cJSON *node, const char *file, struct error *err) {
  enum { BYTE_LEVEL, SEQUENCE, TEMPLATE };
  static const char *const names[] = {"ByteLevel", "Sequence", "TemplateProcessing"};
  int type;
  if (!node) {
    return STATUS_OK;
  }
  TRY(json_type(file, "post_processor", node, names, 3, &type, err));
  if (type == TEMPLATE) {
    return read_single(t, node, file, err);
  }
  if (type == SEQUENCE) {
    const cJSON *list, *one;
    TRY(json_need_array(file, "post_processor Sequence", node, "processors", &list, err));
    cJSON_ArrayForEach(one, list) {
      TRY(template_read(t, one, file, err));
    }
  }
  return STATUS_OK; /* ByteLevel moves offsets only */
}

void template_free(struct template *t) {
  ids_free(&t->items);
}

static status apply_one(const int32_t *items, size_t count, struct ids *out, size_t from,
                        struct ids *text, struct error *err) {
  text->count = 0;
  TRY(ids_append(text, out->at + from, out->count - from, err));
  out->count = from;
  for (size_t i = 0; i < count; i++) {
    TRY(items[i] == TEMPLATE_TEXT ? ids_append(out, text->at, text->count, err)
                                  : ids_push(out, items[i], err));
  }
  return STATUS_OK;
}

static status apply_one_spans(const int32_t *items, size_t count, struct token_spans *out,
                              size_t from, struct token_spans *text, struct error *err) {
  text->count = 0;
  TRY(token_spans_append(text, out->at + from, out->count - from, err));
  out->count = from;
  for (size_t i = 0; i < count; i++) {
    TRY(items[i] == TEMPLATE_TEXT ? token_spans_append(out, text->at, text->count, err)
                                  : token_spans_push(out, (struct token_span){0, 0}, err));
  }
  return STATUS_OK;
}

status template_apply(const struct template *t, struct ids *out, size_t from,
                      struct token_spans *spans, size_t spans_from, struct error *err) {
  struct ids text = {0};
  struct token_spans places = {0};
  status st = STATUS_OK;
  for (size_t i = 0, start = 0; i < t->items.count && st == STATUS_OK; i++) {
    if (t->items.at[i] == TEMPLATE_END) {
      const int32_t *items = t->items.at + start;
      st = apply_one(items, i - start, out, from, &text, err);
      if (st == STATUS_OK && spans) {
        st = apply_one_spans(items, i - start, spans, spans_from, &places, err);
      }
      start = i + 1;
    }
  }
  ids_free(&text);
  token_spans_free(&places);
  return st;
}
