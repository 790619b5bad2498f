#include "attribution/word_split.h"

#include <stdint.h>
#include <string.h>

#include "data/text.h"
#include "tokenizer/unicode.h"

enum { APOSTROPHE = 0x27, APOSTROPHE_CURLED = 0x2019, JOINER = 0x200d, NON_JOINER = 0x200c };

static bool is_connector(uint32_t c) {
  return c == '_' || c == 0x203f || c == 0x2040 || c == 0x2054 || c == 0xfe33 || c == 0xfe34 ||
         (c >= 0xfe4d && c <= 0xfe4f) || c == 0xff3f;
}

static bool is_inside(uint32_t c) {
  return unicode_is_word(c) && !is_connector(c) && c != JOINER && c != NON_JOINER;
}

/* A mark alone, as behind an emoji, is no word. */
static bool is_start(uint32_t c) {
  return is_inside(c) && !unicode_in(unicode_marks, unicode_marks_count, c);
}

static bool is_apostrophe(uint32_t c) {
  return c == APOSTROPHE || c == APOSTROPHE_CURLED;
}

/* Bytes by which a word that reaches up to `at` goes on, or 0. */
static size_t goes_on(const char *text, size_t n, size_t at) {
  if (at >= n) {
    return 0;
  }
  size_t bytes, more;
  uint32_t c = text_decode(text + at, &bytes);
  if (is_inside(c)) {
    return bytes;
  }
  bool joins =
      is_apostrophe(c) && at + bytes < n && is_start(text_decode(text + at + bytes, &more));
  return joins ? bytes : 0;
}

bool word_next(const char *text, size_t n, size_t *at, struct text_word *out) {
  size_t i = *at, bytes;
  while (i < n && !is_start(text_decode(text + i, &bytes))) {
    i += bytes;
  }
  out->first = i;
  for (; (bytes = goes_on(text, n, i)) > 0; i += bytes) {
  }
  out->bytes = i - out->first;
  *at = i;
  return out->bytes > 0;
}

size_t word_lower(const char *word, size_t bytes, char *out) {
  size_t at = 0;
  for (size_t i = 0, used; i < bytes; i += used) {
    uint32_t c = text_decode(word + i, &used);
    at += text_encode(is_apostrophe(c) ? APOSTROPHE : text_lower(c), out + at);
  }
  out[at] = '\0';
  return at;
}

size_t word_remove(const char *text, size_t n, struct text_word word, char *out) {
  size_t start = word.first, end = word.first + word.bytes;
  if (start > 0 && text[start - 1] == ' ') {
    start--;
  } else if (end < n && text[end] == ' ') {
    end++;
  }
  memcpy(out, text, start);
  memcpy(out + start, text + end, n - end);
  out[n - (end - start)] = '\0';
  return n - (end - start);
}
