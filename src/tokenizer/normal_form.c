#include "tokenizer/normal_form.h"

#include <stdlib.h>
#include <string.h>
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

/* Whether nothing before a code point orders, joins or changes with it: what it decomposes to
 * begins with a starter that is no second half of a pair (Unicode Standard Annex 15, section 9.1).
 */
static bool stands_apart(uint32_t code, utf8proc_option_t options) {
  enum { LONGEST = 18 }; /* U+FDFA */
  utf8proc_int32_t parts[LONGEST] = {(utf8proc_int32_t)code};
  int bound = 0;
  utf8proc_option_t split =
      UTF8PROC_DECOMPOSE | (utf8proc_option_t)(options & (UTF8PROC_COMPAT | UTF8PROC_STABLE));
  (void)utf8proc_decompose_char((utf8proc_int32_t)code, parts, LONGEST, split, &bound);
  bool vowel = parts[0] >= 0x1161 && parts[0] <= 0x1175; /* of Hangul, which joins by rule */
  bool final = parts[0] >= 0x11A8 && parts[0] <= 0x11C2;
  const utf8proc_property_t *p = utf8proc_get_property(parts[0]);
  bool second = p->comb_index >= 0x8000 && p->comb_index != UINT16_MAX;
  return p->combining_class == 0 && !second && !vowel && !final;
}

/* Bytes up to the next code point that stands apart. */
static size_t cluster(const char *text, size_t bytes, utf8proc_option_t options) {
  size_t at, length;
  (void)utf8_decode(text, &at);
  while (at < bytes && !stands_apart(utf8_decode(text + at, &length), options)) {
    at += length;
  }
  return at;
}

/* What one rewriting needs. */
struct forming {
  const struct traced *in;
  struct traced *out;
  utf8proc_option_t options;
  struct codes codes;
  struct traced apart; /* a cluster's characters, each in its own normal form */
};

/* The origins of a cluster's normal form, out's bytes from `first` on: character by character where
 * each kept to itself, else all from the whole cluster. */
static status trace_cluster(struct forming *f, size_t start, size_t n, size_t first,
                            struct error *err) {
  TRY(traced_start(&f->apart, true, err));
  for (size_t at = 0, length; at < n; at += length) {
    const char *letter = f->in->text.at + start + at;
    (void)utf8_decode(letter, &length);
    size_t before = f->apart.text.count;
    TRY(form(&f->apart.text, letter, length, f->options, &f->codes, err));
    TRY(traced_mark(&f->apart, before, f->in, start + at, length, err));
  }
  size_t made = f->out->text.count - first;
  TRY(traced_mark(f->out, first, f->in, start, n, err));
  if (made > 0 && made == f->apart.text.count &&
      memcmp(f->apart.text.at, f->out->text.at + first, made) == 0) {
    memcpy(f->out->origin + first, f->apart.origin, made * sizeof *f->apart.origin);
  }
  return STATUS_OK;
}

static status add_stretch(struct forming *f, size_t start, size_t n, struct error *err) {
  const char *text = f->in->text.at + start;
  if (!f->out->kept) {
    return form(&f->out->text, text, n, f->options, &f->codes, err);
  }
  for (size_t at = 0, length; at < n; at += length) {
    size_t first = f->out->text.count;
    length = cluster(text + at, n - at, f->options);
    TRY(form(&f->out->text, text + at, length, f->options, &f->codes, err));
    TRY(trace_cluster(f, start + at, length, first, err));
  }
  return STATUS_OK;
}

static status add_all(struct forming *f, struct error *err) {
  const char *text = f->in->text.at;
  size_t bytes = f->in->text.count;
  for (size_t at = 0; at < bytes;) {
    size_t plain = ascii(text + at, bytes - at);
    plain -= plain > 0 && at + plain < bytes; /* the last letter may take a mark */
    TRY(traced_copy(f->out, f->in, at, plain, err));
    at += plain;
    if (at < bytes) {
      bool inert;
      size_t n = stretch(text + at, bytes - at, &inert);
      TRY(inert ? traced_copy(f->out, f->in, at, n, err) : add_stretch(f, at, n, err));
      at += n;
    }
  }
  return STATUS_OK;
}

status normal_form(struct traced *out, const struct traced *in, bool compose, bool compatible,
                   struct error *err) {
  struct forming f = {.in = in, .out = out, .options = UTF8PROC_STABLE};
  f.options |= compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  f.options |= compatible ? UTF8PROC_COMPAT : 0;
  status st = add_all(&f, err);
  free(f.codes.at);
  traced_free(&f.apart);
  return st;
}
