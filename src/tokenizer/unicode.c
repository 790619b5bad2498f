#include "tokenizer/unicode.h"

#include <oniguruma.h>
#include <utf8proc.h>

bool unicode_in(const struct code_range *table, size_t count, uint32_t code) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (code > table[middle].last) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low < count && code >= table[low].first;
}

bool unicode_is_space(uint32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

static bool newer_word(uint32_t code) {
  for (size_t i = 0; i < unicode_newer_count && unicode_newer[i].first <= code; i++) {
    const char *c = unicode_newer[i].category;
    if (code <= unicode_newer[i].last) {
      return c[0] == 'L' || c[0] == 'M' || (c[0] == 'N' && c[1] != 'o') ||
             (c[0] == 'P' && c[1] == 'c');
    }
  }
  return false;
}

bool unicode_is_word(uint32_t code) {
  bool joiner = code == 0x200C || code == 0x200D;
  /* libonig counts the Latin-1 superscripts and fractions among the word's letters. */
  bool known = ONIGENC_IS_CODE_WORD(ONIG_ENCODING_UTF8, code) &&
               utf8proc_category((utf8proc_int32_t)code) != UTF8PROC_CATEGORY_NO;
  return joiner || known || newer_word(code);
}

static bool continues(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

/* Number of bytes of the well-formed code point at p, of which n are left, or 0. */
static size_t well_formed(const unsigned char *p, size_t n) {
  if (p[0] < 0x80) {
    return 1;
  }
  if (p[0] >= 0xC2 && p[0] <= 0xDF) {
    return n >= 2 && continues(p[1]) ? 2 : 0;
  }
  if (p[0] >= 0xE0 && p[0] <= 0xEF) {
    bool second = n >= 3 && continues(p[1]) && (p[0] != 0xE0 || p[1] >= 0xA0) &&
                  (p[0] != 0xED || p[1] < 0xA0);
    return second && continues(p[2]) ? 3 : 0;
  }
  if (p[0] >= 0xF0 && p[0] <= 0xF4) {
    bool second = n >= 4 && continues(p[1]) && (p[0] != 0xF0 || p[1] >= 0x90) &&
                  (p[0] != 0xF4 || p[1] < 0x90);
    return second && continues(p[2]) && continues(p[3]) ? 4 : 0;
  }
  return 0;
}

size_t utf8_check(const char *text, size_t bytes) {
  const unsigned char *p = (const unsigned char *)text;
  size_t at = 0;
  while (at < bytes) {
    size_t n = well_formed(p + at, bytes - at);
    if (n == 0) {
      return at;
    }
    at += n;
  }
  return bytes;
}

uint32_t utf8_decode(const char *at, size_t *bytes) {
  const unsigned char *p = (const unsigned char *)at;
  if (p[0] < 0x80) {
    *bytes = 1;
    return p[0];
  }
  if (p[0] < 0xE0) {
    *bytes = 2;
    return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
  }
  if (p[0] < 0xF0) {
    *bytes = 3;
    return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
  }
  *bytes = 4;
  return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
         (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

size_t utf8_last(const char *text, size_t bytes) {
  size_t at = bytes - 1;
  while (at > 0 && continues((unsigned char)text[at])) {
    at--;
  }
  return at;
}

size_t utf8_encode(uint32_t code, char out[4]) {
  if (code < 0x80) {
    out[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (char)(0xC0 | code >> 6);
    out[1] = (char)(0x80 | (code & 0x3F));
    return 2;
  }
  if (code < 0x10000) {
    out[0] = (char)(0xE0 | code >> 12);
    out[1] = (char)(0x80 | (code >> 6 & 0x3F));
    out[2] = (char)(0x80 | (code & 0x3F));
    return 3;
  }
  out[0] = (char)(0xF0 | code >> 18);
  out[1] = (char)(0x80 | (code >> 12 & 0x3F));
  out[2] = (char)(0x80 | (code >> 6 & 0x3F));
  out[3] = (char)(0x80 | (code & 0x3F));
  return 4;
}
