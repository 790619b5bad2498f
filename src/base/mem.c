#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static status refuse(struct error *err, size_t count, size_t size) {
  return err_set(err, STATUS_MEMORY, "out of memory: %zu elements of %zu bytes", count, size);
}

status mem_alloc_raw(void *out, size_t count, size_t size, struct error *err) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX / 2) {
    return refuse(err, count, size);
  }
  bytes = (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
  void *p = aligned_alloc(MEM_ALIGN, bytes ? bytes : MEM_ALIGN);
  if (!p) {
    return refuse(err, count, size);
  }
  memcpy(out, &p, sizeof(void *));
  return STATUS_OK;
}

status mem_alloc(void *out, size_t count, size_t size, struct error *err) {
  TRY(mem_alloc_raw(out, count, size, err));
  void *p;
  memcpy(&p, out, sizeof(void *));
  memset(p, 0, count * size);
  return STATUS_OK;
}

status mem_reserve(void *out, size_t *cap, size_t need, size_t size, struct error *err) {
  if (need <= *cap) {
    return STATUS_OK;
  }
  size_t grown = *cap + *cap / 2;
  grown = grown < need ? need : grown;
  grown = grown < 8 ? 8 : grown;
  size_t bytes;
  if (__builtin_mul_overflow(grown, size, &bytes)) {
    return refuse(err, grown, size);
  }
  void *p;
  memcpy(&p, out, sizeof(void *));
  p = realloc(p, bytes);
  if (!p) {
    return refuse(err, grown, size);
  }
  memcpy(out, &p, sizeof(void *));
  *cap = grown;
  return STATUS_OK;
}

status mem_dup(char **out, const char *from, size_t n, struct error *err) {
  char *p = malloc(n + 1);
  if (!p) {
    return refuse(err, n + 1, 1);
  }
  if (n) {
    memcpy(p, from, n);
  }
  p[n] = '\0';
  *out = p;
  return STATUS_OK;
}

status ids_append(struct ids *ids, const int32_t *from, size_t count, struct error *err) {
  TRY(mem_reserve(&ids->at, &ids->cap, ids->count + count, sizeof *ids->at, err));
  if (count) {
    memcpy(ids->at + ids->count, from, count * sizeof *from);
  }
  ids->count += count;
  return STATUS_OK;
}

status ids_push(struct ids *ids, int32_t id, struct error *err) {
  return ids_append(ids, &id, 1, err);
}

void ids_free(struct ids *ids) {
  free(ids->at);
  *ids = (struct ids){0};
}
