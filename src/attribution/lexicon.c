#include "attribution/lexicon.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/word_split.h"
#include "base/file.h"
#include "base/mem.h"
#include "data/text.h"

void lexicon_free(struct lexicon *l) {
  free(l->at);
  *l = (struct lexicon){0};
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/* text [n] without blanks at its ends, NUL-terminated in place. */
static char *trim(char *text, size_t n) {
  while (n && is_blank(text[n - 1])) {
    n--;
  }
  text[n] = '\0';
  return text + strspn(text, " \t\r");
}

static status read_weight(double *out, const char *text, const char *path, long line,
                          struct error *err) {
  char *end;
  *out = strtod(text, &end);
  if (end == text || *end != '\0' || !isfinite(*out) || *out <= 0) {
    return err_at(err, STATUS_INPUT, path, line, "weight '%s' (expected a number above 0)", text);
  }
  return STATUS_OK;
}

static status read_word(struct lexicon_word *out, const char *text, const char *path, long line,
                        struct error *err) {
  size_t n = strlen(text), at = 0;
  struct text_word w;
  if (!word_next(text, n, &at, &w) || w.bytes != n) {
    return err_at(err, STATUS_INPUT, path, line,
                  "'%s' (expected one word of letters, digits and inner apostrophes)", text);
  }
  char *lower;
  TRY(mem_alloc(&lower, n + 1, 1, err));
  size_t bytes = word_lower(text, n, lower);
  if (bytes < sizeof out->text) {
    memcpy(out->text, lower, bytes + 1);
  }
  free(lower);
  return bytes < sizeof out->text
             ? STATUS_OK
             : err_at(err, STATUS_INPUT, path, line, "a word of %zu bytes (expected at most %zu)",
                      bytes, sizeof out->text - 1);
}

static status check_word(const struct lexicon *l, const struct lexicon_word *w, const char *path,
                         struct error *err) {
  for (size_t i = 0; i < l->count; i++) {
    if (strcmp(l->at[i].text, w->text) == 0) {
      return err_at(err, STATUS_INPUT, path, w->line, "'%s' stands in line %ld already", w->text,
                    l->at[i].line);
    }
  }
  if (l->count && isnan(l->at[0].weight) != isnan(w->weight)) {
    return err_at(err, STATUS_INPUT, path, w->line,
                  "a word %s weight (line %ld has one %s: expected weights behind all words, or "
                  "none)",
                  isnan(w->weight) ? "without" : "with", l->at[0].line,
                  isnan(w->weight) ? "with" : "without");
  }
  return STATUS_OK;
}

/* text [n], which has a NUL or a line feed behind it. */
static status read_line(struct lexicon *l, char *text, size_t n, const char *path, long line,
                        struct error *err) {
  size_t bad = text_invalid(text, n);
  if (bad < n || memchr(text, '\0', n)) {
    return err_at(err, STATUS_INPUT, path, line, "byte %zu is not text in UTF-8",
                  (bad < n ? bad : strlen(text)) + 1);
  }
  char *word = trim(text, n);
  if (word[0] == '\0' || word[0] == '#') {
    return STATUS_OK;
  }
  struct lexicon_word w = {.weight = NAN, .line = line};
  char *tab = strchr(word, '\t');
  if (tab) {
    *tab = '\0';
    TRY(read_weight(&w.weight, trim(tab + 1, strlen(tab + 1)), path, line, err));
  }
  TRY(read_word(&w, trim(word, strlen(word)), path, line, err));
  TRY(check_word(l, &w, path, err));
  TRY(mem_reserve(&l->at, &l->cap, l->count + 1, sizeof *l->at, err));
  l->at[l->count++] = w;
  return STATUS_OK;
}

status lexicon_read(struct lexicon *l, const char *path, struct error *err) {
  char *text;
  size_t size;
  TRY(file_read(&text, &size, path, err));
  size_t at = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
  status st = STATUS_OK;
  for (long line = 1; st == STATUS_OK && at < size; line++) {
    char *end = memchr(text + at, '\n', size - at);
    size_t n = end ? (size_t)(end - text) - at : size - at;
    st = read_line(l, text + at, n, path, line, err);
    at += n + 1;
  }
  free(text);
  if (st == STATUS_OK && l->count == 0) {
    st = err_at(err, STATUS_INPUT, path, 0, "no words (expected one a line)");
  }
  return st;
}
