#include "data/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CHUNK = 1 << 16, ALIGN = 16 };

struct chunk {
  struct chunk *next;
  size_t used, size;
  unsigned char *at;
};

struct arena {
  struct chunk *first;
};

status arena_create(struct arena **out, struct error *err) {
  return mem_alloc(out, 1, sizeof **out, err);
}

void arena_free(struct arena *a) {
  if (!a) {
    return;
  }
  for (struct chunk *c = a->first; c;) {
    struct chunk *next = c->next;
    free(c->at);
    free(c);
    c = next;
  }
  free(a);
}

static status chunk_add(struct arena *a, size_t bytes, struct error *err) {
  struct chunk *c;
  TRY(mem_alloc(&c, 1, sizeof *c, err));
  c->size = bytes > CHUNK ? bytes : CHUNK;
  status st = mem_alloc(&c->at, c->size, 1, err);
  if (st != STATUS_OK) {
    free(c);
    return st;
  }
  c->next = a->first;
  a->first = c;
  return STATUS_OK;
}

status arena_alloc(struct arena *a, void *out, size_t bytes, struct error *err) {
  if (bytes > SIZE_MAX - ALIGN) {
    return err_set(err, STATUS_MEMORY, "%zu bytes asked for", bytes);
  }
  bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
  if (!a->first || a->first->size - a->first->used < bytes) {
    TRY(chunk_add(a, bytes, err));
  }
  void *at = a->first->at + a->first->used;
  a->first->used += bytes;
  memcpy(out, &at, sizeof at);
  return STATUS_OK;
}

status arena_dup(struct arena *a, char **out, const char *from, size_t n, struct error *err) {
  char *copy = NULL;
  TRY(arena_alloc(a, &copy, n + 1, err));
  if (n) {
    memcpy(copy, from, n);
  }
  *out = copy;
  return STATUS_OK;
}
