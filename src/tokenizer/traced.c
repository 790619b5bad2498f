#include "tokenizer/traced.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tokenizer/unicode.h"

status traced_start(struct traced *t, bool kept, struct error *err) {
  t->text.count = 0;
  t->kept = kept;
  return str_add(&t->text, "", 0, err);
}

void traced_free(struct traced *t) {
  str_free(&t->text);
  free(t->origin);
  *t = (struct traced){0};
}

static status reserve(struct traced *t, struct error *err) {
  return mem_reserve(&t->origin, &t->cap, t->text.count, sizeof *t->origin, err);
}

status traced_original(struct traced *t, const char *text, size_t bytes, size_t at,
                       struct error *err) {
  size_t first = t->text.count;
  TRY(str_add(&t->text, text, bytes, err));
  if (!t->kept) {
    return STATUS_OK;
  }
  TRY(reserve(t, err));
  for (size_t i = 0, length; i < bytes; i += length) {
    (void)utf8_decode(text + i, &length);
    for (size_t j = 0; j < length; j++) {
      t->origin[first + i + j] =
          (struct token_span){(uint32_t)(at + i), (uint32_t)(at + i + length)};
    }
  }
  return STATUS_OK;
}

status traced_copy(struct traced *out, const struct traced *in, size_t start, size_t n,
                   struct error *err) {
  size_t first = out->text.count;
  TRY(str_add(&out->text, in->text.at + start, n, err));
  if (out->kept && n) {
    TRY(reserve(out, err));
    memcpy(out->origin + first, in->origin + start, n * sizeof *out->origin);
  }
  return STATUS_OK;
}

status traced_put(struct traced *out, const struct traced *in, size_t start, size_t n,
                  const char *content, size_t bytes, struct error *err) {
  size_t first = out->text.count;
  TRY(str_add(&out->text, content, bytes, err));
  return out->kept ? traced_mark(out, first, in, start, n, err) : STATUS_OK;
}

struct token_span traced_hull(const struct traced *t, size_t start, size_t n) {
  if (n > 0) {
    return token_spans_hull(t->origin + start, n);
  }
  uint32_t at = start < t->text.count ? t->origin[start].start
                : start > 0           ? t->origin[start - 1].end
                                      : 0;
  return (struct token_span){at, at};
}

status traced_mark(struct traced *out, size_t first, const struct traced *in, size_t start,
                   size_t n, struct error *err) {
  TRY(reserve(out, err));
  struct token_span from = traced_hull(in, start, n);
  for (size_t i = first; i < out->text.count; i++) {
    out->origin[i] = from;
  }
  return STATUS_OK;
}
