#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/norm.h"
#include "model/vector.h"
#include "model/workspace.h"

enum {
  HEAD_ROWS = 1152, /* rows of x at a time, a multiple of PRODUCT_TILE */
};

/* Different rows of x that the queries at hand name, in order. */
struct chunk {
  const struct model_config *config;
  const struct query *queries;
  int32_t *start;           /* [rows + 1]: queries of row i are start[i] up to start[i + 1] */
  float *target;            /* [queries]: logits */
  struct partial *partials; /* [pieces][rows] */
  const void *x;            /* [rows][embed_dim], operands ready for the projection */
  int rows;
};

void head_free(struct head *h) {
  free(h->norm);
  free(h->norm_bias);
  packed_free(h->project_out);
  packed_free(h->weights);
  free(h->bias);
  *h = (struct head){0};
}

/* A slice at a time, so that the head is in memory once. */
static status load_weights(struct workspace *w, struct error *err) {
  const struct model_config *c = w->config;
  struct head *h = &w->head;
  float *slice;
  TRY(packed_create(&h->weights, c->vocab, c->embed_dim, w->precision, err));
  TRY(mem_alloc_raw(&slice, (size_t)HEAD_ROWS * (size_t)c->embed_dim, sizeof *slice, err));
  status st = STATUS_OK;
  for (int first = 0; st == STATUS_OK && first < c->vocab; first += HEAD_ROWS) {
    int rows = c->vocab - first < HEAD_ROWS ? c->vocab - first : HEAD_ROWS;
    st = model_read(w->model, c->tied ? SLOT_EMBED : SLOT_HEAD, 0, first, rows, slice, err);
    if (st == STATUS_OK) {
      packed_fill_rows(h->weights, first, rows, slice);
    }
  }
  free(slice);
  return st;
}

status head_load(struct workspace *w, struct error *err) {
  struct head *h = &w->head;
  const struct model_config *c = w->config;
  if (h->loaded) {
    return STATUS_OK;
  }
  head_free(h); /* what a failed load left */
  if (c->final_norm) {
    TRY(norm_load(&h->norm, &h->norm_bias, w->model, SLOT_FINAL_NORM, c->hidden, err));
  }
  TRY(packed_load(&h->project_out, w->model, SLOT_PROJECT_OUT, c->embed_dim, c->hidden, err));
  TRY(load_weights(w, err));
  if (model_has_bias(w->model, SLOT_HEAD, 0)) {
    TRY(mem_alloc(&h->bias, (size_t)c->vocab, sizeof *h->bias, err));
    TRY(model_read_bias(w->model, SLOT_HEAD, 0, h->bias, err));
  }
  h->loaded = true;
  return STATUS_OK;
}

/* Final norm and project_out of w->rows [rows][hidden]; *out is what the projection reads. */
static status finish_rows(struct workspace *w, int rows, const void **out, struct error *err) {
  const struct model_config *c = w->config;
  float *x = w->rows.at;
  size_t widest = (size_t)(c->embed_dim > c->hidden ? c->embed_dim : c->hidden);
  TRY(buffer_fit(&w->ready, (size_t)rows, widest, err));
  *out = w->ready.at;
  if (w->head.norm) {
    norm_rows_to(w->precision, c->norm, c->norm_eps, w->head.norm, w->head.norm_bias, x,
                 w->ready.at, rows, c->hidden);
  } else {
    workspace_narrow(w, x, (size_t)rows * (size_t)c->hidden, w->ready.at);
  }
  if (w->head.project_out) {
    TRY(buffer_fit(&w->projected, (size_t)rows, (size_t)c->embed_dim, err));
    const struct product product = {.x = w->ready.at,
                                    .m = rows,
                                    .output = PRODUCT_SET,
                                    .y = w->projected.at,
                                    .ldy = c->embed_dim};
    TRY(packed_multiply(w->head.project_out, &product, err));
    workspace_narrow(w, w->projected.at, (size_t)rows * (size_t)c->embed_dim, w->ready.at);
  }
  return STATUS_OK;
}

/* What stands behind the projection and its bias: logits [count]. */
static void finish_logits(const struct model_config *c, float *logits, int count) {
  for (int j = 0; c->logit_scale != 1 && j < count; j++) {
    logits[j] *= c->logit_scale;
  }
  if (c->logit_cap > 0) {
    vector_cap(logits, count, c->logit_cap);
  }
}

static struct partial summarise(float *logits, int count, int first) {
  float max = vector_max(logits, count);
  int32_t at = INT32_MAX;
#pragma omp simd reduction(min : at)
  for (int j = 0; j < count; j++) {
    int32_t here = logits[j] == max ? j : INT32_MAX;
    at = here < at ? here : at;
  }
  double sum = (double)vector_exp_sum(logits, count, max);
  return (struct partial){max, at == INT32_MAX ? -1 : first + at, sum};
}

/* Takes from one tile of logits what the chunk needs of it. */
static void take_piece(const void *user, int row, int rows, int first, int tokens, float *logits) {
  const struct chunk *chunk = user;
  size_t piece = (size_t)first / PRODUCT_TILE;
  for (int i = 0; i < rows; i++) {
    float *own = logits + (size_t)i * (size_t)tokens;
    finish_logits(chunk->config, own, tokens);
    for (int32_t q = chunk->start[row + i]; q < chunk->start[row + i + 1]; q++) {
      int32_t target = chunk->queries[q].target - first;
      if (target >= 0 && target < tokens) {
        chunk->target[q] = own[target];
      }
    }
    chunk->partials[piece * (size_t)chunk->rows + (size_t)(row + i)] =
        summarise(own, tokens, first);
  }
}

/* Log of the sum of e^logit over the vocabulary, and the first token of the largest logit. */
static double combine(const struct chunk *chunk, int pieces, int row, int32_t *best) {
  const struct partial *p = chunk->partials + row;
  size_t stride = (size_t)chunk->rows;
  float max = p[0].max;
  *best = p[0].first;
  for (int i = 1; i < pieces; i++) {
    if (p[i * stride].max > max) {
      max = p[i * stride].max;
      *best = p[i * stride].first;
    }
  }
  double sum = 0;
  for (int i = 0; i < pieces; i++) {
    sum += p[i * stride].sum * exp((double)p[i * stride].max - (double)max);
  }
  return (double)max + log(sum);
}

static status answer_chunk(struct workspace *w, const struct chunk *chunk, struct answer *answers,
                           struct error *err) {
  const struct product product = {.x = chunk->x,
                                  .m = chunk->rows,
                                  .bias = w->head.bias,
                                  .output = PRODUCT_NONE,
                                  .finish = take_piece,
                                  .user = chunk};
  int pieces = (w->config->vocab + PRODUCT_TILE - 1) / PRODUCT_TILE;
  TRY(packed_multiply(w->head.weights, &product, err));
  for (int r = 0; r < chunk->rows; r++) {
    int32_t best;
    double total = combine(chunk, pieces, r, &best);
    for (int32_t q = chunk->start[r]; q < chunk->start[r + 1]; q++) {
      double logprob = (double)chunk->target[q] - total;
      if (!isfinite(logprob)) {
        return err_set(err, STATUS_NUMERIC, "the logits of row %d are not finite",
                       chunk->queries[q].row);
      }
      answers[q] = (struct answer){logprob, best == chunk->queries[q].target};
    }
  }
  return STATUS_OK;
}

/* Takes queries from the front until HEAD_ROWS different rows are gathered in w->rows; returns how
 * many queries that is. */
static size_t gather(struct workspace *w, const float *x, size_t count, struct chunk *chunk) {
  size_t hidden = (size_t)w->config->hidden, q = 0;
  chunk->rows = 0;
  for (; q < count && q < INT32_MAX; q++) {
    int32_t row = chunk->queries[q].row;
    if (q == 0 || row != chunk->queries[q - 1].row) {
      if (chunk->rows == HEAD_ROWS) {
        break;
      }
      memcpy(w->rows.at + (size_t)chunk->rows * hidden, x + (size_t)row * hidden,
             hidden * sizeof *x);
      chunk->start[chunk->rows++] = (int32_t)q;
    }
  }
  chunk->start[chunk->rows] = (int32_t)q;
  return q;
}

static status check_queries(const struct workspace *w, const struct query *queries, size_t count,
                            struct error *err) {
  for (size_t i = 0; i < count; i++) {
    if (queries[i].row < 0) {
      return err_set(err, STATUS_BUG, "a query of row %d", queries[i].row);
    }
    if (queries[i].target < 0 || queries[i].target >= w->config->vocab) {
      return err_set(err, STATUS_INPUT, "token id %d at row %d: the model's vocabulary has %d",
                     queries[i].target, queries[i].row, w->config->vocab);
    }
  }
  return STATUS_OK;
}

status forward_head(const struct model *m, struct workspace *w, const float *x,
                    const struct query *queries, size_t count, struct answer *answers,
                    struct error *err) {
  (void)m;
  size_t rows = count < HEAD_ROWS ? count : HEAD_ROWS;
  size_t pieces = ((size_t)w->config->vocab + PRODUCT_TILE - 1) / PRODUCT_TILE;
  TRY(check_queries(w, queries, count, err));
  TRY(head_load(w, err));
  TRY(buffer_fit(&w->rows, rows, (size_t)w->config->hidden, err));
  TRY(mem_reserve(&w->targets, &w->targets_cap, count, sizeof *w->targets, err));
  TRY(mem_reserve(&w->starts, &w->starts_cap, rows + 1, sizeof *w->starts, err));
  TRY(mem_reserve(&w->partials, &w->partials_cap, rows * pieces, sizeof *w->partials, err));
  while (count > 0) {
    struct chunk chunk = {.config = w->config,
                          .queries = queries,
                          .start = w->starts,
                          .target = w->targets,
                          .partials = w->partials};
    size_t taken = gather(w, x, count, &chunk);
    TRY(finish_rows(w, chunk.rows, &chunk.x, err));
    TRY(answer_chunk(w, &chunk, answers, err));
    queries += taken;
    answers += taken;
    count -= taken;
  }
  return STATUS_OK;
}

status forward_logits(const struct model *m, struct workspace *w, const float *x_row, float *logits,
                      struct error *err) {
  (void)m;
  const struct model_config *c = w->config;
  const void *ready;
  TRY(head_load(w, err));
  TRY(buffer_fit(&w->rows, 1, (size_t)c->hidden, err));
  memcpy(w->rows.at, x_row, (size_t)c->hidden * sizeof *x_row);
  TRY(finish_rows(w, 1, &ready, err));
  const struct product product = {.x = ready,
                                  .m = 1,
                                  .bias = w->head.bias,
                                  .output = PRODUCT_SET,
                                  .y = logits,
                                  .ldy = c->vocab};
  TRY(packed_multiply(w->head.weights, &product, err));
  finish_logits(c, logits, c->vocab);
  return STATUS_OK;
}
