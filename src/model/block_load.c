#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/block.h"

static const enum slot norms[] = {SLOT_ATTENTION_NORM, SLOT_MLP_NORM};
enum { NORMS = sizeof norms / sizeof *norms };

static status allocate(struct block *b, struct error *err) {
  int count;
  const struct linear *linears = model_linears(b->model, &count);
  for (int i = 0; i < count; i++) {
    enum slot slot = model_linear_slot(b->model, i);
    TRY(packed_create(&b->weights[slot], linears[i].rows, linears[i].cols, err));
    TRY(mem_alloc(&b->bias[slot], (size_t)linears[i].rows, sizeof **b->bias, err));
    b->input[slot] = linears[i].input;
  }
  for (int i = 0; i < NORMS; i++) {
    size_t width = (size_t)b->config->hidden;
    TRY(mem_alloc(&b->norm[norms[i]], width, sizeof **b->norm, err));
    TRY(mem_alloc(&b->bias[norms[i]], width, sizeof **b->bias, err));
  }
  return STATUS_OK;
}

status block_create(struct block **out, const struct model *m, struct error *err) {
  struct block *b;
  TRY(mem_alloc(&b, 1, sizeof *b, err));
  b->model = m;
  b->config = model_config(m);
  status st = allocate(b, err);
  if (st != STATUS_OK) {
    block_free(b);
    return st;
  }
  *out = b;
  return STATUS_OK;
}

void block_free(struct block *b) {
  if (!b) {
    return;
  }
  for (int s = 0; s < SLOT_COUNT; s++) {
    packed_free(b->weights[s]);
    free(b->norm[s]);
    free(b->bias[s]);
  }
  free(b);
}

void block_set_linear(struct block *b, int linear, const float *w) {
  packed_fill(b->weights[model_linear_slot(b->model, linear)], w);
}

static status load_bias(struct block *b, enum slot slot, int index, struct error *err) {
  b->biased[slot] = model_has_bias(b->model, slot, index);
  return b->biased[slot] ? model_read_bias(b->model, slot, index, b->bias[slot], err) : STATUS_OK;
}

static status check_pruned(const struct model *m, int index, int linear, const float *w,
                           size_t count, struct error *err) {
  for (size_t i = 0; i < count; i++) {
    if (!isfinite(w[i])) {
      char *name;
      TRY(model_linear_name(m, index, linear, &name, err));
      status st =
          err_set(err, STATUS_NUMERIC, "pruned %s: element %zu is not a finite number", name, i);
      free(name);
      return st;
    }
  }
  return STATUS_OK;
}

/* read: room for the block's largest linear. */
static status load_linear(struct block *b, int index, int linear, const struct linear *l,
                          const struct overlay *overlay, float *read, struct error *err) {
  if (overlay && overlay_has(overlay, index, linear)) {
    /* overlay_weights hands out writable memory, hence its argument; this only reads. */
    const float *w = overlay_weights((struct overlay *)overlay, index, linear);
    TRY(check_pruned(b->model, index, linear, w, (size_t)l->rows * (size_t)l->cols, err));
    block_set_linear(b, linear, w);
  } else {
    TRY(model_linear_read(b->model, index, linear, read, err));
    block_set_linear(b, linear, read);
  }
  return load_bias(b, model_linear_slot(b->model, linear), index, err);
}

status block_load(struct block *b, int index, const struct overlay *overlay, struct error *err) {
  int count;
  const struct linear *linears = model_linears(b->model, &count);
  size_t largest = 0;
  for (int i = 0; i < count; i++) {
    size_t size = (size_t)linears[i].rows * (size_t)linears[i].cols;
    largest = size > largest ? size : largest;
  }
  float *read;
  TRY(mem_alloc_raw(&read, largest, sizeof *read, err));
  status st = STATUS_OK;
  for (int i = 0; i < count; i++) {
    TRY_GOTO(st, done, load_linear(b, index, i, linears + i, overlay, read, err));
  }
  for (int i = 0; i < NORMS; i++) {
    TRY_GOTO(st, done, model_read(b->model, norms[i], index, 0, 0, b->norm[norms[i]], err));
    TRY_GOTO(st, done, load_bias(b, norms[i], index, err));
  }
done:
  free(read);
  return st;
}
