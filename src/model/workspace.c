#include "model/workspace.h"

#include <stdlib.h>

#include "base/mem.h"

status workspace_create(struct workspace **out, const struct model *m, struct error *err) {
  struct workspace *w;
  TRY(mem_alloc(&w, 1, sizeof *w, err));
  w->model = m;
  w->config = model_config(m);
  if (w->config->position == POSITION_ALIBI) {
    status st = mem_alloc(&w->slopes, (size_t)w->config->heads, sizeof *w->slopes, err);
    if (st != STATUS_OK) {
      workspace_free(w);
      return st;
    }
    attention_slopes(w->config->heads, w->slopes);
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
  rope_free(&w->rope);
  free(w->slopes);
  free(w->positions);
  free(w->tiles);
  struct buffer *all[] = {&w->normed, &w->q,      &w->k,    &w->v,         &w->gate,
                          &w->up,     &w->scores, &w->rows, &w->projected, &w->logits};
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
  TRY(buffer_fit(&w->up, tokens, (size_t)c->ffn, err));
  if (c->gated) {
    TRY(buffer_fit(&w->gate, tokens, (size_t)c->ffn, err));
  }
  TRY(buffer_fit(&w->scores, (size_t)linalg_threads(), attention_scratch(batch), err));
  if (c->position == POSITION_ROPE_HALF || c->position == POSITION_ROPE_INTERLEAVED) {
    TRY(rope_reserve(&w->rope, c, longest, err));
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

status packed_load(struct packed **out, const struct model *m, enum slot slot, int rows, int cols,
                   struct error *err) {
  if (!model_has(m, slot, 0)) {
    return STATUS_OK;
  }
  float *read;
  TRY(mem_alloc_raw(&read, (size_t)rows * (size_t)cols, sizeof *read, err));
  status st = model_read(m, slot, 0, 0, 0, read, err);
  if (st == STATUS_OK) {
    st = packed_create(out, rows, cols, err);
  }
  if (st == STATUS_OK) {
    packed_fill(*out, read);
  }
  free(read);
  return st;
}
