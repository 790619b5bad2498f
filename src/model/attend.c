#include <string.h>

#include "model/block.h"
#include "model/norm.h"

/* Rows of a fused linear, taken apart. */
static void split(const struct pass *p) {
  const struct model_config *c = p->b->config;
  struct workspace *w = p->w;
  size_t queries = (size_t)c->heads * (size_t)c->head_dim;
  size_t keys = (size_t)c->kv_heads * (size_t)c->head_dim;
  /* Blocks are groups of which there is one. */
  size_t groups = c->qkv == QKV_GROUPS ? (size_t)c->kv_heads : 1;
  size_t q = queries / groups, k = keys / groups;
#pragma omp parallel for schedule(static)
  for (int t = 0; t < p->batch->tokens; t++) {
    const float *from = w->fused.at + (size_t)t * (queries + 2 * keys);
    for (size_t g = 0; g < groups; g++, from += q + 2 * k) {
      memcpy(w->q.at + (size_t)t * queries + g * q, from, q * sizeof *from);
      memcpy(w->k.at + (size_t)t * keys + g * k, from + q, k * sizeof *from);
      memcpy(w->v.at + (size_t)t * keys + g * k, from + q + k, k * sizeof *from);
    }
  }
}

static status project(const struct pass *p, struct error *err) {
  const struct model_config *c = p->b->config;
  struct workspace *w = p->w;
  int queries = c->heads * c->head_dim, keys = c->kv_heads * c->head_dim, rows = p->batch->tokens;
  TRY(block_see(p, c->qkv == QKV_APART ? SLOT_Q : SLOT_QKV, 0, w->normed.at, rows, err));
  if (c->qkv != QKV_APART) {
    TRY(block_linear(p, SLOT_QKV, 0, w->normed.at, rows, w->fused.at, queries + 2 * keys,
                     PRODUCT_SET, err));
    split(p);
    return STATUS_OK;
  }
  TRY(block_linear(p, SLOT_Q, 0, w->normed.at, rows, w->q.at, queries, PRODUCT_SET, err));
  TRY(block_linear(p, SLOT_K, 0, w->normed.at, rows, w->k.at, keys, PRODUCT_SET, err));
  return block_linear(p, SLOT_V, 0, w->normed.at, rows, w->v.at, keys, PRODUCT_SET, err);
}

/* x [tokens][heads·head_dim] */
static void normalise_heads(const struct pass *p, enum slot slot, float *x, int heads) {
  const struct model_config *c = p->b->config;
  const float *weight = p->b->norm[slot], *shift = p->b->shift[slot];
  int tokens = p->batch->tokens;
  switch (c->qk_norm) {
  case QK_NORM_NONE:
    break;
  case QK_NORM_SHARED:
    norm_rows(c->norm, c->norm_eps, weight, shift, x, x, tokens * heads, c->head_dim);
    break;
  case QK_NORM_OWN:
  case QK_NORM_OWN_APART:
    norm_heads(c->norm, c->norm_eps, weight, x, tokens, heads, c->head_dim);
    break;
  case QK_NORM_WHOLE:
    norm_rows(c->norm, c->norm_eps, weight, shift, x, x, tokens, heads * c->head_dim);
    break;
  }
}

static void clip(float *x, size_t count, float most) {
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < count; i++) {
    x[i] = x[i] > most ? most : x[i] < -most ? -most : x[i];
  }
}

static bool is_windowed(const struct block *b) {
  return b->config->windowed && b->config->windowed[b->index];
}

static void rotate(const struct pass *p, float *x, int heads) {
  const struct model_config *c = p->b->config;
  const struct workspace *w = p->w;
  int head_dim = c->head_dim;
  if (c->rope_scaling != ROPE_LONG) {
    bool own = is_windowed(p->b) && c->rope_window_theta > 0;
    rope_apply(&w->ropes[own ? ROPE_WINDOW : ROPE_USUAL], c->position, w->positions,
               p->batch->tokens, x, heads, head_dim);
    return;
  }
  for (int32_t i = 0; i < p->batch->count; i++) {
    const struct span *s = p->batch->spans + i;
    rope_apply(&w->ropes[w->beyond[i] ? ROPE_BEYOND : ROPE_USUAL], c->position,
               w->positions + s->first, s->length,
               x + (size_t)s->first * (size_t)heads * (size_t)head_dim, heads, head_dim);
  }
}

status block_attend(const struct pass *p, void **out, struct error *err) {
  const struct model_config *c = p->b->config;
  struct workspace *w = p->w;
  TRY(project(p, err));
  normalise_heads(p, SLOT_Q_NORM, w->q.at, c->heads);
  normalise_heads(p, SLOT_K_NORM, w->k.at, c->kv_heads);
  if (c->clip_qkv > 0) {
    size_t heads = (size_t)p->batch->tokens * (size_t)c->head_dim;
    clip(w->q.at, heads * (size_t)c->heads, c->clip_qkv);
    clip(w->k.at, heads * (size_t)c->kv_heads, c->clip_qkv);
    clip(w->v.at, heads * (size_t)c->kv_heads, c->clip_qkv);
  }
  if (c->position == POSITION_ROPE_HALF || c->position == POSITION_ROPE_INTERLEAVED) {
    rotate(p, w->q.at, c->heads);
    rotate(p, w->k.at, c->kv_heads);
  }
  struct attention a = {
      .precision = w->precision,
      .kernels = &w->attention,
      .heads = c->heads,
      .kv_heads = c->kv_heads,
      .head_dim = c->head_dim,
      .scale = c->attention_scale / (c->scale_by_block ? (float)(p->b->index + 1) : 1),
      .slopes = w->slopes,
      .rounded = c->alibi_rounded,
      .cap = c->score_cap,
      .window = is_windowed(p->b) ? c->window : 0,
  };
  if (w->precision == PRECISION_FLOAT32) {
    *out = w->q.at;
    return attention_apply(&a, p->batch, w->tiles, w->tile_count, w->q.at, w->k.at, w->v.at,
                           w->scores.at, err);
  }
  size_t rows = (size_t)p->batch->tokens * (size_t)c->head_dim;
  workspace_narrow(w, w->q.at, rows * (size_t)c->heads, w->queries.at);
  workspace_narrow(w, w->k.at, rows * (size_t)c->kv_heads, w->keys.at);
  workspace_narrow(w, w->v.at, rows * (size_t)c->kv_heads, w->values.at);
  *out = w->queries.at;
  return attention_apply(&a, p->batch, w->tiles, w->tile_count, w->queries.at, w->keys.at,
                         w->values.at, w->scores.at, err);
}
