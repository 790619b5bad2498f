#include "tokenizer/added.h"

#include <string.h>

#include "base/mem.h"
#include "tokenizer/unicode.h"

static const struct added_token *longest_at(const struct added_set *set, const char *at,
                                            size_t bytes) {
  unsigned char c = (unsigned char)*at;
  for (size_t i = set->first[c]; i < set->first[c + 1]; i++) {
    const struct added_token *t = &set->tokens[i];
    if (t->bytes <= bytes && memcmp(t->match, at, t->bytes) == 0) {
      return t;
    }
  }
  return NULL;
}

static bool touches_word(const char *text, size_t bytes, size_t start, size_t end) {
  size_t length;
  return (start > 0 && unicode_is_word(utf8_decode(text + utf8_last(text, start), &length))) ||
         (end < bytes && unicode_is_word(utf8_decode(text + end, &length)));
}

static size_t strip_left(const char *text, size_t start) {
  size_t length;
  while (start > 0) {
    size_t last = utf8_last(text, start);
    if (!unicode_is_space(utf8_decode(text + last, &length))) {
      break;
    }
    start = last;
  }
  return start;
}

static size_t strip_right(const char *text, size_t bytes, size_t end) {
  size_t length;
  while (end < bytes && unicode_is_space(utf8_decode(text + end, &length))) {
    end += length;
  }
  return end;
}

static status add_part(struct parts *out, size_t start, size_t end, int32_t id, struct error *err) {
  if (start < end) {
    TRY(mem_reserve(&out->at, &out->cap, out->count + 1, sizeof *out->at, err));
    out->at[out->count++] = (struct part){start, end, id};
  }
  return STATUS_OK;
}

status added_cut(const struct added_set *set, const char *text, size_t bytes, struct parts *out,
                 struct error *err) {
  size_t done = 0; /* end of the last part */
  out->count = 0;
  for (size_t at = 0; at < bytes && set->first[256] > 0;) {
    const struct added_token *t = longest_at(set, text + at, bytes - at);
    if (!t) {
      at++;
      continue;
    }
    size_t start = at, end = at + t->bytes;
    at = end;
    if (t->single_word && touches_word(text, bytes, start, end)) {
      continue;
    }
    if (t->left) {
      size_t left = strip_left(text, start);
      start = left > done ? left : done;
    }
    end = t->right ? strip_right(text, bytes, end) : end;
    TRY(done < start ? add_part(out, done, start, -1, err) : STATUS_OK);
    TRY(add_part(out, start, end, t->id, err));
    done = end;
  }
  return add_part(out, done, bytes, -1, err);
}
