/* An arena: many small texts and nodes that live and die together. */
#ifndef ESPALIER_DATA_ARENA_H
#define ESPALIER_DATA_ARENA_H

#include <stddef.h>

#include "base/error.h"

struct arena;

status arena_create(struct arena **out, struct error *err);
void arena_free(struct arena *a);

/* Zeroed memory aligned for any type, valid until arena_free. out is the address of any object
 * pointer. */
status arena_alloc(struct arena *a, void *out, size_t bytes, struct error *err);

/* NUL-terminated copy of n bytes. */
status arena_dup(struct arena *a, char **out, const char *from, size_t n, struct error *err);

#endif
