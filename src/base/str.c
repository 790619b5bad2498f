#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

status str_add(struct str *s, const char *from, size_t n, struct error *err) {
  TRY(mem_reserve(&s->at, &s->cap, s->count + n + 1, 1, err));
  if (n) {
    memcpy(s->at + s->count, from, n);
  }
  s->count += n;
  s->at[s->count] = '\0';
  return STATUS_OK;
}

static status addv(struct str *s, struct error *err, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int n = vsnprintf(NULL, 0, format, args);
  status st = n < 0 ? err_set(err, STATUS_BUG, "format '%s'", format)
                    : mem_reserve(&s->at, &s->cap, s->count + (size_t)n + 1, 1, err);
  if (st == STATUS_OK) {
    (void)vsnprintf(s->at + s->count, (size_t)n + 1, format, again);
    s->count += (size_t)n;
  }
  va_end(again);
  return st;
}

status str_addf(struct str *s, struct error *err, const char *format, ...) {
  va_list args;
  va_start(args, format);
  status st = addv(s, err, format, args);
  va_end(args);
  return st;
}

void str_free(struct str *s) {
  free(s->at);
  *s = (struct str){0};
}

status str_format(char **out, struct error *err, const char *format, ...) {
  struct str s = {0};
  va_list args;
  va_start(args, format);
  status st = addv(&s, err, format, args);
  va_end(args);
  if (st == STATUS_OK) {
    *out = s.at;
  }
  return st;
}

enum { LONGEST_NAME = 63 };

/* Levenshtein distance by one row; names longer than LONGEST_NAME are never near. */
static int distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  if (n > LONGEST_NAME || m > LONGEST_NAME) {
    return LONGEST_NAME;
  }
  int row[LONGEST_NAME + 1];
  for (size_t j = 0; j <= m; j++) {
    row[j] = (int)j;
  }
  for (size_t i = 1; i <= n; i++) {
    int diagonal = row[0];
    row[0] = (int)i;
    for (size_t j = 1; j <= m; j++) {
      int change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      int least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
      row[j] = change < least ? change : least;
    }
  }
  return row[m];
}

int str_nearest(const char *word, const char *const *names, size_t count) {
  int best = -1, least = (int)strlen(word) / 2 + 1;
  for (size_t i = 0; i < count; i++) {
    int d = distance(word, names[i]);
    if (d < least) {
      least = d;
      best = (int)i;
    }
  }
  return best;
}

bool str_starts(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

bool str_ends(const char *text, const char *end) {
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}
