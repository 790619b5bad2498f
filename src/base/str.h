/* Strings: a builder, formatted copies, and the nearest name for "did you mean". */
#ifndef ESPALIER_BASE_STR_H
#define ESPALIER_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* A growing string; zero-initialise. `at` is NUL-terminated once anything was added. */
struct str {
  char *at;
  size_t count, cap; /* bytes, without the NUL */
};

status str_add(struct str *s, const char *from, size_t n, struct error *err);
status str_addf(struct str *s, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void str_free(struct str *s);

/* Formatted copy; the caller frees *out. */
status str_format(char **out, struct error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Index of the name nearest to `word` by edit distance, or -1 when none is near enough to suggest.
 * names: [count]. */
int str_nearest(const char *word, const char *const *names, size_t count);

bool str_starts(const char *text, const char *start);
bool str_ends(const char *text, const char *end);

#endif
