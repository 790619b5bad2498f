#include "model/block.h"

#include <string.h>

#include "model/activation.h"
#include "model/norm.h"

/* What a step of the pass needs to know. */
struct pass {
  const struct block *b;
  struct workspace *w;
  const struct batch *batch;
  const struct tap *tap;
};

static status see(const struct pass *p, enum slot slot, float *x, struct error *err) {
  return p->tap ? p->tap->see(p->tap->user, p->b->input[slot], x, p->batch, err) : STATUS_OK;
}

static status linear(const struct pass *p, enum slot slot, const float *x, float *y, int width,
                     bool accumulate, struct error *err) {
  return packed_multiply(p->b->weights[slot], x, p->batch->tokens, block_bias(p->b, slot), y, width,
                         accumulate, err);
}

static void normalise(const struct pass *p, enum slot slot, const float *x, float *y) {
  const struct model_config *c = p->b->config;
  norm_rows(c->norm, c->norm_eps, p->b->norm[slot], block_bias(p->b, slot), x, y, p->batch->tokens,
            c->hidden);
}

/* The branch's input: a copy that a tap may change without changing the stream. */
static void enter(const struct pass *p, enum slot norm, const float *x) {
  if (p->b->config->block == BLOCK_PRE_NORM) {
    normalise(p, norm, x, p->w->normed.at);
  } else {
    memcpy(p->w->normed.at, x, (size_t)p->batch->tokens * (size_t)p->b->config->hidden * sizeof *x);
  }
}

/* The stream after the branch was added. */
static void leave(const struct pass *p, enum slot norm, float *x) {
  if (p->b->config->block == BLOCK_POST_NORM) {
    normalise(p, norm, x, x);
  }
}

static status attend(const struct pass *p, float *x, struct error *err) {
  const struct model_config *c = p->b->config;
  struct workspace *w = p->w;
  int queries = c->heads * c->head_dim, keys = c->kv_heads * c->head_dim;
  enter(p, SLOT_ATTENTION_NORM, x);
  TRY(see(p, SLOT_Q, w->normed.at, err));
  TRY(linear(p, SLOT_Q, w->normed.at, w->q.at, queries, false, err));
  TRY(linear(p, SLOT_K, w->normed.at, w->k.at, keys, false, err));
  TRY(linear(p, SLOT_V, w->normed.at, w->v.at, keys, false, err));
  if (c->position == POSITION_ROPE_HALF || c->position == POSITION_ROPE_INTERLEAVED) {
    int rows = p->batch->tokens;
    rope_apply(&w->rope, c->position, w->positions, rows, w->q.at, c->heads, c->head_dim);
    rope_apply(&w->rope, c->position, w->positions, rows, w->k.at, c->kv_heads, c->head_dim);
  }
  struct attention a = {.heads = c->heads,
                        .kv_heads = c->kv_heads,
                        .head_dim = c->head_dim,
                        .scale = c->attention_scale,
                        .slopes = w->slopes};
  TRY(attention_apply(&a, p->batch, w->tiles, w->tile_count, w->q.at, w->k.at, w->v.at,
                      w->scores.at, err));
  TRY(see(p, SLOT_O, w->q.at, err));
  TRY(linear(p, SLOT_O, w->q.at, x, c->hidden, true, err));
  leave(p, SLOT_ATTENTION_NORM, x);
  return STATUS_OK;
}

static status transform(const struct pass *p, float *x, struct error *err) {
  const struct model_config *c = p->b->config;
  struct workspace *w = p->w;
  size_t count = (size_t)p->batch->tokens * (size_t)c->ffn;
  enter(p, SLOT_MLP_NORM, x);
  TRY(see(p, SLOT_UP, w->normed.at, err));
  float *inner = w->up.at;
  TRY(linear(p, SLOT_UP, w->normed.at, w->up.at, c->ffn, false, err));
  if (c->gated) {
    inner = w->gate.at;
    TRY(linear(p, SLOT_GATE, w->normed.at, w->gate.at, c->ffn, false, err));
  }
  activation_apply(c->activation, inner, c->gated ? w->up.at : NULL, count);
  TRY(see(p, SLOT_DOWN, inner, err));
  TRY(linear(p, SLOT_DOWN, inner, x, c->hidden, true, err));
  leave(p, SLOT_MLP_NORM, x);
  return STATUS_OK;
}

status forward_block(const struct block *b, struct workspace *w, const struct batch *batch,
                     float *x, const struct tap *tap, struct error *err) {
  struct pass p = {.b = b, .w = w, .batch = batch, .tap = tap};
  TRY(workspace_fit(w, batch, err));
  TRY(attend(&p, x, err));
  return transform(&p, x, err);
}
