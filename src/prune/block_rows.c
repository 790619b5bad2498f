#include "prune/block_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/shared_gram.h"
#include "prune/clock.h"
#include "prune/relative_error.h"

/* What one linear's pruning needs beside the pruner. */
struct rows {
  struct block_pruner *p;
  const struct linear *linear;
  const struct stats *stats; /* of its input, or NULL */
  int first, count;          /* this rank's */
};

static const struct group *group_of(const struct block_pruner *p) {
  return p->options->group;
}

static int row_start(const struct linear *l, int rank, int ranks) {
  return (int)((int64_t)l->rows * rank / ranks);
}

static bool is_shared(const struct block_pruner *p, int block, int input) {
  const struct stats *s = block_pruner_stats(p, block, input);
  return s && s->shared;
}

/* Of Gram matrices that single ranks factor, side by side. */
static status factor_own(struct block_pruner *p, int block, struct error *err) {
  for (int i = 0; i < p->inputs; i++) {
    if (!is_shared(p, block, i) && p->factor_owner[i] == group_of(p)->rank) {
      TRY(block_pruner_recall(p, block, i, err));
      TRY_WITH(err, block_pruner_factor(p, block, i, err), "block %d, input %d", block, i);
    }
  }
  return STATUS_OK;
}

static status factor_apart(struct block_pruner *p, int block, struct error *err) {
  size_t inputs = (size_t)p->inputs;
  memset(p->damps, 0, inputs * sizeof *p->damps);
  memset(p->seconds, 0, inputs * sizeof *p->seconds);
  TRY(group_agree(group_of(p), factor_own(p, block, err), err));
  TRY(group_sum_double(group_of(p), p->damps, inputs, err));
  return group_sum_double(group_of(p), p->seconds, inputs, err);
}

/* Of a Gram matrix that the ranks share, by all of them, and only while it is used. */
static status factor_together(struct block_pruner *p, int block, int input, struct error *err) {
  const struct stats *s = &p->stats[input];
  double start = prune_clock();
  TRY_WITH(err,
           shared_gram_factor(s->shared, (float)(2.0 / (double)s->samples), block_pruner_damp(p),
                              &p->damps[input], err),
           "block %d, input %d", block, input);
  p->seconds[input] = prune_clock() - start;
  return STATUS_OK;
}

static status begin_input(struct block_pruner *p, int block, int input, struct error *err) {
  status st = group_agree(group_of(p), block_pruner_recall(p, block, input, err), err);
  if (st == STATUS_OK && p->options->method->needs_factor && is_shared(p, block, input)) {
    st = factor_together(p, block, input, err);
  }
  return st;
}

static void end_input(struct block_pruner *p, int block, int input) {
  if (is_shared(p, block, input)) {
    shared_gram_forget(p->stats[input].shared);
  }
  free(p->factors[input]);
  p->factors[input] = NULL;
}

/* Rows of the factor from the rank that has it, or from all that share it. */
static status give_rows(void *user, int first, int count, float *panel, struct error *err) {
  const struct rows *r = user;
  const struct block_pruner *p = r->p;
  const struct stats *s = r->stats;
  int input = r->linear->input;
  if (s->shared) {
    return shared_gram_rows(s->shared, first, count, panel, err);
  }
  size_t cols = (size_t)s->cols, bytes = (size_t)count * cols * sizeof *panel;
  int owner = p->factor_owner[input];
  if (owner == group_of(p)->rank) {
    memcpy(panel, p->factors[input] + (size_t)first * cols, bytes);
  }
  return group_broadcast(group_of(p), owner, panel, bytes, err);
}

/* Every rank gets the others' rows. */
static status gather(const struct rows *r, float *weights, struct error *err) {
  const struct group *g = group_of(r->p);
  for (int rank = 0; rank < g->size; rank++) {
    size_t first = (size_t)row_start(r->linear, rank, g->size);
    size_t end = (size_t)row_start(r->linear, rank + 1, g->size), cols = (size_t)r->linear->cols;
    TRY(group_broadcast(g, rank, weights + first * cols, (end - first) * cols * sizeof *weights,
                        err));
  }
  return STATUS_OK;
}

static status count_zeros(const struct rows *r, const float *weights, double *share,
                          struct error *err) {
  size_t cols = (size_t)r->linear->cols, n = (size_t)r->count * cols;
  const float *mine = weights + (size_t)r->first * cols;
  int64_t zeros = 0;
#pragma omp parallel for schedule(static) reduction(+ : zeros)
  for (size_t i = 0; i < n; i++) {
    zeros += mine[i] == 0;
  }
  TRY(group_sum_int64(group_of(r->p), &zeros, 1, err));
  *share = (double)zeros / ((double)r->linear->rows * r->linear->cols);
  return STATUS_OK;
}

/* Each rank's rows with the whole Gram matrix, summed in the order of the rows. */
static status error_by_rows(const struct rows *r, const float *weights, const float *gram,
                            double *out, struct error *err) {
  const struct linear *l = r->linear;
  const struct group *g = group_of(r->p);
  double *before = NULL;
  status st = mem_alloc(&before, 2 * (size_t)l->rows, sizeof *before, err);
  if (st == STATUS_OK) {
    st = relative_error_rows(r->p->original, weights + (size_t)r->first * (size_t)l->cols, r->count,
                             l->cols, gram, before + r->first, before + l->rows + r->first, err);
  }
  st = group_agree(g, st, err);
  if (st == STATUS_OK) {
    st = group_sum_double(g, before, 2 * (size_t)l->rows, err);
  }
  if (st == STATUS_OK) {
    *out = relative_error_sum(before, before + l->rows, l->rows);
  }
  free(before);
  return st;
}

/* All rows with each rank's blocks of the Gram matrix. */
static status error_by_blocks(const struct rows *r, const float *weights,
                              const struct shared_gram *gram, double *out, struct error *err) {
  const struct linear *l = r->linear;
  float *original = r->p->original;
  double before, lost;
  TRY(shared_gram_energy(gram, original, l->rows, &before, err));
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < (size_t)l->rows * (size_t)l->cols; i++) {
    original[i] -= weights[i];
  }
  TRY(shared_gram_energy(gram, original, l->rows, &lost, err));
  *out = before > 0 ? sqrt(lost / before) : 0;
  return STATUS_OK;
}

static status prune_rows(struct rows *r, float *weights, struct error *err) {
  const struct block_pruner *p = r->p;
  const struct prune_options *o = p->options;
  const struct factor_source source = {.user = r, .rows = give_rows};
  struct prune_task task = {.weights = weights + (size_t)r->first * (size_t)r->linear->cols,
                            .rows = r->count,
                            .cols = r->linear->cols,
                            .group = o->group,
                            .all_rows = r->linear->rows,
                            .stats = r->stats,
                            .source = o->method->needs_factor ? &source : NULL,
                            .sparsity = o->sparsity,
                            .params = &o->params};
  return group_agree(o->group, method_prune(o->method, &task, err), err);
}

/* The linear as it was, for what its errors are computed from: all of it, or this rank's rows. */
static void keep_original(const struct rows *r, const float *weights, bool all) {
  size_t cols = (size_t)r->linear->cols, first = all ? 0 : (size_t)r->first;
  size_t rows = (size_t)(all ? r->linear->rows : r->count);
  if (r->p->original) {
    memcpy(r->p->original, weights + first * cols, rows * cols * sizeof *weights);
  }
}

static status prune_linear(struct block_pruner *p, int block, int linear, struct prune_layer *layer,
                           struct error *err) {
  const struct group *g = group_of(p);
  const struct linear *l = &p->linears[linear];
  const struct stats *stats = block_pruner_stats(p, block, l->input);
  struct rows r = {.p = p, .linear = l, .stats = stats};
  r.first = row_start(l, g->rank, g->size);
  r.count = row_start(l, g->rank + 1, g->size) - r.first;
  float *weights = p->room;
  *layer =
      (struct prune_layer){.block = block, .linear = linear, .relative_error = NAN, .damp = NAN};
  TRY(group_agree(g, model_linear_read(p->model, block, linear, weights, err), err));
  keep_original(&r, weights, stats && stats->shared);
  double start = prune_clock();
  TRY_WITH(err, prune_rows(&r, weights, err), "block %d, %s", block, l->name);
  layer->seconds = prune_clock() - start;
  if (p->options->method->needs_factor) {
    layer->damp = p->damps[l->input];
    layer->seconds += p->seconds[l->input];
    p->seconds[l->input] = 0;
  }
  TRY(gather(&r, weights, err));
  TRY(count_zeros(&r, weights, &layer->sparsity, err));
  if (stats && stats->shared && stats->tokens > 0) {
    TRY(error_by_blocks(&r, weights, stats->shared, &layer->relative_error, err));
  } else if (stats && stats->gram && stats->tokens > 0) {
    TRY(error_by_rows(&r, weights, stats->gram, &layer->relative_error, err));
  }
  return group_broadcast(g, 0, layer, sizeof *layer, err); /* one rank's clock */
}

status block_rows_run(struct block_pruner *p, int block, struct prune_layer *layers,
                      const struct block_taker *to, struct error *err) {
  const struct group *g = group_of(p);
  if (p->options->method->needs_factor) {
    TRY(factor_apart(p, block, err));
  }
  for (int l = 0; l < p->count; l++) {
    int input = p->linears[l].input;
    if (l == 0 || p->linears[l - 1].input != input) {
      TRY(begin_input(p, block, input, err));
    }
    TRY(prune_linear(p, block, l, &layers[l], err));
    status st = to->take(to->user, block, l, p->room, err);
    st = st == STATUS_OK ? progress_step(p->progress, err) : st;
    TRY(group_agree(g, st, err));
    if (l + 1 == p->count || p->linears[l + 1].input != input) {
      end_input(p, block, input);
    }
  }
  return STATUS_OK;
}
