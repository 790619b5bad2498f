/* Windows that earlier draws took, so that later ones can stay clear of them. */
#ifndef ESPALIER_CALIB_WINDOWS_H
#define ESPALIER_CALIB_WINDOWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct window {
  size_t document, first;
};

struct windows {
  struct window *at;
  size_t count, cap;
  size_t earlier; /* the first so many belong to earlier draws than the current one */
};

status windows_add(struct windows *w, size_t document, size_t first, struct error *err);
void windows_free(struct windows *w);

/* Whether a window of `length` tokens overlaps one of an earlier draw. */
bool windows_taken(const struct windows *w, size_t document, size_t first, size_t length);

/* How many of the starts 0 .. starts - 1 of a document are still free. */
status windows_free_starts(const struct windows *w, size_t document, size_t starts, size_t length,
                           size_t *out, struct error *err);

#endif
