#include "sched/mask_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/mask_record.h"

enum { PART_BYTES = 4 << 20 }; /* of bits; one tensor may take more */

/* Linears of all blocks, one after the other. */
struct walk {
  const struct model *m;
  const struct linear *linears;
  int per_block;
  size_t count;
};

static struct walk walk_of(const struct model *m) {
  struct walk w = {.m = m};
  w.linears = model_linears(m, &w.per_block);
  w.count = (size_t)w.per_block * (size_t)model_blocks(m);
  return w;
}

static const struct linear *at(const struct walk *w, size_t i) {
  return &w->linears[i % (size_t)w->per_block];
}

/* Where the part that begins at `first` ends. */
static size_t part_end(const struct walk *w, size_t first) {
  size_t bytes = 0, i = first;
  for (; i < w->count; i++) {
    bytes += mask_bytes(at(w, i)->rows, at(w, i)->cols);
    if (i > first && bytes > PART_BYTES) {
      break;
    }
  }
  return i;
}

int mask_parts(const struct model *m) {
  struct walk w = walk_of(m);
  int parts = 0;
  for (size_t i = 0; i < w.count; i = part_end(&w, i)) {
    parts++;
  }
  return parts;
}

static status name_tensor(const struct walk *w, size_t i, struct mask_bits *t, struct error *err) {
  char *name;
  TRY(model_linear_name(w->m, (int)(i / (size_t)w->per_block), (int)(i % (size_t)w->per_block),
                        &name, err));
  status st = STATUS_OK;
  if ((size_t)snprintf(t->name, sizeof t->name, "%s", name) >= sizeof t->name) {
    st = err_set(err, STATUS_UNSUPPORTED, "tensor %s: a name of more than %zu bytes", name,
                 sizeof t->name - 1);
  }
  free(name);
  return st;
}

static status pack_weights(const struct walk *w, size_t i, struct overlay *overlay,
                           const struct linear *l, unsigned char *bits, struct error *err) {
  int block = (int)(i / (size_t)w->per_block), linear = (int)(i % (size_t)w->per_block);
  if (overlay_has(overlay, block, linear)) {
    mask_pack(overlay_weights(overlay, block, linear), l->rows, l->cols, bits);
    return STATUS_OK;
  }
  float *weights;
  TRY(mem_alloc_raw(&weights, (size_t)l->rows * (size_t)l->cols, sizeof *weights, err));
  status st = model_linear_read(w->m, block, linear, weights, err);
  if (st == STATUS_OK) {
    mask_pack(weights, l->rows, l->cols, bits);
  }
  free(weights);
  return st;
}

/* *bytes gets what the tensor points to; the caller frees it. */
static status make_tensor(const struct walk *w, size_t i, struct overlay *overlay,
                          struct mask_bits *t, unsigned char **bytes, struct error *err) {
  const struct linear *l = at(w, i);
  TRY(name_tensor(w, i, t, err));
  t->rows = l->rows;
  t->cols = l->cols;
  t->size = mask_bytes(l->rows, l->cols);
  TRY(mem_alloc_raw(bytes, t->size, 1, err));
  TRY(pack_weights(w, i, overlay, l, *bytes, err));
  unsigned char *less;
  size_t size;
  TRY(mask_deflate(*bytes, t->size, &less, &size, err));
  if (less) {
    free(*bytes);
    *bytes = less;
    t->size = size;
    t->deflated = true;
  }
  t->bytes = *bytes;
  return STATUS_OK;
}

static status encode(const struct walk *w, size_t first, size_t end, struct overlay *overlay,
                     struct mask_record *r, unsigned char **out, size_t *size, struct error *err) {
  size_t count = end - first;
  unsigned char **bytes;
  TRY(mem_alloc(&bytes, count, sizeof *bytes, err));
  status st = mem_alloc(&r->tensors, count, sizeof *r->tensors, err);
  for (size_t i = 0; st == STATUS_OK && i < count; i++) {
    st = make_tensor(w, first + i, overlay, &r->tensors[i], &bytes[i], err);
  }
  if (st == STATUS_OK) {
    r->count = count;
    st = record_encode_masks(r, out, size, err);
  }
  for (size_t i = 0; i < count; i++) {
    free(bytes[i]);
  }
  free(bytes);
  mask_record_free(r);
  return st;
}

status mask_parts_encode(const struct model *m, struct overlay *overlay, const char *variant,
                         int part, unsigned char **out, size_t *size, struct error *err) {
  struct walk w = walk_of(m);
  size_t first = 0;
  for (int i = 0; i < part; i++) {
    first = part_end(&w, first);
  }
  struct mask_record r = {.part = part, .parts = mask_parts(m)};
  (void)snprintf(r.variant, sizeof r.variant, "%s", variant);
  return encode(&w, first, part_end(&w, first), overlay, &r, out, size, err);
}
