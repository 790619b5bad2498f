#include "model/overlay.h"

#include <stdlib.h>

#include "base/mapping.h"
#include "base/mem.h"

struct overlay {
  int blocks, linears;
  size_t *first;    /* [linears]: floats from a block's start to the linear's weights */
  size_t per_block; /* floats */
  struct mapping mapping;
  float *weights; /* [blocks][per_block], the mapping's */
  bool *marked;   /* [blocks][linears] */
};

enum { LINE = MEM_ALIGN / sizeof(float) };

static status lay_out(struct overlay *o, const struct model *m, struct error *err) {
  const struct linear *linears = model_linears(m, &o->linears);
  o->blocks = model_blocks(m);
  TRY(mem_alloc(&o->first, (size_t)o->linears, sizeof *o->first, err));
  TRY(mem_alloc(&o->marked, (size_t)o->blocks * (size_t)o->linears, sizeof *o->marked, err));
  for (int i = 0; i < o->linears; i++) {
    size_t floats = (size_t)linears[i].rows * (size_t)linears[i].cols;
    o->first[i] = o->per_block;
    o->per_block += (floats + LINE - 1) / LINE * LINE;
  }
  return STATUS_OK;
}

status overlay_create(struct overlay **out, const struct model *m, const char *scratch,
                      struct error *err) {
  struct overlay *o;
  TRY(mem_alloc(&o, 1, sizeof *o, err));
  status st = lay_out(o, m, err);
  if (st == STATUS_OK) {
    size_t bytes = (size_t)o->blocks * o->per_block * sizeof *o->weights;
    st = mapping_open(&o->mapping, bytes, scratch, "pruned weights", err);
    o->weights = o->mapping.at;
  }
  if (st != STATUS_OK) {
    overlay_free(o);
    return st;
  }
  *out = o;
  return STATUS_OK;
}

void overlay_free(struct overlay *o) {
  if (!o) {
    return;
  }
  mapping_close(&o->mapping);
  free(o->first);
  free(o->marked);
  free(o);
}

static size_t place(const struct overlay *o, int block, int linear) {
  return (size_t)block * (size_t)o->linears + (size_t)linear;
}

float *overlay_weights(struct overlay *o, int block, int linear) {
  return o->weights + (size_t)block * o->per_block + o->first[linear];
}

void overlay_mark(struct overlay *o, int block, int linear) {
  o->marked[place(o, block, linear)] = true;
}

bool overlay_has(const struct overlay *o, int block, int linear) {
  return o->marked[place(o, block, linear)];
}

void overlay_clear(struct overlay *o) {
  for (size_t i = 0; i < (size_t)o->blocks * (size_t)o->linears; i++) {
    o->marked[i] = false;
  }
  mapping_drop(&o->mapping);
}
