#include "model/overlay.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/window.h"

struct overlay {
  int blocks, linears;
  size_t *first;        /* [linears]: floats from a block's start to the linear's weights */
  size_t *size;         /* [linears]: floats */
  size_t per_block;     /* floats */
  struct window window; /* whose mapping the weights are in; size 1: this process's own */
  float *weights;       /* [blocks][per_block] */
  bool *marked;         /* [blocks][linears] */
};

enum { LINE = MEM_ALIGN / sizeof(float) };

static status lay_out(struct overlay *o, const struct model *m, struct error *err) {
  const struct linear *linears = model_linears(m, &o->linears);
  o->blocks = model_blocks(m);
  TRY(mem_alloc(&o->first, (size_t)o->linears, sizeof *o->first, err));
  TRY(mem_alloc(&o->size, (size_t)o->linears, sizeof *o->size, err));
  TRY(mem_alloc(&o->marked, (size_t)o->blocks * (size_t)o->linears, sizeof *o->marked, err));
  for (int i = 0; i < o->linears; i++) {
    size_t floats = (size_t)linears[i].rows * (size_t)linears[i].cols;
    o->first[i] = o->per_block;
    o->size[i] = floats;
    o->per_block += (floats + LINE - 1) / LINE * LINE;
  }
  return STATUS_OK;
}

static status create(struct overlay **out, const struct model *m, struct error *err) {
  struct overlay *o;
  TRY(mem_alloc(&o, 1, sizeof *o, err));
  o->window = (struct window){.group = group_single(), .size = 1};
  status st = lay_out(o, m, err);
  if (st != STATUS_OK) {
    overlay_free(o);
    return st;
  }
  *out = o;
  return STATUS_OK;
}

static size_t bytes_of(const struct overlay *o) {
  return (size_t)o->blocks * o->per_block * sizeof *o->weights;
}

static const char PURPOSE[] = "pruned weights";

status overlay_create(struct overlay **out, const struct model *m, const char *scratch,
                      struct error *err) {
  struct overlay *o;
  TRY(create(&o, m, err));
  status st = mapping_open(&o->window.mapping, bytes_of(o), scratch, PURPOSE, err);
  if (st != STATUS_OK) {
    overlay_free(o);
    return st;
  }
  o->weights = o->window.mapping.at;
  *out = o;
  return STATUS_OK;
}

status overlay_create_shared(struct overlay **out, const struct model *m, const struct group *group,
                             struct error *err) {
  struct overlay *o = NULL;
  status st = group_agree(group, create(&o, m, err), err);
  if (st == STATUS_OK && o) {
    st = window_open(&o->window, group, bytes_of(o), PURPOSE, err);
  }
  if (st != STATUS_OK || !o) {
    overlay_free(o);
    return st;
  }
  o->weights = o->window.at;
  *out = o;
  return STATUS_OK;
}

void overlay_free(struct overlay *o) {
  if (!o) {
    return;
  }
  window_close(&o->window);
  free(o->first);
  free(o->size);
  free(o->marked);
  free(o);
}

static size_t place(const struct overlay *o, int block, int linear) {
  return (size_t)block * (size_t)o->linears + (size_t)linear;
}

static float *at(const struct overlay *o, int block, int linear) {
  return o->weights + (size_t)block * o->per_block + o->first[linear];
}

void overlay_put(struct overlay *o, int block, int linear, const float *weights) {
  size_t first, end;
  window_share(&o->window, o->size[linear], &first, &end);
  memcpy(at(o, block, linear) + first, weights + first, (end - first) * sizeof *weights);
  o->marked[place(o, block, linear)] = true;
}

status overlay_meet(const struct overlay *o, status mine, struct error *err) {
  return window_meet(&o->window, mine, err);
}

const float *overlay_weights(const struct overlay *o, int block, int linear) {
  return at(o, block, linear);
}

bool overlay_has(const struct overlay *o, int block, int linear) {
  return o->marked[place(o, block, linear)];
}

void overlay_clear(struct overlay *o) {
  for (size_t i = 0; i < (size_t)o->blocks * (size_t)o->linears; i++) {
    o->marked[i] = false;
  }
  mapping_drop(&o->window.mapping);
}
