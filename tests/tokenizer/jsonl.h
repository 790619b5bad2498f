/* Reference files of the tokenizer tests: strings in which NUL may stand, and lists of ids. */
#ifndef ESPALIER_TESTS_TOKENIZER_JSONL_H
#define ESPALIER_TESTS_TOKENIZER_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "tokenizer/unicode.h"

static inline unsigned jsonl_hex(const char *at) {
  char digits[5] = {at[0], at[1], at[2], at[3], '\0'};
  return (unsigned)strtoul(digits, NULL, 16);
}

/* Appends the code point of the escape whose backslash is at p; returns what is behind it. */
static inline const char *jsonl_escape(struct str *out, const char *p) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const char *name = strchr(names, p[1]);
  unsigned code = name ? (unsigned char)values[name - names] : jsonl_hex(p + 2);
  p += name ? 2 : 6;
  if (code >= 0xD800 && code < 0xDC00) {
    code = 0x10000 + ((code - 0xD800) << 10) + (jsonl_hex(p + 2) - 0xDC00);
    p += 6;
  }
  char letter[4];
  size_t n = utf8_encode(code, letter);
  (void)str_add(out, letter, n, NULL);
  return p;
}

/* Reads the string behind "key": in a line into *out (emptied first); false when there is none. */
static inline bool jsonl_text(struct str *out, const char *line, const char *key) {
  char mark[64];
  (void)snprintf(mark, sizeof mark, "\"%s\":", key);
  const char *p = strstr(line, mark);
  if (!p) {
    return false;
  }
  p = strchr(p + strlen(mark), '"') + 1;
  out->count = 0;
  (void)str_add(out, "", 0, NULL);
  while (*p && *p != '"') {
    if (*p == '\\') {
      p = jsonl_escape(out, p);
    } else {
      (void)str_add(out, p++, 1, NULL);
    }
  }
  return true;
}

/* Reads the list of numbers behind "key": in a line into *out (emptied first). */
static inline bool jsonl_ids(struct ids *out, const char *line, const char *key) {
  char mark[64];
  (void)snprintf(mark, sizeof mark, "\"%s\":", key);
  const char *p = strstr(line, mark);
  out->count = 0;
  if (!p) {
    return false;
  }
  p = strchr(p, '[') + 1;
  for (p += strspn(p, " ,"); *p != ']'; p += strspn(p, " ,")) {
    char *end;
    (void)ids_push(out, (int32_t)strtol(p, &end, 10), NULL);
    p = end;
  }
  return true;
}

/* The next line of a text, NUL-terminated in place, or NULL; *rest is what follows it. */
static inline char *jsonl_line(char **rest) {
  char *line = *rest;
  if (!*line) {
    return NULL;
  }
  char *end = strchr(line, '\n');
  *rest = end ? end + 1 : line + strlen(line);
  if (end) {
    *end = '\0';
  }
  return line;
}

#endif
