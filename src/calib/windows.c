#include "calib/windows.h"

#include <stdlib.h>

#include "base/mem.h"

status windows_add(struct windows *w, size_t document, size_t first, struct error *err) {
  TRY(mem_reserve(&w->at, &w->cap, w->count + 1, sizeof *w->at, err));
  w->at[w->count++] = (struct window){document, first};
  return STATUS_OK;
}

void windows_free(struct windows *w) {
  free(w->at);
  *w = (struct windows){0};
}

bool windows_taken(const struct windows *w, size_t document, size_t first, size_t length) {
  for (size_t i = 0; i < w->earlier; i++) {
    const struct window *other = &w->at[i];
    size_t apart = other->first < first ? first - other->first : other->first - first;
    if (other->document == document && apart < length) {
      return true;
    }
  }
  return false;
}

status windows_free_starts(const struct windows *w, size_t document, size_t starts, size_t length,
                           size_t *out, struct error *err) {
  unsigned char *taken;
  TRY(mem_alloc(&taken, starts, 1, err));
  for (size_t i = 0; i < w->earlier; i++) {
    const struct window *other = &w->at[i];
    if (other->document != document) {
      continue;
    }
    size_t low = other->first < length ? 0 : other->first - length + 1;
    for (size_t s = low; s < other->first + length && s < starts; s++) {
      taken[s] = 1;
    }
  }
  *out = 0;
  for (size_t s = 0; s < starts; s++) {
    *out += !taken[s];
  }
  free(taken);
  return STATUS_OK;
}
