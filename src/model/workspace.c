#include "model/workspace.h"

#include <stdlib.h>

#include "base/mem.h"

static status prepare_attention(struct workspace *w, struct error *err) {
  TRY(attention_kernels_create(&w->attention, w->precision, err));
  if (w->config->position == POSITION_ALIBI) {
    TRY(mem_alloc(&w->slopes, (size_t)w->config->heads, sizeof *w->slopes, err));
    attention_slopes(w->config->heads, w->slopes);
  }
  return STATUS_OK;
}

status workspace_create(struct workspace **out, const struct model *m, struct error *err) {
  struct workspace *w;
  TRY(mem_alloc(&w, 1, sizeof *w, err));
  w->model = m;
  w->config = model_config(m);
  w->precision = model_precision(m);
  status st = prepare_attention(w, err);
  if (st != STATUS_OK) {
    workspace_free(w);
    return st;
  }
  *out = w;
  return STATUS_OK;
}

void workspace_free(struct workspace *w) {
  if (!w) {
    return;
  }
  entrance_free(&w->entrance);
  head_free(&w->head);
  for (int i = 0; i < ROPE_USES; i++) {
    rope_free(&w->ropes[i]);
  }
  attention_kernels_free(&w->attention);
  free(w->slopes);
  free(w->beyond);
  free(w->routing.rows);
  free(w->positions);
  free(w->tiles);
  struct buffer *all[] = {
      &w->normed,     &w->beside,      &w->branch, &w->fused,     &w->q,
      &w->k,          &w->v,           &w->gate,   &w->up,        &w->queries,
      &w->keys,       &w->values,      &w->seen,   &w->scores,    &w->routing.shares,
      &w->routing.in, &w->routing.out, &w->rows,   &w->projected, &w->ready};
  enum { BUFFERS = sizeof all / sizeof(struct buffer *) };
  for (int i = 0; i < BUFFERS; i++) {
    free(all[i]->at);
  }
  free(w->targets);
  free(w->starts);
  free(w->partials);
  free(w);
}

status buffer_fit(struct buffer *b, size_t rows, size_t cols, struct error *err) {
  size_t need;
  if (__builtin_mul_overflow(rows, cols, &need)) {
    return err_set(err, STATUS_MEMORY, "out of memory: %zu rows of %zu numbers", rows, cols);
  }
  if (need <= b->cap) {
    return STATUS_OK;
  }
  free(b->at);
  *b = (struct buffer){0};
  TRY(mem_alloc_raw(&b->at, need, sizeof *b->at, err));
  b->cap = need;
  return STATUS_OK;
}

static bool inside(int32_t first, int32_t length, int32_t end) {
  return first >= 0 && length >= 0 && first <= end && length <= end - first;
}

/* Longest sequence of the batch, with what precedes it. */
static status check_spans(const struct workspace *w, const struct batch *batch, int *longest,
                          struct error *err) {
  int32_t next = 0;
  *longest = 0;
  for (int32_t i = 0; i < batch->count; i++) {
    const struct span *s = batch->spans + i;
    if (s->first != next || s->length < 1 || !inside(s->first, s->length, batch->tokens) ||
        !inside(s->prefix_first, s->prefix_length, s->first)) {
      return err_set(err, STATUS_BUG, "span %d of the batch: rows %d + %d behind %d + %d", i,
                     s->first, s->length, s->prefix_first, s->prefix_length);
    }
    if (s->length > w->config->positions - s->prefix_length) {
      return err_set(err, STATUS_INPUT, "a sequence of %lld tokens: the model has %d positions",
                     (long long)s->prefix_length + s->length, w->config->positions);
    }
    next += s->length;
    int end = s->prefix_length + s->length;
    *longest = end > *longest ? end : *longest;
  }
  if (next != batch->tokens) {
    return err_set(err, STATUS_BUG, "a batch of %d tokens whose spans hold %d", batch->tokens,
                   next);
  }
  return STATUS_OK;
}

/* What only some families need. */
static status fit_extras(struct workspace *w, size_t tokens, struct error *err) {
  const struct model_config *c = w->config;
  const struct model *m = w->model;
  size_t hidden = (size_t)c->hidden, widest = 0;
  if (c->block == BLOCK_PARALLEL && model_has(m, SLOT_MLP_NORM, 0)) {
    TRY(buffer_fit(&w->beside, tokens, hidden, err));
  }
  if (c->experts > 0 || c->residual_scale != 1 || model_has(m, SLOT_ATTENTION_OUT_NORM, 0) ||
      model_has(m, SLOT_MLP_OUT_NORM, 0)) {
    TRY(buffer_fit(&w->branch, tokens, hidden, err));
  }
  if (c->qkv != QKV_APART) {
    widest = ((size_t)c->heads + 2 * (size_t)c->kv_heads) * (size_t)c->head_dim;
  }
  if (c->gate_up_fused && 2 * (size_t)c->ffn > widest) {
    widest = 2 * (size_t)c->ffn;
  }
  TRY(buffer_fit(&w->fused, tokens, widest, err));
  if (c->experts > 0) {
    TRY(buffer_fit(&w->routing.shares, tokens, (size_t)c->experts, err));
    TRY(buffer_fit(&w->routing.in, tokens, hidden, err));
    TRY(buffer_fit(&w->routing.out, tokens, hidden, err));
    TRY(mem_reserve(&w->routing.rows, &w->routing.rows_cap, tokens, sizeof(int32_t), err));
  }
  return STATUS_OK;
}

/* A span that is continued is rotated as its continuations are, which must agree: all positions of
 * a sequence use the frequencies of its whole length. */
static status choose_rotation(struct workspace *w, const struct batch *batch, struct error *err) {
  TRY(mem_reserve(&w->beyond, &w->beyond_cap, (size_t)batch->count, sizeof *w->beyond, err));
  int original = w->config->rope_original;
  for (int32_t i = 0; i < batch->count; i++) {
    w->beyond[i] = batch->spans[i].prefix_length + batch->spans[i].length > original;
  }
  for (int32_t i = 0, prefix = 0, continued = -1; i < batch->count; i++) {
    const struct span *s = batch->spans + i;
    if (s->prefix_length == 0) {
      continue;
    }
    while (prefix + 1 < i && batch->spans[prefix + 1].first <= s->prefix_first) {
      prefix++;
    }
    while (batch->spans[prefix].first > s->prefix_first) {
      prefix--;
    }
    if (continued == prefix && w->beyond[prefix] != w->beyond[i]) {
      return err_set(err, STATUS_UNSUPPORTED,
                     "continuations of up to %d tokens and longer ones share a context: this "
                     "model's rotation differs between them",
                     original);
    }
    continued = prefix;
    w->beyond[prefix] = w->beyond[i];
  }
  return STATUS_OK;
}

static status fit_ropes(struct workspace *w, const struct batch *batch, int longest,
                        struct error *err) {
  const struct model_config *c = w->config;
  TRY(rope_reserve(&w->ropes[ROPE_USUAL], c, ROPE_USUAL, longest, err));
  if (c->rope_window_theta > 0) {
    TRY(rope_reserve(&w->ropes[ROPE_WINDOW], c, ROPE_WINDOW, longest, err));
  }
  if (c->rope_scaling == ROPE_LONG) {
    TRY(rope_reserve(&w->ropes[ROPE_BEYOND], c, ROPE_BEYOND, longest, err));
    TRY(choose_rotation(w, batch, err));
  }
  return STATUS_OK;
}

status workspace_fit(struct workspace *w, const struct batch *batch, struct error *err) {
  const struct model_config *c = w->config;
  int longest;
  TRY(check_spans(w, batch, &longest, err));
  size_t tokens = (size_t)batch->tokens;
  size_t queries = (size_t)c->heads * (size_t)c->head_dim;
  size_t keys = (size_t)c->kv_heads * (size_t)c->head_dim;
  TRY(mem_reserve(&w->positions, &w->positions_cap, tokens, sizeof *w->positions, err));
  TRY(mem_reserve(&w->tiles, &w->tiles_cap, attention_tiles(batch, NULL), sizeof *w->tiles, err));
  TRY(buffer_fit(&w->normed, tokens, (size_t)c->hidden, err));
  TRY(buffer_fit(&w->q, tokens, queries, err));
  TRY(buffer_fit(&w->k, tokens, keys, err));
  TRY(buffer_fit(&w->v, tokens, keys, err));
  if (w->precision != PRECISION_FLOAT32) {
    TRY(buffer_fit(&w->queries, tokens, queries, err));
    TRY(buffer_fit(&w->keys, tokens, keys, err));
    TRY(buffer_fit(&w->values, tokens, keys, err));
  }
  TRY(buffer_fit(&w->up, tokens, (size_t)c->ffn, err));
  if (c->gated) {
    TRY(buffer_fit(&w->gate, tokens, (size_t)c->ffn, err));
  }
  TRY(fit_extras(w, tokens, err));
  TRY(buffer_fit(&w->scores, (size_t)linalg_threads(),
                 attention_scratch(batch, c->head_dim, w->precision), err));
  if (c->position == POSITION_ROPE_HALF || c->position == POSITION_ROPE_INTERLEAVED) {
    TRY(fit_ropes(w, batch, longest, err));
  }
  w->tile_count = attention_tiles(batch, w->tiles);
  for (int32_t i = 0; i < batch->count; i++) {
    const struct span *s = batch->spans + i;
    for (int32_t t = 0; t < s->length; t++) {
      w->positions[s->first + t] = s->prefix_length + t;
    }
  }
  return STATUS_OK;
}

void workspace_narrow(const struct workspace *w, const float *x, size_t count, void *to) {
  enum { CHUNK = 4096 };
#pragma omp parallel for schedule(static)
  for (size_t first = 0; first < count; first += CHUNK) {
    size_t left = count - first;
    operand_narrow(w->precision, x + first, left < CHUNK ? left : CHUNK,
                   operand_at(w->precision, to, first));
  }
}

status packed_load(struct packed **out, const struct model *m, enum slot slot, int rows, int cols,
                   struct error *err) {
  if (!model_has(m, slot, 0)) {
    return STATUS_OK;
  }
  float *read;
  TRY(mem_alloc_raw(&read, (size_t)rows * (size_t)cols, sizeof *read, err));
  status st = model_read(m, slot, 0, 0, 0, read, err);
  if (st == STATUS_OK) {
    st = packed_create(out, rows, cols, model_precision(m), err);
  }
  if (st == STATUS_OK) {
    packed_fill(*out, read);
  }
  free(read);
  return st;
}

status norm_read(const struct model *m, enum slot slot, int block, float *out, int count,
                 struct error *err) {
  TRY(model_read(m, slot, block, 0, 0, out, err));
  for (int i = 0; model_config(m)->norm_plus_one && i < count; i++) {
    out[i] += 1;
  }
  return STATUS_OK;
}

status norm_load(float **weight, float **bias, const struct model *m, enum slot slot, int width,
                 struct error *err) {
  if (model_has(m, slot, 0)) {
    TRY(mem_alloc(weight, (size_t)width, sizeof **weight, err));
    TRY(norm_read(m, slot, 0, *weight, width, err));
  }
  if (model_has_bias(m, slot, 0)) {
    TRY(mem_alloc(bias, (size_t)width, sizeof **bias, err));
    TRY(model_read_bias(m, slot, 0, *bias, err));
  }
  return STATUS_OK;
}
