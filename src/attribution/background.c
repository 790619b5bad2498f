#include "attribution/background.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SAMPLED = 256 /* tokens whose hidden states are kept */, ROWS = 2048, TOGETHER = 8 };

struct watching {
  struct background *b;
  double *sums, *squares; /* [units.count] */
};

/* Windows side by side in one batch. */
struct window_batch {
  struct span *spans;
  struct query *queries;
  struct answer *answers;
  size_t *origin; /* [tokens]: index among the windows' ids */
  bool *first;    /* [tokens]: of a window */
  struct work work;
};

static void add_row(const struct units *u, int block, const float *x, struct watching *w) {
  size_t at = (size_t)block * (size_t)u->width;
  double *sums = w->sums + at, *squares = w->squares + at;
  float *peak = w->b->peak + at;
  for (int i = 0; i < u->width; i++) {
    float a = fabsf(x[i]);
    sums[i] += (double)a;
    squares[i] += (double)a * (double)a;
    peak[i] = a > peak[i] ? a : peak[i];
  }
}

/* Rows that open a window: spans cover the rows in order. */
static void add_rows(const struct watching *from, int block, const float *x,
                     const struct work *work) {
  struct watching w = *from;
  const struct units *u = &w.b->units;
  for (int s = 0; s < work->batch.count; s++) {
    const struct span *span = &work->batch.spans[s];
    for (int i = 1; i < span->length; i++) {
      add_row(u, block, x + (size_t)(span->first + i) * (size_t)u->width, &w);
    }
  }
}

static void keep_hidden(const struct background *b, int block, const float *x,
                        const struct work *work) {
  size_t width = (size_t)b->width;
  float *to = b->hidden + (size_t)(block - 1) * (size_t)b->sampled * width;
  for (int i = 0; i < work->batch.tokens; i++) {
    if (work->origin[i] < (size_t)b->sampled) {
      memcpy(to + work->origin[i] * width, x + (size_t)i * width, width * sizeof *to);
    }
  }
}

static status see(void *user, int block, int input, float *x, int rows, const struct work *work,
                  struct error *err) {
  const struct watching *w = user;
  (void)rows; /* the work's: there are no experts */
  (void)err;
  if (input == w->b->units.input) {
    add_rows(w, block, x, work);
  }
  if (input == 0 && block > 0) {
    keep_hidden(w->b, block, x, work);
  }
  return STATUS_OK;
}

static void batch_free(struct window_batch *b) {
  free(b->spans);
  free(b->queries);
  free(b->answers);
  free(b->origin);
}

/* As many windows from *next on as fit, at least one. */
static status batch_make(struct window_batch *b, const struct sequences *s, size_t *next,
                         struct error *err) {
  size_t begin = *next, rows = 0, count = 0;
  while (*next < s->count && (count == 0 || rows + sequences_length(s, *next) <= ROWS)) {
    rows += sequences_length(s, (*next)++);
    count++;
  }
  TRY(mem_alloc(&b->spans, count, sizeof *b->spans, err));
  TRY(mem_alloc(&b->queries, rows, sizeof *b->queries, err));
  TRY(mem_alloc(&b->answers, rows, sizeof *b->answers, err));
  TRY(mem_alloc(&b->origin, rows, sizeof *b->origin, err));
  size_t queries = 0, start = s->first[begin];
  for (size_t i = 0; i < count; i++) {
    size_t at = s->first[begin + i] - start, length = sequences_length(s, begin + i);
    b->spans[i] = (struct span){.first = (int32_t)at, .length = (int32_t)length};
    for (size_t k = at; k + 1 < at + length; k++) {
      b->queries[queries++] = (struct query){(int32_t)k, s->ids.at[start + k + 1]};
    }
  }
  for (size_t k = 0; k < rows; k++) {
    b->origin[k] = start + k;
  }
  b->work = (struct work){.batch = {s->ids.at + start, (int32_t)rows, b->spans, (int32_t)count},
                          .queries = b->queries,
                          .count = queries,
                          .answers = b->answers,
                          .origin = b->origin};
  return STATUS_OK;
}

/* Some batches of windows; adds their log-likelihood and its tokens. */
static status pass(struct runner *runner, const struct sequences *s, size_t *next, double *sum,
                   int64_t *asked, struct error *err) {
  struct window_batch batches[TOGETHER] = {{0}};
  struct work works[TOGETHER];
  size_t count = 0;
  status st = STATUS_OK;
  for (; count < TOGETHER && *next < s->count; count++) {
    TRY_GOTO(st, done, batch_make(&batches[count], s, next, err));
    works[count] = batches[count].work;
  }
  TRY_GOTO(st, done, runner_answer(runner, works, count, err));
  for (size_t i = 0; i < count; i++) {
    for (size_t k = 0; k < works[i].count; k++) {
      *sum += works[i].answers[k].logprob;
    }
    *asked += (int64_t)works[i].count;
  }
done:
  for (size_t i = 0; i < TOGETHER; i++) {
    batch_free(&batches[i]);
  }
  return st;
}

static status make(struct background *b, struct watching *w, const struct model *m,
                   const struct sequences *windows, struct error *err) {
  TRY(units_of(m, &b->units, err));
  size_t n = b->units.count, all = windows->count ? windows->first[windows->count] : 0;
  b->sampled = all < SAMPLED ? (int)all : SAMPLED;
  int linears;
  b->width = model_linears(m, &linears)[0].cols;
  TRY(mem_alloc(&b->mean, n, sizeof *b->mean, err));
  TRY(mem_alloc(&b->spread, n, sizeof *b->spread, err));
  TRY(mem_alloc(&b->peak, n, sizeof *b->peak, err));
  size_t kept = (size_t)(b->units.blocks - 1) * (size_t)b->sampled * (size_t)b->width;
  TRY(mem_alloc(&b->hidden, kept, sizeof *b->hidden, err));
  TRY(mem_alloc(&w->sums, n, sizeof *w->sums, err));
  TRY(mem_alloc(&w->squares, n, sizeof *w->squares, err));
  for (size_t i = 0; i < windows->count; i++) {
    b->tokens += (int64_t)sequences_length(windows, i) - 1;
  }
  return b->tokens > 1 ? STATUS_OK
                       : err_set(err, STATUS_INPUT, "a background of %lld tokens (at least two)",
                                 (long long)b->tokens);
}

static void conclude(struct background *b, const struct watching *w) {
  double n = (double)b->tokens;
  for (size_t i = 0; i < b->units.count; i++) {
    double mean = w->sums[i] / n, variance = w->squares[i] / n - mean * mean;
    b->mean[i] = mean;
    b->spread[i] = variance > 0 ? sqrt(variance) : 0;
  }
}

status background_observe(struct background *out, const struct model *m, struct runner *runner,
                          const struct sequences *windows,
                          status (*progress)(void *user, double done, struct error *err),
                          void *progress_user, struct error *err) {
  struct background b = {0};
  struct watching w = {.b = &b};
  double sum = 0;
  int64_t asked = 0;
  status st = make(&b, &w, m, windows, err);
  runner_probe(runner, &(struct probe){&w, see});
  for (size_t next = 0; st == STATUS_OK && next < windows->count;) {
    st = pass(runner, windows, &next, &sum, &asked, err);
    if (st == STATUS_OK && progress) {
      st = progress(progress_user, (double)next / (double)windows->count, err);
    }
  }
  runner_probe(runner, NULL);
  if (st == STATUS_OK) {
    conclude(&b, &w);
    b.perplexity = exp(-sum / (double)asked);
  }
  free(w.sums);
  free(w.squares);
  if (st != STATUS_OK) {
    background_free(&b);
    return st;
  }
  *out = b;
  return STATUS_OK;
}

void background_free(struct background *b) {
  free(b->mean);
  free(b->spread);
  free(b->peak);
  free(b->hidden);
  *b = (struct background){0};
}

void background_dead(const struct background *b, int32_t *out) {
  const struct units *u = &b->units;
  for (int block = 0; block < u->blocks; block++) {
    size_t at = (size_t)block * (size_t)u->width;
    double sum = 0;
    for (int i = 0; i < u->width; i++) {
      sum += b->mean[at + (size_t)i];
    }
    double bar = 1e-6 * sum / u->width;
    out[block] = 0;
    for (int i = 0; i < u->width; i++) {
      out[block] += (double)b->peak[at + (size_t)i] <= bar;
    }
  }
}

double background_error(const struct background *dense, const struct background *pruned) {
  size_t n = (size_t)dense->sampled * (size_t)dense->width;
  double total = 0;
  for (int block = 1; block < dense->units.blocks; block++) {
    const float *x = dense->hidden + (size_t)(block - 1) * n;
    const float *y = pruned->hidden + (size_t)(block - 1) * n;
    double error = 0, norm = 0;
    for (size_t i = 0; i < n; i++) {
      double d = (double)y[i] - (double)x[i];
      error += d * d;
      norm += (double)x[i] * (double)x[i];
    }
    total += norm > 0 ? error / norm : 0;
  }
  return dense->units.blocks > 1 ? total / (dense->units.blocks - 1) : NAN;
}
