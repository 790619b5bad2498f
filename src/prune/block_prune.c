#include "prune/block_prune.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "prune/assign.h"
#include "prune/block_rows.h"
#include "prune/clock.h"
#include "prune/hessian.h"
#include "prune/relative_error.h"

static size_t elements(const struct linear *l) {
  return (size_t)l->rows * (size_t)l->cols;
}

/* Bytes of an element of a Gram matrix (stats.h), and of a factor in the making. */
enum { WHOLE_GRAM = 8 };

static bool alone(const struct block_pruner *p) {
  return p->options->group->size == 1;
}

/* Factors that single ranks make are spread over them. */
static status share_out(struct block_pruner *p, struct error *err) {
  int ranks = p->options->group->size;
  double *costs;
  TRY(mem_alloc(&costs, (size_t)(p->inputs + ranks), sizeof *costs, err));
  for (int i = 0; i < p->count; i++) {
    const struct linear *l = &p->linears[i];
    bool together = p->stats && p->stats[l->input].shared;
    costs[l->input] = together ? 0 : (double)l->cols * l->cols * l->cols;
  }
  assign_tasks(costs, p->inputs, ranks, costs + p->inputs, p->factor_owner);
  free(costs);
  return STATUS_OK;
}

/* Bytes of the Gram matrices that each rank has whole (stats.h), and of the largest one's factor.
 */
static double whole_bytes(const struct block_pruner *p, const int *cols, const bool *shared,
                          int *widest) {
  double sum = 0, most = 0;
  for (int i = 0; i < p->inputs; i++) {
    double square = (double)cols[i] * cols[i];
    sum += shared[i] ? 0 : square;
    if (!shared[i] && square > most) {
      most = square;
      *widest = i;
    }
  }
  return WHOLE_GRAM * (sum + (p->options->method->needs_factor ? most : 0));
}

/* Which inputs' Gram matrices are the group's: those that it factors together, and the widest of
 * the others while they take too much of a rank's memory. */
static void choose_shared(const struct block_pruner *p, const int *cols, bool *shared) {
  const struct prune_options *o = p->options;
  if (alone(p) || !(o->method->needs & STATS_GRAM)) {
    return;
  }
  int widest = 0;
  for (int i = 0; i < p->inputs; i++) {
    shared[i] = factor_is_shared(o->factor, cols[i], o->group);
  }
  while (o->factor == FACTOR_AUTO && p->gram_bytes > 0 &&
         whole_bytes(p, cols, shared, &widest) > (double)p->gram_bytes) {
    shared[widest] = true;
  }
}

static status create_own_stats(struct block_pruner *p, bool *shared, struct error *err) {
  unsigned needs = p->options->method->needs;
  int *cols;
  TRY(mem_alloc(&cols, (size_t)p->inputs, sizeof *cols, err));
  for (int i = 0; i < p->count; i++) {
    cols[p->linears[i].input] = p->linears[i].cols;
  }
  choose_shared(p, cols, shared);
  status st = STATUS_OK;
  for (int i = 0; i < p->inputs && st == STATUS_OK; i++) {
    st =
        stats_create(&p->stats[i], cols[i], shared[i] ? needs & ~(unsigned)STATS_GRAM : needs, err);
  }
  free(cols);
  return st;
}

static status create_stats(struct block_pruner *p, struct error *err) {
  bool *shared = NULL;
  status st = mem_alloc(&p->stats, (size_t)p->inputs, sizeof *p->stats, err);
  st = st == STATUS_OK ? mem_alloc(&shared, (size_t)p->inputs, sizeof *shared, err) : st;
  st = st == STATUS_OK ? create_own_stats(p, shared, err) : st;
  st = group_agree(p->options->group, st, err);
  if (st == STATUS_OK) {
    st = exchange_open(&p->exchange, p->options->group, p->stats, shared, p->inputs, err);
  }
  free(shared);
  return st;
}

static status allocate(struct block_pruner *p, struct error *err) {
  size_t count = (size_t)p->count, inputs = (size_t)p->inputs, largest = 0, widest = 0;
  TRY(mem_alloc(&p->factor_owner, inputs, sizeof *p->factor_owner, err));
  TRY(mem_alloc(&p->factors, inputs, sizeof *p->factors, err));
  TRY(mem_alloc(&p->damps, inputs, sizeof *p->damps, err));
  TRY(mem_alloc(&p->seconds, inputs, sizeof *p->seconds, err));
  for (size_t i = 0; i < count; i++) {
    size_t n = elements(&p->linears[i]);
    size_t cols = (size_t)p->linears[i].cols;
    largest = n > largest ? n : largest;
    widest = cols > widest ? cols : widest;
  }
  unsigned needs = p->options->method->needs;
  TRY(mem_alloc_raw(&p->room, largest, sizeof *p->room, err));
  if (needs & STATS_GRAM) {
    TRY(mem_alloc_raw(&p->original, largest, sizeof *p->original, err));
  }
  if (needs & STATS_GRAM && p->known > 0) {
    TRY(mem_alloc_raw(&p->gram, widest * widest, sizeof *p->gram, err));
  }
  return STATUS_OK;
}

/* Whether the group would cut a Gram matrix: then no rank is to hold whole ones. */
static bool cuts_any(const struct block_pruner *p) {
  const struct prune_options *o = p->options;
  double sum = 0, most = 0;
  int seen = -1;
  if (alone(p) || !(o->method->needs & STATS_GRAM)) {
    return false;
  }
  for (int i = 0; i < p->count; i++) {
    double square = (double)p->linears[i].cols * p->linears[i].cols;
    if (factor_is_shared(o->factor, p->linears[i].cols, o->group)) {
      return true;
    }
    sum += p->linears[i].input > seen ? square : 0; /* inputs are numbered in order of execution */
    seen = p->linears[i].input > seen ? p->linears[i].input : seen;
    most = square > most ? square : most;
  }
  double factor = o->method->needs_factor ? most : 0;
  return o->factor == FACTOR_AUTO && p->gram_bytes > 0 &&
         WHOLE_GRAM * (sum + factor) > (double)p->gram_bytes;
}

/* What a shared pass spares: all blocks' statistics where the dense model's are wanted, else those
 * of the first, which comes before anything pruned. */
static void look_up(struct block_pruner *p) {
  const struct prune_options *o = p->options;
  if (!o->shared || o->method->needs == STATS_NONE || cuts_any(p)) {
    return;
  }
  int has = shared_pass_blocks(o->shared), blocks = model_blocks(p->model);
  int known = o->propagate == PROPAGATE_PRUNED ? 1 : has == blocks ? blocks : 0;
  int snapshot = shared_pass_find(o->shared, o->calibration->count, o->method->needs);
  if (snapshot >= 0 && known > 0) {
    p->shared = o->shared;
    p->known = known;
    p->snapshot = snapshot;
  }
}

status block_pruner_open(struct block_pruner *p, const struct model *m,
                         const struct prune_options *options, struct progress *progress,
                         struct error *err) {
  *p = (struct block_pruner){.model = m, .options = options, .progress = progress};
  p->linears = model_linears(m, &p->count);
  p->inputs = model_inputs(m);
  p->gram_bytes = options->gram_bytes;
  TRY(group_broadcast(options->group, 0, &p->gram_bytes, sizeof p->gram_bytes, err));
  look_up(p);
  status st = group_agree(options->group, allocate(p, err), err);
  if (st == STATUS_OK && options->method->needs != STATS_NONE && p->known < model_blocks(m)) {
    st = create_stats(p, err);
  }
  if (st == STATUS_OK) {
    st = share_out(p, err);
  }
  if (st != STATUS_OK) {
    block_pruner_close(p);
  }
  return st;
}

static void drop_factors(struct block_pruner *p) {
  for (int i = 0; p->factors && i < p->inputs; i++) {
    free(p->factors[i]);
    p->factors[i] = NULL;
  }
}

void block_pruner_close(struct block_pruner *p) {
  drop_factors(p);
  free(p->room);
  exchange_close(&p->exchange);
  for (int i = 0; p->stats && i < p->inputs; i++) {
    stats_free(&p->stats[i]);
  }
  free(p->factor_owner);
  free(p->factors);
  free(p->damps);
  free(p->seconds);
  free(p->stats);
  free(p->original);
  free(p->gram);
  *p = (struct block_pruner){0};
}

status block_pruner_check(const struct stats *s, int block, int input, struct error *err) {
  for (size_t j = 0; j < (size_t)s->cols; j++) {
    bool good = (!s->squares || isfinite(s->squares[j])) && (!s->sums || isfinite(s->sums[j])) &&
                (!(s->has & STATS_GRAM) || isfinite(stats_diagonal(s, j)));
    if (!good) {
      return err_set(err, STATUS_NUMERIC,
                     "block %d: input %d has activations that are not finite at position %zu",
                     block, input, j);
    }
  }
  return STATUS_OK;
}

/* Whether the shared pass has the block's statistics. */
static bool is_known(const struct block_pruner *p, int block) {
  return block < p->known;
}

const struct stats *block_pruner_stats(const struct block_pruner *p, int block, int input) {
  return is_known(p, block) ? &p->recalled : p->stats ? &p->stats[input] : NULL;
}

double block_pruner_damp(const struct block_pruner *p) {
  const struct prune_options *o = p->options;
  return o->params.value[method_param_index(o->method, "damp")];
}

status block_pruner_factor(struct block_pruner *p, int block, int input, struct error *err) {
  const struct prune_options *o = p->options;
  const struct stats *stats = block_pruner_stats(p, block, input);
  size_t n = (size_t)stats->cols;
  double start = prune_clock(), damp = block_pruner_damp(p);
  TRY(mem_alloc_raw(&p->factors[input], n * n, sizeof **p->factors, err));
  if (is_known(p, block)) {
    TRY(shared_pass_factor(p->shared, p->snapshot, block, input, stats, damp, p->factors[input],
                           &p->damps[input], err));
  } else {
    hessian_fill(stats, p->factors[input]);
    TRY(factor_inverse_upper(p->factors[input], stats->cols, damp,
                             alone(p) ? o->factor : FACTOR_LOCAL, o->group, &p->damps[input], err));
  }
  p->seconds[input] = prune_clock() - start;
  return STATUS_OK;
}

static double zero_share(const float *w, size_t n) {
  size_t zeros = 0;
#pragma omp parallel for schedule(static) reduction(+ : zeros)
  for (size_t i = 0; i < n; i++) {
    zeros += w[i] == 0;
  }
  return (double)zeros / (double)n;
}

static status prune_linear(struct block_pruner *p, int block, int linear, struct prune_layer *layer,
                           struct error *err) {
  const struct prune_options *o = p->options;
  const struct linear *l = &p->linears[linear];
  const struct stats *stats = block_pruner_stats(p, block, l->input);
  struct prune_task task = {.weights = p->room,
                            .rows = l->rows,
                            .cols = l->cols,
                            .stats = stats,
                            .factor = p->factors[l->input],
                            .sparsity = o->sparsity,
                            .params = &o->params};
  *layer =
      (struct prune_layer){.block = block, .linear = linear, .relative_error = NAN, .damp = NAN};
  TRY(model_linear_read(p->model, block, linear, task.weights, err));
  double start = prune_clock();
  TRY_WITH(err, method_prune(o->method, &task, err), "block %d, %s", block, l->name);
  layer->seconds = prune_clock() - start;
  if (o->method->needs_factor) {
    layer->damp = p->damps[l->input];
    layer->seconds += p->seconds[l->input];
    p->seconds[l->input] = 0;
  }
  layer->sparsity = zero_share(task.weights, elements(l));
  if (stats && stats->gram && stats->tokens > 0) {
    TRY(model_linear_read(p->model, block, linear, p->original, err));
    TRY(relative_error(p->original, task.weights, l->rows, l->cols, stats->gram,
                       &layer->relative_error, err));
  }
  return progress_step(p->progress, err);
}

status block_pruner_recall(struct block_pruner *p, int block, int input, struct error *err) {
  if (!is_known(p, block)) {
    return STATUS_OK;
  }
  shared_pass_recall(p->shared, p->snapshot, block, input, p->options->method->needs, p->gram,
                     &p->recalled);
  return block_pruner_check(&p->recalled, block, input, err);
}

/* What has to be there before an input's linears are pruned. */
static status prepare_input(struct block_pruner *p, int block, int input, struct error *err) {
  TRY(block_pruner_recall(p, block, input, err));
  if (p->options->method->needs_factor) {
    TRY_WITH(err, block_pruner_factor(p, block, input, err), "block %d, input %d", block, input);
  }
  return STATUS_OK;
}

/* A process of its own: each input's factor lives while its linears are pruned. */
static status run_alone(struct block_pruner *p, int block, struct prune_layer *layers,
                        const struct block_taker *to, struct error *err) {
  for (int i = 0; i < p->inputs; i++) {
    TRY(prepare_input(p, block, i, err));
    for (int l = 0; l < p->count; l++) {
      if (p->linears[l].input == i) {
        TRY(prune_linear(p, block, l, &layers[l], err));
        TRY(to->take(to->user, block, l, p->room, err));
      }
    }
    free(p->factors[i]);
    p->factors[i] = NULL;
  }
  return STATUS_OK;
}

status block_pruner_run(struct block_pruner *p, int block, struct prune_layer *layers,
                        const struct block_taker *to, struct error *err) {
  status st = (alone(p) ? run_alone : block_rows_run)(p, block, layers, to, err);
  drop_factors(p);
  return st;
}
