#include "prune/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/matmul.h"
#include "linalg/shared_gram.h"
#include "prune/exchange.h"
#include "prune/triangle.h"

enum { COLUMNS_PER_TASK = 64 };

status stats_create(struct stats *out, int cols, unsigned has, struct error *err) {
  struct stats s = {.cols = cols, .has = has};
  size_t n = (size_t)cols;
  status st = STATUS_OK;
  if (has & STATS_SQUARES) {
    TRY_GOTO(st, fail, mem_alloc(&s.squares, n, sizeof *s.squares, err));
  }
  if (has & STATS_SUMS) {
    TRY_GOTO(st, fail, mem_alloc(&s.sums, n, sizeof *s.sums, err));
  }
  if (has & STATS_GRAM) {
    TRY_GOTO(st, fail, mem_alloc(&s.gram, n * n, sizeof *s.gram, err));
    TRY_GOTO(st, fail, mem_alloc(&s.gram_sums, triangle_before(n), sizeof *s.gram_sums, err));
  }
  *out = s;
  return STATUS_OK;
fail:
  stats_free(&s);
  return st;
}

void stats_free(struct stats *s) {
  free(s->squares);
  free(s->sums);
  free(s->gram);
  free(s->gram_sums);
  *s = (struct stats){0};
}

void stats_clear(struct stats *s) {
  size_t n = (size_t)s->cols;
  s->samples = 0;
  s->tokens = 0;
  if (s->squares) {
    memset(s->squares, 0, n * sizeof *s->squares);
  }
  if (s->sums) {
    memset(s->sums, 0, n * sizeof *s->sums);
  }
  if (s->shared) {
    shared_gram_clear(s->shared);
  }
  if (s->gram) {
    memset(s->gram, 0, n * n * sizeof *s->gram);
    memset(s->gram_sums, 0, triangle_before(n) * sizeof *s->gram_sums);
  }
}

void stats_copy(struct stats *to, const struct stats *from) {
  size_t n = (size_t)from->cols;
  to->samples = from->samples;
  to->tokens = from->tokens;
  if (from->squares) {
    memcpy(to->squares, from->squares, n * sizeof *to->squares);
  }
  if (from->sums) {
    memcpy(to->sums, from->sums, n * sizeof *to->sums);
  }
  if (from->gram) { /* which is zero between two additions */
    memset(to->gram, 0, n * n * sizeof *to->gram);
    memcpy(to->gram_sums, from->gram_sums, triangle_before(n) * sizeof *to->gram_sums);
  }
}

/* Tokens are added one by one in their order, whatever the number of threads: a task is some
 * columns of all tokens. */
static void add_moments(struct stats *s, const float *x, int tokens) {
  int cols = s->cols;
#pragma omp parallel for schedule(static)
  for (int first = 0; first < cols; first += COLUMNS_PER_TASK) {
    int end = cols - first < COLUMNS_PER_TASK ? cols : first + COLUMNS_PER_TASK;
    for (int t = 0; t < tokens; t++) {
      const float *row = x + (size_t)t * (size_t)cols;
      for (int j = first; s->squares && j < end; j++) {
        s->squares[j] += (double)row[j] * (double)row[j];
      }
      for (int j = first; s->sums && j < end; j++) {
        s->sums[j] += (double)row[j];
      }
    }
  }
}

/* Moves what one call made from gram into the sums. */
static void fold_gram(struct stats *s) {
  size_t n = (size_t)s->cols;
#pragma omp parallel for schedule(dynamic, 16)
  for (size_t i = 0; i < n; i++) {
    double *to = s->gram_sums + triangle_before(i);
    for (size_t j = 0; j <= i; j++) {
      to[j] += (double)s->gram[i * n + j];
    }
    memset(s->gram + i * n, 0, n * sizeof *s->gram);
  }
}

static void unfold_gram(struct stats *s) {
  size_t n = (size_t)s->cols;
#pragma omp parallel for schedule(dynamic, 16)
  for (size_t i = 0; i < n; i++) {
    const double *from = s->gram_sums + triangle_before(i);
    for (size_t j = 0; j <= i; j++) {
      s->gram[i * n + j] = s->gram[j * n + i] = (float)from[j];
    }
  }
}

status stats_add(struct stats *s, const float *x, int tokens, int samples, struct error *err) {
  if (s->squares || s->sums) {
    add_moments(s, x, tokens);
  }
  if (s->gram) {
    TRY(gram_add(s->gram, x, tokens, s->cols, err));
    fold_gram(s);
  }
  s->tokens += tokens;
  s->samples += samples;
  return s->shared ? exchange_give(s->exchange, s, x, tokens, err) : STATUS_OK;
}

static void assume_units(struct stats *s) {
  size_t n = (size_t)s->cols;
  s->samples = 1;
  for (size_t j = 0; j < n; j++) {
    if (s->squares) {
      s->squares[j] = 1;
    }
    if (s->gram) {
      s->gram[j * n + j] = 1;
    }
  }
  if (s->shared) {
    shared_gram_set_identity(s->shared);
  }
}

float stats_diagonal(const struct stats *s, size_t j) {
  return s->shared ? s->shared->diagonal[j] : s->gram[j * (size_t)s->cols + j];
}

status stats_sum(struct stats *s, const struct group *group, struct error *err) {
  size_t n = (size_t)s->cols;
  int64_t counts[] = {s->samples, s->tokens};
  TRY(group_sum_int64(group, counts, 2, err));
  s->samples = counts[0];
  s->tokens = counts[1];
  if (s->squares) {
    TRY(group_sum_double(group, s->squares, n, err));
  }
  if (s->sums) {
    TRY(group_sum_double(group, s->sums, n, err));
  }
  return s->gram ? group_sum_double(group, s->gram_sums, triangle_before(n), err) : STATUS_OK;
}

status stats_reduce(struct stats *s, const struct group *group, struct error *err) {
  TRY(stats_sum(s, group, err));
  if (s->gram) {
    unfold_gram(s);
  }
  if (s->shared) {
    TRY(shared_gram_finish(s->shared, err));
  }
  if (s->tokens == 0) {
    assume_units(s);
  }
  return STATUS_OK;
}
