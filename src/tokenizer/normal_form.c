#include "tokenizer/normal_form.h"

#include <stdlib.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "tokenizer/unicode.h"

struct codes {
  utf8proc_int32_t *at;
  size_t cap;
};

/* The normal form of a stretch without inert code points. */
static status form(struct str *out, const char *text, size_t bytes, utf8proc_option_t options,
                   struct codes *codes, struct error *err) {
  const utf8proc_uint8_t *from = (const utf8proc_uint8_t *)text;
  utf8proc_option_t split =
      UTF8PROC_DECOMPOSE | (utf8proc_option_t)(options & (UTF8PROC_COMPAT | UTF8PROC_STABLE));
  utf8proc_ssize_t n = utf8proc_decompose(from, (utf8proc_ssize_t)bytes, codes->at,
                                          (utf8proc_ssize_t)codes->cap, split);
  if (n > (utf8proc_ssize_t)codes->cap) {
    TRY(mem_reserve(&codes->at, &codes->cap, (size_t)n, sizeof *codes->at, err));
    n = utf8proc_decompose(from, (utf8proc_ssize_t)bytes, codes->at, (utf8proc_ssize_t)codes->cap,
                           split);
  }
  if (n > 0 && (options & UTF8PROC_COMPOSE)) {
    n = utf8proc_normalize_utf32(codes->at, n, options);
  }
  if (n < 0) {
    return err_set(err, STATUS_INPUT, "normalisation failed: %s", utf8proc_errmsg(n));
  }
  for (utf8proc_ssize_t i = 0; i < n; i++) {
    char letter[4];
    size_t length = utf8_encode((uint32_t)codes->at[i], letter);
    TRY(str_add(out, letter, length, err));
  }
  return STATUS_OK;
}

/* Nothing before an ASCII or an inert code point interacts with it or with what follows it, and an
 * inert one does not interact with what follows either. */
static size_t stretch(const char *text, size_t bytes, bool *inert) {
  size_t at = 0;
  while (at < bytes) {
    size_t length;
    uint32_t code = utf8_decode(text + at, &length);
    /* utf8proc 2.8 takes U+11A7 for a final consonant of Hangul, one before the first. */
    bool is_inert =
        code == 0x11A7 || (code >= 0x80 && unicode_in(unicode_inert, unicode_inert_count, code));
    if (at == 0 && is_inert) {
      *inert = true;
      return length;
    }
    if (at > 0 && (code < 0x80 || is_inert)) {
      break;
    }
    at += length;
  }
  *inert = false;
  return at;
}

static size_t ascii(const char *text, size_t bytes) {
  size_t n = 0;
  while (n < bytes && (unsigned char)text[n] < 0x80) {
    n++;
  }
  return n;
}

status normal_form(struct str *out, const char *text, size_t bytes, bool compose, bool compatible,
                   struct error *err) {
  utf8proc_option_t options = UTF8PROC_STABLE;
  options |= compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  options |= compatible ? UTF8PROC_COMPAT : 0;
  struct codes codes = {0};
  status st = STATUS_OK;
  for (size_t at = 0; at < bytes && st == STATUS_OK;) {
    size_t plain = ascii(text + at, bytes - at);
    plain -= plain > 0 && at + plain < bytes; /* the last letter may take a mark */
    st = str_add(out, text + at, plain, err);
    at += plain;
    if (st == STATUS_OK && at < bytes) {
      bool inert;
      size_t n = stretch(text + at, bytes - at, &inert);
      st = inert ? str_add(out, text + at, n, err) : form(out, text + at, n, options, &codes, err);
      at += n;
    }
  }
  free(codes.at);
  return st;
}
