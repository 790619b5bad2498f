#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/block.h"

static const enum slot norms[] = {
    SLOT_ATTENTION_NORM, SLOT_ATTENTION_OUT_NORM, SLOT_MLP_NORM, SLOT_MLP_OUT_NORM, SLOT_Q_NORM,
    SLOT_K_NORM,
};
enum { NORMS = sizeof norms / sizeof *norms };

/* Numbers of a block's norm. */
static size_t norm_width(const struct model_config *c, enum slot slot) {
  if (slot != SLOT_Q_NORM && slot != SLOT_K_NORM) {
    return (size_t)c->hidden;
  }
  size_t heads = (size_t)(slot == SLOT_Q_NORM ? c->heads : c->kv_heads);
  return (c->qk_norm == QK_NORM_SHARED ? 1 : heads) * (size_t)c->head_dim;
}

static status allocate_norms(struct block *b, struct error *err) {
  for (int i = 0; i < NORMS; i++) {
    enum slot slot = norms[i];
    size_t width = norm_width(b->config, slot);
    if (model_has(b->model, slot, 0)) {
      TRY(mem_alloc(&b->norm[slot], width, sizeof **b->norm, err));
    }
    if (model_has_bias(b->model, slot, 0)) {
      TRY(mem_alloc(&b->shift[slot], width, sizeof **b->shift, err));
    }
  }
  return STATUS_OK;
}

static status allocate(struct block *b, struct error *err) {
  size_t count = (size_t)b->count;
  TRY(mem_alloc(&b->weights, count, sizeof(struct packed *), err));
  TRY(mem_alloc(&b->biases, count, sizeof *b->biases, err));
  for (int i = 0; i < b->count; i++) {
    const struct linear *l = &b->linears[i];
    TRY(packed_create(&b->weights[i], l->rows, l->cols, model_precision(b->model), err));
    if (model_linear_has_bias(b->model, i)) {
      TRY(mem_alloc(&b->biases[i], (size_t)l->rows, sizeof **b->biases, err));
    }
  }
  if (b->config->experts > 0) {
    TRY(packed_create(&b->router, b->config->experts, b->config->hidden, model_precision(b->model),
                      err));
  }
  return allocate_norms(b, err);
}

static void index_linears(struct block *b) {
  for (int s = 0; s < SLOT_COUNT; s++) {
    b->first[s] = -1;
  }
  for (int i = b->count - 1; i >= 0; i--) {
    b->first[model_linear_slot(b->model, i)] = i;
    b->per_expert += model_linear_part(b->model, i) == 1;
  }
}

status block_create(struct block **out, const struct model *m, struct error *err) {
  struct block *b;
  TRY(mem_alloc(&b, 1, sizeof *b, err));
  b->model = m;
  b->config = model_config(m);
  b->linears = model_linears(m, &b->count);
  index_linears(b);
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
  for (int i = 0; i < b->count; i++) {
    packed_free(b->weights ? b->weights[i] : NULL);
    free(b->biases ? b->biases[i] : NULL);
  }
  for (int s = 0; s < SLOT_COUNT; s++) {
    free(b->norm[s]);
    free(b->shift[s]);
  }
  packed_free(b->router);
  free(b->weights);
  free(b->biases);
  free(b);
}

void block_set_linear(struct block *b, int linear, const float *w) {
  packed_fill(b->weights[linear], w);
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
  return b->biases[linear] ? model_linear_read_bias(b->model, index, linear, b->biases[linear], err)
                           : STATUS_OK;
}

static status load_norms(struct block *b, int index, struct error *err) {
  for (int i = 0; i < NORMS; i++) {
    enum slot slot = norms[i];
    if (b->norm[slot]) {
      int width = (int)norm_width(b->config, slot);
      TRY(norm_read(b->model, slot, index, b->norm[slot], width, err));
    }
    if (b->shift[slot]) {
      TRY(model_read_bias(b->model, slot, index, b->shift[slot], err));
    }
  }
  return STATUS_OK;
}

static size_t elements(const struct linear *l) {
  return (size_t)l->rows * (size_t)l->cols;
}

/* read: room for the router, and for any linear. */
static status load_all(struct block *b, int index, const struct overlay *overlay, float *read,
                       struct error *err) {
  for (int i = 0; i < b->count; i++) {
    TRY(load_linear(b, index, i, &b->linears[i], overlay, read, err));
  }
  if (b->router) {
    TRY(model_read(b->model, SLOT_ROUTER, index, 0, 0, read, err));
    packed_fill(b->router, read);
  }
  return load_norms(b, index, err);
}

status block_load(struct block *b, int index, const struct overlay *overlay, struct error *err) {
  size_t largest = (size_t)b->config->experts * (size_t)b->config->hidden;
  for (int i = 0; i < b->count; i++) {
    size_t size = elements(&b->linears[i]);
    largest = size > largest ? size : largest;
  }
  float *read;
  TRY(mem_alloc_raw(&read, largest, sizeof *read, err));
  b->index = index;
  status st = load_all(b, index, overlay, read, err);
  free(read);
  return st;
}
