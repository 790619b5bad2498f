#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/norm.h"
#include "model/vector.h"
#include "model/workspace.h"

enum {
  HEAD_ROWS = 1024, /* rows of x at a time */
  HEAD_TILE = 264,  /* rows of one product */
  HEAD_VOCAB = 528, /* tokens of one product: its logits stay in the cache */
};

/* Different rows of x that the queries at hand name, in order. */
struct chunk {
  const struct query *queries;
  int32_t *start;           /* [rows + 1]: queries of row i are start[i] up to start[i + 1] */
  float *target;            /* [queries]: logits */
  struct partial *partials; /* [pieces][rows] */
  const float *x;           /* [rows][embed_dim], ready for the projection */
  int rows;
};

void head_free(struct head *h) {
  free(h->norm);
  free(h->norm_bias);
  packed_free(h->project_out);
  free(h->weights);
  free(h->bias);
  *h = (struct head){0};
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
  size_t cells = (size_t)c->vocab * (size_t)c->embed_dim;
  TRY(mem_alloc_raw(&h->weights, cells, sizeof *h->weights, err));
  TRY(model_read(w->model, c->tied ? SLOT_EMBED : SLOT_HEAD, 0, 0, 0, h->weights, err));
  if (model_has_bias(w->model, SLOT_HEAD, 0)) {
    TRY(mem_alloc(&h->bias, (size_t)c->vocab, sizeof *h->bias, err));
    TRY(model_read_bias(w->model, SLOT_HEAD, 0, h->bias, err));
  }
  h->loaded = true;
  return STATUS_OK;
}

/* Final norm and project_out of w->rows [rows][hidden]; *out is what the projection reads. */
static status finish_rows(struct workspace *w, int rows, const float **out, struct error *err) {
  const struct model_config *c = w->config;
  float *x = w->rows.at;
  if (w->head.norm) {
    norm_rows(c->norm, c->norm_eps, w->head.norm, w->head.norm_bias, x, x, rows, c->hidden);
  }
  *out = x;
  if (w->head.project_out) {
    TRY(buffer_fit(&w->projected, (size_t)rows, (size_t)c->embed_dim, err));
    TRY(packed_multiply(w->head.project_out, x, rows, NULL, w->projected.at, c->embed_dim, false,
                        err));
    *out = w->projected.at;
  }
  return STATUS_OK;
}

/* What stands behind the projection: logits [count] of tokens from `first` on. */
static void finish_logits(const struct workspace *w, float *logits, int first, int count) {
  const struct model_config *c = w->config;
  for (int j = 0; w->head.bias && j < count; j++) {
    logits[j] += w->head.bias[first + j];
  }
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

/* Tokens `first` .. of the vocabulary for all rows of the chunk. */
static status one_piece(const struct workspace *w, const struct chunk *chunk, int piece,
                        float *logits) {
  int first = piece * HEAD_VOCAB, width = w->config->embed_dim;
  int left = w->config->vocab - first, tokens = left < HEAD_VOCAB ? left : HEAD_VOCAB;
  for (int r = 0; r < chunk->rows; r += HEAD_TILE) {
    int rows = chunk->rows - r < HEAD_TILE ? chunk->rows - r : HEAD_TILE;
    TRY(matmul(false, true, rows, tokens, width, 1, chunk->x + (size_t)r * width, width,
               w->head.weights + (size_t)first * width, width, 0, logits, tokens, NULL));
    for (int i = 0; i < rows; i++) {
      float *row = logits + (size_t)i * tokens;
      finish_logits(w, row, first, tokens);
      for (int32_t q = chunk->start[r + i]; q < chunk->start[r + i + 1]; q++) {
        int32_t target = chunk->queries[q].target - first;
        if (target >= 0 && target < tokens) {
          chunk->target[q] = row[target];
        }
      }
      chunk->partials[(size_t)piece * (size_t)chunk->rows + (size_t)(r + i)] =
          summarise(row, tokens, first);
    }
  }
  return STATUS_OK;
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
  int pieces = (w->config->vocab + HEAD_VOCAB - 1) / HEAD_VOCAB, worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int i = 0; i < pieces; i++) {
    size_t own = (size_t)omp_get_thread_num() * HEAD_TILE * HEAD_VOCAB;
    int st = (int)one_piece(w, chunk, i, w->logits.at + own);
    worst = st > worst ? st : worst;
  }
  if (worst != STATUS_OK) {
    return err_set(err, (status)worst, "head: a product was refused");
  }
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
  size_t pieces = ((size_t)w->config->vocab + HEAD_VOCAB - 1) / HEAD_VOCAB;
  TRY(check_queries(w, queries, count, err));
  TRY(head_load(w, err));
  TRY(buffer_fit(&w->rows, rows, (size_t)w->config->hidden, err));
  TRY(buffer_fit(&w->logits, (size_t)linalg_threads(), (size_t)HEAD_TILE * HEAD_VOCAB, err));
  TRY(mem_reserve(&w->targets, &w->targets_cap, count, sizeof *w->targets, err));
  TRY(mem_reserve(&w->starts, &w->starts_cap, rows + 1, sizeof *w->starts, err));
  TRY(mem_reserve(&w->partials, &w->partials_cap, rows * pieces, sizeof *w->partials, err));
  while (count > 0) {
    struct chunk chunk = {
        .queries = queries, .start = w->starts, .target = w->targets, .partials = w->partials};
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
  const float *ready;
  TRY(head_load(w, err));
  TRY(buffer_fit(&w->rows, 1, (size_t)c->hidden, err));
  memcpy(w->rows.at, x_row, (size_t)c->hidden * sizeof *x_row);
  TRY(finish_rows(w, 1, &ready, err));
  TRY(matmul(false, true, 1, c->vocab, c->embed_dim, 1, ready, c->embed_dim, w->head.weights,
             c->embed_dim, 0, logits, c->vocab, err));
  finish_logits(w, logits, 0, c->vocab);
  return STATUS_OK;
}
