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

static size_t linear_bytes(const struct model *m, const struct linear *l) {
  size_t bytes = packed_bytes(l->rows, l->cols, model_precision(m));
  return (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
}

size_t block_window_bytes(const struct model *m) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  size_t bytes = 0;
  for (int i = 0; i < count; i++) {
    bytes += linear_bytes(m, &linears[i]);
  }
  return bytes;
}

/* place: of the linears' weights, or NULL for memory of their own. */
static status allocate(struct block *b, char *place, struct error *err) {
  size_t count = (size_t)b->count;
  TRY(mem_alloc(&b->weights, count, sizeof(struct packed *), err));
  TRY(mem_alloc(&b->biases, count, sizeof *b->biases, err));
  for (int i = 0; i < b->count; i++) {
    const struct linear *l = &b->linears[i];
    TRY(packed_create_in(&b->weights[i], l->rows, l->cols, model_precision(b->model), place, err));
    place = place ? place + linear_bytes(b->model, l) : NULL;
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

static status create(struct block **out, const struct model *m, const struct window *window,
                     size_t at, struct error *err) {
  struct block *b;
  TRY(mem_alloc(&b, 1, sizeof *b, err));
  b->together = window;
  b->model = m;
  b->config = model_config(m);
  b->linears = model_linears(m, &b->count);
  index_linears(b);
  status st = allocate(b, window ? (char *)window->at + at : NULL, err);
  if (st != STATUS_OK) {
    block_free(b);
    return st;
  }
  *out = b;
  return STATUS_OK;
}

status block_create(struct block **out, const struct model *m, struct error *err) {
  return create(out, m, NULL, 0, err);
}

status block_create_within(struct block **out, const struct model *m, const struct window *window,
                           size_t at, struct error *err) {
  return create(out, m, window, at, err);
}

status block_create_shared(struct block **out, const struct model *m, const struct group *group,
                           struct error *err) {
  if (group->size == 1) {
    return block_create(out, m, err);
  }
  struct window window;
  TRY(window_open(&window, group, block_window_bytes(m), "a block's weights", err));
  struct block *b = NULL;
  status st = group_agree(group, create(&b, m, &window, 0, err), err);
  if (st != STATUS_OK || !b) {
    block_free(b);
    window_close(&window);
    return st;
  }
  b->own = window;
  b->together = &b->own;
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
  window_close(&b->own);
  free(b->weights);
  free(b->biases);
  free(b);
}

/* The rows that this rank fills: whole tiles. */
static void share_rows(const struct block *b, int linear, int *first, int *end) {
  int rows = b->linears[linear].rows;
  *first = 0;
  *end = rows;
  if (b->together) {
    size_t from, until, tiles = ((size_t)rows + PRODUCT_TILE - 1) / PRODUCT_TILE;
    window_share(b->together, tiles, &from, &until);
    *first = (int)from * PRODUCT_TILE;
    *end = until == tiles ? rows : (int)until * PRODUCT_TILE;
  }
}

void block_set_linear(struct block *b, int linear, const float *w) {
  int first, end;
  share_rows(b, linear, &first, &end);
  packed_fill_rows(b->weights[linear], first, end - first,
                   w + (size_t)first * (size_t)b->linears[linear].cols);
}

status block_meet(const struct block *b, struct error *err) {
  return b->together ? window_meet(b->together, STATUS_OK, err) : STATUS_OK;
}

/* Of w, the whole linear, elements start .. end - 1. */
static status check_pruned(const struct model *m, int index, int linear, const float *w,
                           size_t start, size_t end, struct error *err) {
  for (size_t i = start; i < end; i++) {
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
  int first, end;
  share_rows(b, linear, &first, &end);
  size_t cols = (size_t)l->cols;
  if (overlay && overlay_has(overlay, index, linear)) {
    const float *w = overlay_weights(overlay, index, linear);
    TRY(check_pruned(b->model, index, linear, w, (size_t)first * cols, (size_t)end * cols, err));
    packed_fill_rows(b->weights[linear], first, end - first, w + (size_t)first * cols);
  } else {
    TRY(model_linear_read_rows(b->model, index, linear, first, end - first, read, err));
    packed_fill_rows(b->weights[linear], first, end - first, read);
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

/* That this rank fills. */
static size_t share_elements(const struct block *b, int linear) {
  int first, end;
  share_rows(b, linear, &first, &end);
  return (size_t)(end - first) * (size_t)b->linears[linear].cols;
}

/* read: room for the router, and for this rank's share of any linear. */
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

static status load_share(struct block *b, int index, const struct overlay *overlay,
                         struct error *err) {
  size_t largest = (size_t)b->config->experts * (size_t)b->config->hidden;
  for (int i = 0; i < b->count; i++) {
    size_t size = share_elements(b, i);
    largest = size > largest ? size : largest;
  }
  float *read;
  TRY(mem_alloc_raw(&read, largest, sizeof *read, err));
  b->index = index;
  status st = load_all(b, index, overlay, read, err);
  free(read);
  return st;
}

status block_load(struct block *b, int index, const struct overlay *overlay, struct error *err) {
  TRY(block_meet(b, err)); /* nobody reads any more what was there */
  status st = load_share(b, index, overlay, err);
  return b->together ? window_meet(b->together, st, err) : st;
}
