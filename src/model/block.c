#include "model/block.h"

#include <string.h>

#include "model/activation.h"
#include "model/norm.h"

static int linear_at(const struct block *b, enum slot slot, int expert) {
  return b->first[slot] + expert * b->per_expert;
}

/* Operands that are not float32 are shown as a copy, which goes back because a tap may change it.
 */
static status see_copy(const struct pass *p, int input, int cols, void *x, int rows,
                       struct error *err) {
  struct workspace *w = p->w;
  size_t width = (size_t)cols;
  TRY(buffer_fit(&w->seen, (size_t)rows, width, err));
#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    operand_widen(w->precision, operand_from(w->precision, x, (size_t)i * width), width,
                  w->seen.at + (size_t)i * width);
  }
  TRY(p->tap->see(p->tap->user, input, w->seen.at, rows, p->batch, err));
  workspace_narrow(w, w->seen.at, (size_t)rows * width, x);
  return STATUS_OK;
}

status block_see(const struct pass *p, enum slot slot, int expert, void *x, int rows,
                 struct error *err) {
  if (!p->tap) {
    return STATUS_OK;
  }
  const struct linear *l = &p->b->linears[linear_at(p->b, slot, expert)];
  return p->w->precision == PRECISION_FLOAT32
             ? p->tap->see(p->tap->user, l->input, x, rows, p->batch, err)
             : see_copy(p, l->input, l->cols, x, rows, err);
}

status block_linear(const struct pass *p, enum slot slot, int expert, const void *x, int rows,
                    void *y, int width, enum product_output output, struct error *err) {
  int i = linear_at(p->b, slot, expert);
  const struct product product = {
      .x = x, .m = rows, .bias = p->b->biases[i], .output = output, .y = y, .ldy = width};
  return packed_multiply(p->b->weights[i], &product, err);
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
static void enter(const struct pass *p, enum slot norm, float *x, void *input) {
  const struct model_config *c = p->b->config;
  if (c->block == BLOCK_POST_NORM || !p->b->norm[norm]) {
    workspace_narrow(p->w, x, stream_size(p), input);
  } else if (c->normed_residual) {
    normalise(p, norm, x, x);
    workspace_narrow(p->w, x, stream_size(p), input);
  } else {
    norm_rows_to(p->w->precision, c->norm, c->norm_eps, p->b->norm[norm], p->b->shift[norm], x,
                 input, p->batch->tokens, c->hidden);
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
  void *heads;
  TRY(block_attend(p, &heads, err));
  TRY(block_see(p, SLOT_O, 0, heads, rows, err));
  TRY(block_linear(p, SLOT_O, 0, heads, rows, apart ? w->branch.at : x, hidden,
                   apart ? PRODUCT_SET : PRODUCT_ADD, err));
  if (apart) {
    add_branch(p, SLOT_ATTENTION_OUT_NORM, x);
  }
  leave(p, SLOT_ATTENTION_NORM, x);
  return STATUS_OK;
}

/* What stands between an MLP's linears, on a tile of the first one's result. */
struct inner {
  enum activation kind;
  enum precision precision;
  const void *factor; /* [rows][width] operands, or NULL */
  int width;
};

static void activate(const void *user, int row, int rows, int col, int cols, float *tile) {
  const struct inner *in = user;
  for (int i = 0; i < rows; i++) {
    size_t at = (size_t)(row + i) * (size_t)in->width + (size_t)col;
    const void *factor = in->factor ? operand_from(in->precision, in->factor, at) : NULL;
    activation_apply(in->kind, in->precision, tile + (size_t)i * (size_t)cols, factor, cols);
  }
}

/* w->fused [rows][2·ffn], gate and up side by side, into w->gate. */
static void combine(const struct pass *p, int rows) {
  const struct workspace *w = p->w;
  int ffn = p->b->config->ffn;
#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    float *gate = w->fused.at + 2 * (size_t)ffn * (size_t)i;
    activation_apply(p->b->config->activation, PRECISION_FLOAT32, gate, gate + ffn, ffn);
    operand_narrow(w->precision, gate, (size_t)ffn,
                   operand_at(w->precision, w->gate.at, (size_t)ffn * (size_t)i));
  }
}

/* x by the linear that the activation follows, into y. */
static status activated(const struct pass *p, enum slot slot, int expert, const void *x, int rows,
                        const void *factor, void *y, struct error *err) {
  const struct model_config *c = p->b->config;
  int i = linear_at(p->b, slot, expert);
  const struct inner inner = {c->activation, p->w->precision, factor, c->ffn};
  const struct product product = {.x = x,
                                  .m = rows,
                                  .bias = p->b->biases[i],
                                  .output = PRODUCT_NARROW,
                                  .y = y,
                                  .ldy = c->ffn,
                                  .finish = activate,
                                  .user = &inner};
  return packed_multiply(p->b->weights[i], &product, err);
}

/* What SLOT_DOWN reads, into w->gate or w->up, whichever *out says. */
static status inner(const struct pass *p, int expert, const void *x, int rows, void **out,
                    struct error *err) {
  const struct model_config *c = p->b->config;
  struct workspace *w = p->w;
  *out = c->gated ? w->gate.at : w->up.at;
  if (c->gate_up_fused) {
    TRY(block_linear(p, SLOT_GATE_UP, expert, x, rows, w->fused.at, 2 * c->ffn, PRODUCT_SET, err));
    combine(p, rows);
    return STATUS_OK;
  }
  if (!c->gated) {
    return activated(p, SLOT_UP, expert, x, rows, NULL, *out, err);
  }
  TRY(block_linear(p, SLOT_UP, expert, x, rows, w->up.at, c->ffn, PRODUCT_NARROW, err));
  return activated(p, SLOT_GATE, expert, x, rows, w->up.at, *out, err);
}

status block_mlp(const struct pass *p, int expert, void *x, int rows, float *y,
                 enum product_output output, struct error *err) {
  const struct model_config *c = p->b->config;
  enum slot entering = c->gate_up_fused ? SLOT_GATE_UP : SLOT_UP;
  /* In a parallel block with one norm this is the attention's input, which the tap has seen. */
  bool seen = c->block == BLOCK_PARALLEL && !p->b->norm[SLOT_MLP_NORM];
  void *between;
  TRY(seen ? STATUS_OK : block_see(p, entering, expert, x, rows, err));
  TRY(inner(p, expert, x, rows, &between, err));
  TRY(block_see(p, SLOT_DOWN, expert, between, rows, err));
  return block_linear(p, SLOT_DOWN, expert, between, rows, y, c->hidden, output, err);
}

/* The MLP's branch, from `input`. */
static status transform(const struct pass *p, void *input, float *x, struct error *err) {
  struct workspace *w = p->w;
  bool experts = p->b->config->experts > 0, apart = experts || is_apart(p, SLOT_MLP_OUT_NORM);
  if (experts) {
    TRY(block_experts(p, input, w->branch.at, err));
  } else {
    TRY(block_mlp(p, 0, input, p->batch->tokens, apart ? w->branch.at : x,
                  apart ? PRODUCT_SET : PRODUCT_ADD, err));
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
  void *input = parallel && two ? w->beside.at : w->normed.at;
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
