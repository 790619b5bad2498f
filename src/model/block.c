#include "model/block.h"

#include <string.h>

#include "model/activation.h"
#include "model/norm.h"

static int linear_at(const struct block *b, enum slot slot, int expert) {
  return b->first[slot] + expert * b->per_expert;
}

status block_see(const struct pass *p, enum slot slot, int expert, float *x, int rows,
                 struct error *err) {
  if (!p->tap) {
    return STATUS_OK;
  }
  int input = p->b->linears[linear_at(p->b, slot, expert)].input;
  return p->tap->see(p->tap->user, input, x, rows, p->batch, err);
}

status block_linear(const struct pass *p, enum slot slot, int expert, const float *x, int rows,
                    float *y, int width, bool accumulate, struct error *err) {
  int i = linear_at(p->b, slot, expert);
  return packed_multiply(p->b->weights[i], x, rows, p->b->biases[i], y, width, accumulate, err);
}

static void normalise(const struct pass *p, enum slot slot, const float *x, float *y) {
  const struct model_config *c = p->b->config;
  norm_rows(c->norm, c->norm_eps, p->b->norm[slot], p->b->shift[slot], x, y, p->batch->tokens,
            c->hidden);
}

static size_t stream_size(const struct pass *p) {
  return (size_t)p->batch->tokens * (size_t)p->b->config->hidden;
}

/* A branch's input: a copy that a tap may change without changing the stream. */
static void enter(const struct pass *p, enum slot norm, float *x, float *input) {
  const struct model_config *c = p->b->config;
  if (c->block == BLOCK_POST_NORM || !p->b->norm[norm]) {
    memcpy(input, x, stream_size(p) * sizeof *x);
    return;
  }
  normalise(p, norm, x, input);
  if (c->normed_residual) {
    memcpy(x, input, stream_size(p) * sizeof *x);
  }
}

/* Whether a branch's output needs a step before it is added to the stream. */
static bool is_apart(const struct pass *p, enum slot out_norm) {
  return p->b->norm[out_norm] || p->b->config->residual_scale != 1;
}

/* x += w->branch. */
static void add_branch(const struct pass *p, enum slot out_norm, float *x) {
  float *branch = p->w->branch.at, scale = p->b->config->residual_scale;
  size_t count = stream_size(p);
  if (p->b->norm[out_norm]) {
    normalise(p, out_norm, branch, branch);
  }
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < count; i++) {
    x[i] += scale * branch[i];
  }
}

/* The stream after a branch was added. */
static void leave(const struct pass *p, enum slot norm, float *x) {
  if (p->b->config->block == BLOCK_POST_NORM) {
    normalise(p, norm, x, x);
  }
}

/* The attention branch, from w->normed. */
static status attend(const struct pass *p, float *x, struct error *err) {
  struct workspace *w = p->w;
  int rows = p->batch->tokens, hidden = p->b->config->hidden;
  bool apart = is_apart(p, SLOT_ATTENTION_OUT_NORM);
  TRY(block_attend(p, err));
  TRY(block_see(p, SLOT_O, 0, w->q.at, rows, err));
  TRY(block_linear(p, SLOT_O, 0, w->q.at, rows, apart ? w->branch.at : x, hidden, !apart, err));
  if (apart) {
    add_branch(p, SLOT_ATTENTION_OUT_NORM, x);
  }
  leave(p, SLOT_ATTENTION_NORM, x);
  return STATUS_OK;
}

/* w->fused [rows][2·ffn] into w->gate and w->up. */
static void split(const struct pass *p, int rows) {
  size_t ffn = (size_t)p->b->config->ffn;
#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    const float *from = p->w->fused.at + 2 * ffn * (size_t)i;
    memcpy(p->w->gate.at + ffn * (size_t)i, from, ffn * sizeof *from);
    memcpy(p->w->up.at + ffn * (size_t)i, from + ffn, ffn * sizeof *from);
  }
}

status block_mlp(const struct pass *p, int expert, float *x, int rows, float *y, bool accumulate,
                 struct error *err) {
  const struct model_config *c = p->b->config;
  struct workspace *w = p->w;
  enum slot entering = c->gate_up_fused ? SLOT_GATE_UP : SLOT_UP;
  /* In a parallel block with one norm this is the attention's input, which the tap has seen. */
  bool seen = c->block == BLOCK_PARALLEL && !p->b->norm[SLOT_MLP_NORM];
  TRY(seen ? STATUS_OK : block_see(p, entering, expert, x, rows, err));
  float *inner = c->gated ? w->gate.at : w->up.at;
  if (c->gate_up_fused) {
    TRY(block_linear(p, SLOT_GATE_UP, expert, x, rows, w->fused.at, 2 * c->ffn, false, err));
    split(p, rows);
  } else {
    TRY(block_linear(p, SLOT_UP, expert, x, rows, w->up.at, c->ffn, false, err));
    if (c->gated) {
      TRY(block_linear(p, SLOT_GATE, expert, x, rows, w->gate.at, c->ffn, false, err));
    }
  }
  activation_apply(c->activation, inner, c->gated ? w->up.at : NULL, (size_t)rows * (size_t)c->ffn);
  TRY(block_see(p, SLOT_DOWN, expert, inner, rows, err));
  return block_linear(p, SLOT_DOWN, expert, inner, rows, y, c->hidden, accumulate, err);
}

/* The MLP's branch, from `input`. */
static status transform(const struct pass *p, float *input, float *x, struct error *err) {
  struct workspace *w = p->w;
  bool experts = p->b->config->experts > 0, apart = experts || is_apart(p, SLOT_MLP_OUT_NORM);
  if (experts) {
    TRY(block_experts(p, input, w->branch.at, err));
  } else {
    TRY(block_mlp(p, 0, input, p->batch->tokens, apart ? w->branch.at : x, !apart, err));
  }
  if (apart) {
    add_branch(p, SLOT_MLP_OUT_NORM, x);
  }
  leave(p, SLOT_MLP_NORM, x);
  return STATUS_OK;
}

status forward_block(const struct block *b, struct workspace *w, const struct batch *batch,
                     float *x, const struct tap *tap, struct error *err) {
  struct pass p = {.b = b, .w = w, .batch = batch, .tap = tap};
  TRY(workspace_fit(w, batch, err));
  bool parallel = b->config->block == BLOCK_PARALLEL, two = b->norm[SLOT_MLP_NORM] != NULL;
  float *input = parallel && two ? w->beside.at : w->normed.at;
  enter(&p, SLOT_ATTENTION_NORM, x, w->normed.at);
  if (parallel && two) {
    enter(&p, SLOT_MLP_NORM, x, input);
  }
  TRY(attend(&p, x, err));
  if (!parallel) {
    enter(&p, SLOT_MLP_NORM, x, input);
  }
  return transform(&p, input, x, err);
}
