#include "calib/continue.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calib/dense.h"
#include "calib/set.h"
#include "model/forward.h"

struct writer {
  const struct continuation *c;
  size_t count, length; /* texts; tokens of each so far */
  int32_t *ids;         /* [count][draw->length] */
  struct rng *rngs;     /* [count] */
  struct workspace *workspace;
  struct block **blocks; /* [kept]: blocks 0 .., or one for all in turn */
  int kept;
  size_t chunk;                 /* texts in a batch at full length */
  int32_t *packed;              /* [chunk·draw->length]: a batch's ids */
  struct span *spans;           /* [chunk] */
  float *x;                     /* [count or chunk][draw->length][hidden] */
  float *logits;                /* [vocab] */
  struct token_weight *weights; /* [vocab] */
};

static bool resident(const struct writer *w) {
  return w->kept == model_blocks(w->c->model);
}

/* Whether all blocks together stay below RESIDENT_BYTES in float32. */
static bool fits(const struct model *m) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  size_t bytes = 0;
  for (int i = 0; i < count; i++) {
    bytes += (size_t)linears[i].rows * (size_t)linears[i].cols * sizeof(float);
  }
  return bytes * (size_t)model_blocks(m) <= RESIDENT_BYTES;
}

static status load_blocks(struct writer *w, struct error *err) {
  const struct model *m = w->c->model;
  int wanted = fits(m) ? model_blocks(m) : 1;
  TRY(mem_alloc(&w->blocks, (size_t)wanted, sizeof(struct block *), err));
  for (int i = 0; i < wanted; i++) {
    TRY(block_create(&w->blocks[i], m, err));
    w->kept = i + 1;
    TRY(block_load(w->blocks[i], i, NULL, err));
  }
  return STATUS_OK;
}

static status writer_open(struct writer *w, const struct sequences *beginnings, struct error *err) {
  size_t most = (size_t)w->c->draw->length, vocab = (size_t)model_vocab(w->c->model);
  size_t hidden = (size_t)model_hidden(w->c->model);
  w->count = beginnings->count;
  w->length = sequences_length(beginnings, 0);
  w->chunk = DENSE_BATCH / most > 0 ? DENSE_BATCH / most : 1;
  TRY(workspace_create(&w->workspace, w->c->model, err));
  TRY(load_blocks(w, err));
  size_t texts = resident(w) && w->chunk < w->count ? w->chunk : w->count;
  TRY(mem_alloc(&w->ids, w->count * most, sizeof *w->ids, err));
  TRY(mem_alloc(&w->rngs, w->count, sizeof *w->rngs, err));
  TRY(mem_alloc(&w->packed, w->chunk * most, sizeof *w->packed, err));
  TRY(mem_alloc(&w->spans, w->chunk, sizeof *w->spans, err));
  TRY(mem_alloc_raw(&w->x, texts * most * hidden, sizeof *w->x, err));
  TRY(mem_alloc(&w->logits, vocab, sizeof *w->logits, err));
  TRY(mem_alloc(&w->weights, vocab, sizeof *w->weights, err));
  for (size_t i = 0; i < w->count; i++) {
    memcpy(w->ids + i * most, sequences_at(beginnings, i), w->length * sizeof *w->ids);
    draw_rng(&w->rngs[i], w->c->draw, i);
  }
  return STATUS_OK;
}

static void writer_close(struct writer *w) {
  for (int i = 0; i < w->kept; i++) {
    block_free(w->blocks[i]);
  }
  free(w->blocks);
  workspace_free(w->workspace);
  free(w->ids);
  free(w->rngs);
  free(w->packed);
  free(w->spans);
  free(w->x);
  free(w->logits);
  free(w->weights);
}

static struct batch batch_of(const struct writer *w, size_t first, size_t end) {
  size_t most = (size_t)w->c->draw->length;
  for (size_t i = first; i < end; i++) {
    size_t at = (i - first) * w->length;
    memcpy(w->packed + at, w->ids + i * most, w->length * sizeof *w->ids);
    w->spans[i - first] = (struct span){.first = (int32_t)at, .length = (int32_t)w->length};
  }
  return (struct batch){.ids = w->packed,
                        .tokens = (int32_t)((end - first) * w->length),
                        .spans = w->spans,
                        .count = (int32_t)(end - first)};
}

/* What follows text i, whose last row is x. A text that ended begins anew. */
static status add_token(struct writer *w, size_t i, const float *x, struct error *err) {
  const struct model *m = w->c->model;
  int32_t *text = w->ids + i * (size_t)w->c->draw->length;
  int bos = model_bos(m);
  if (w->length > 1 && text[w->length - 1] == model_eos(m) && bos >= 0 && bos != model_eos(m)) {
    text[w->length] = bos;
    return STATUS_OK;
  }
  TRY(forward_logits(m, w->workspace, x, w->logits, err));
  text[w->length] =
      choose_token(&w->c->how, w->logits, (size_t)model_vocab(m), &w->rngs[i], w->weights);
  return STATUS_OK;
}

/* Texts first .. end - 1 through blocks `from` .. `to` - 1, whose residual streams are x. */
static status pass(struct writer *w, size_t first, size_t end, int from, int to, float *x,
                   struct error *err) {
  struct batch batch = batch_of(w, first, end);
  if (from == 0) {
    TRY(forward_embed(w->c->model, w->workspace, &batch, x, err));
  }
  for (int b = from; b < to; b++) {
    TRY(forward_block(w->blocks[resident(w) ? b : 0], w->workspace, &batch, x, NULL, err));
  }
  if (to < model_blocks(w->c->model)) {
    return STATUS_OK;
  }
  size_t hidden = (size_t)model_hidden(w->c->model);
  for (size_t i = first; i < end; i++) {
    TRY(add_token(w, i, x + ((i - first + 1) * w->length - 1) * hidden, err));
  }
  return STATUS_OK;
}

static status pass_all(struct writer *w, int from, int to, struct error *err) {
  size_t hidden = (size_t)model_hidden(w->c->model);
  for (size_t i = 0; i < w->count; i += w->chunk) {
    size_t end = i + w->chunk < w->count ? i + w->chunk : w->count;
    float *x = resident(w) ? w->x : w->x + i * w->length * hidden;
    TRY(pass(w, i, end, from, to, x, err));
  }
  return STATUS_OK;
}

/* One token more for every text. */
static status grow(struct writer *w, struct error *err) {
  int blocks = model_blocks(w->c->model);
  if (resident(w)) {
    TRY(pass_all(w, 0, blocks, err));
  } else {
    for (int b = 0; b < blocks; b++) {
      TRY(block_load(w->blocks[0], b, NULL, err));
      TRY(pass_all(w, b, b + 1, err));
    }
  }
  w->length++;
  return STATUS_OK;
}

status continue_texts(const struct continuation *c, const struct sequences *beginnings,
                      struct sequences *out, struct error *err) {
  struct writer w = {.c = c};
  size_t most = (size_t)c->draw->length;
  status st = writer_open(&w, beginnings, err);
  while (st == STATUS_OK && w.length < most) {
    st = grow(&w, err);
  }
  for (size_t i = 0; i < w.count && st == STATUS_OK; i++) {
    st = sequences_add(out, w.ids + i * most, most, err);
  }
  writer_close(&w);
  return st;
}
