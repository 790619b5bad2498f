/* Memory: allocations that say no with a line instead of a NULL, and arrays that grow. */
#ifndef ESPALIER_BASE_MEM_H
#define ESPALIER_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { MEM_ALIGN = 64 }; /* bytes: a cache line, and the widest vector */

/* Zeroed array of count elements of size bytes, aligned to MEM_ALIGN, freed with free(). A count of
 * 0 gives a valid pointer. Refuses products that overflow. `*out` is untouched on failure.
 * Call as mem_alloc(&p, n, sizeof *p, err): out is the address of any object pointer. */
status mem_alloc(void *out, size_t count, size_t size, struct error *err);

/* As mem_alloc without zeroing, for large buffers that are written before they are read. */
status mem_alloc_raw(void *out, size_t count, size_t size, struct error *err);

/* Makes room for `need` elements of size bytes in the array *out with capacity *cap (elements),
 * growing by half. Memory comes from realloc: free with free(). */
status mem_reserve(void *out, size_t *cap, size_t need, size_t size, struct error *err);

/* Copy of n bytes with a NUL behind; the caller frees it. */
status mem_dup(char **out, const char *from, size_t n, struct error *err);

/* A growing list of token ids; zero-initialise, free with ids_free. */
struct ids {
  int32_t *at;
  size_t count, cap;
};

status ids_push(struct ids *ids, int32_t id, struct error *err);
status ids_append(struct ids *ids, const int32_t *from, size_t count, struct error *err);
void ids_free(struct ids *ids);

#endif
