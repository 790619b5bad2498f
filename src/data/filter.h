/* Filters of the task language: {{ premise | strip | lower_first }}. */
#ifndef ESPALIER_DATA_FILTER_H
#define ESPALIER_DATA_FILTER_H

#include "data/value.h"

enum { FILTER_ARGS = 2 };

struct filter {
  const char *name;
  int least, most; /* arguments in parentheses */
  /* in: the value, then the arguments. On STATUS_INPUT *why says what was expected. */
  status (*apply)(const struct value *in, size_t count, struct arena *arena, struct value *out,
                  const char **why, struct error *err);
};

/* The filter of that name, or NULL and the nearest name (or NULL). */
const struct filter *filter_find(const char *name, size_t bytes, const char **nearest);

#endif
