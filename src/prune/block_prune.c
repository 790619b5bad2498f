#include "prune/block_prune.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "prune/assign.h"
#include "prune/hessian.h"
#include "prune/relative_error.h"

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static size_t elements(const struct linear *l) {
  return (size_t)l->rows * (size_t)l->cols;
}

/* Multiplications, roughly. */
static double prune_cost(const struct linear *l, bool second_order) {
  double n = (double)elements(l);
  return second_order ? n * l->cols : n;
}

/* The linears of one input stay together when they share a factor. */
static status share_out(struct block_pruner *p, struct error *err) {
  int ranks = p->options->group->size;
  bool together = p->options->method->needs_factor;
  double *costs;
  TRY(mem_alloc(&costs, (size_t)(p->count + ranks), sizeof *costs, err));
  double *load = costs + p->count;
  for (int i = 0; i < p->count; i++) {
    const struct linear *l = &p->linears[i];
    double cubed = (double)l->cols * l->cols * l->cols;
    if (together) {
      costs[l->input] += prune_cost(l, true) + (costs[l->input] == 0 ? cubed : 0);
    } else {
      costs[i] = prune_cost(l, false);
    }
  }
  if (together) {
    assign_tasks(costs, p->inputs, ranks, load, p->factor_owner);
    for (int i = 0; i < p->count; i++) {
      p->owner[i] = p->factor_owner[p->linears[i].input];
    }
  } else {
    assign_tasks(costs, p->count, ranks, load, p->owner);
  }
  free(costs);
  return STATUS_OK;
}

static status create_stats(struct block_pruner *p, struct error *err) {
  TRY(mem_alloc(&p->stats, (size_t)p->inputs, sizeof *p->stats, err));
  for (int i = 0; i < p->count; i++) {
    const struct linear *l = &p->linears[i];
    if (p->stats[l->input].has == STATS_NONE) {
      TRY(stats_create(&p->stats[l->input], l->cols, p->options->method->needs, err));
    }
  }
  return STATUS_OK;
}

static bool alone(const struct block_pruner *p) {
  return p->options->group->size == 1;
}

static status allocate_weights(struct block_pruner *p, size_t largest, struct error *err) {
  size_t count = (size_t)p->count;
  TRY(mem_alloc(&p->weights, count, sizeof *p->weights, err));
  if (alone(p)) {
    TRY(mem_alloc_raw(&p->room, largest, sizeof *p->room, err));
  }
  for (size_t i = 0; i < count; i++) {
    p->weights[i] = p->room;
    if (!p->room) {
      size_t n = elements(&p->linears[i]);
      TRY(mem_alloc_raw(&p->weights[i], n, sizeof **p->weights, err));
    }
  }
  return STATUS_OK;
}

static status allocate(struct block_pruner *p, struct error *err) {
  size_t count = (size_t)p->count, inputs = (size_t)p->inputs, largest = 0, widest = 0;
  TRY(mem_alloc(&p->owner, count, sizeof *p->owner, err));
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
  TRY(allocate_weights(p, largest, err));
  unsigned needs = p->options->method->needs;
  if (needs != STATS_NONE && p->known < model_blocks(p->model)) {
    TRY(create_stats(p, err));
  }
  if (needs & STATS_GRAM) {
    TRY(mem_alloc_raw(&p->original, largest, sizeof *p->original, err));
  }
  if (needs & STATS_GRAM && p->known > 0) {
    TRY(mem_alloc_raw(&p->gram, widest * widest, sizeof *p->gram, err));
  }
  return share_out(p, err);
}

/* What a shared pass spares: all blocks' statistics where the dense model's are wanted, else those
 * of the first, which comes before anything pruned. */
static void look_up(struct block_pruner *p) {
  const struct prune_options *o = p->options;
  if (!o->shared || o->method->needs == STATS_NONE || o->group->size > 1) {
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

status block_pruner_open(struct block_pruner *out, const struct model *m,
                         const struct prune_options *options, struct progress *progress,
                         struct error *err) {
  struct block_pruner p = {.model = m, .options = options, .progress = progress};
  p.linears = model_linears(m, &p.count);
  p.inputs = model_inputs(m);
  look_up(&p);
  status st = allocate(&p, err);
  if (st != STATUS_OK) {
    block_pruner_close(&p);
  }
  *out = p;
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
  for (int i = 0; p->weights && !p->room && i < p->count; i++) {
    free(p->weights[i]);
  }
  free(p->room);
  for (int i = 0; p->stats && i < p->inputs; i++) {
    stats_free(&p->stats[i]);
  }
  free(p->owner);
  free(p->factor_owner);
  free(p->factors);
  free(p->damps);
  free(p->seconds);
  free(p->weights);
  free(p->stats);
  free(p->original);
  free(p->gram);
  *p = (struct block_pruner){0};
}

status block_pruner_check(const struct stats *s, int block, int input, struct error *err) {
  for (size_t j = 0; j < (size_t)s->cols; j++) {
    bool good = (!s->squares || isfinite(s->squares[j])) && (!s->sums || isfinite(s->sums[j])) &&
                (!s->gram || isfinite(s->gram[j * (size_t)s->cols + j]));
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

static const struct stats *stats_of(const struct block_pruner *p, int block, int input) {
  return is_known(p, block) ? &p->recalled : p->stats ? &p->stats[input] : NULL;
}

/* The factor of one input, on this rank or by all of them together. */
static status factor(struct block_pruner *p, int block, int input, bool together,
                     struct error *err) {
  const struct prune_options *o = p->options;
  const struct stats *stats = stats_of(p, block, input);
  size_t n = (size_t)stats->cols;
  double start = now(), damp = o->params.value[method_param_index(o->method, "damp")];
  status st = mem_alloc_raw(&p->factors[input], n * n, sizeof **p->factors, err);
  if (together) {
    st = group_agree(o->group, st, err);
  }
  TRY(st);
  if (is_known(p, block)) {
    TRY(shared_pass_factor(p->shared, p->snapshot, block, input, stats, damp, p->factors[input],
                           &p->damps[input], err));
  } else {
    hessian_fill(stats, p->factors[input]);
    TRY(factor_inverse_upper(p->factors[input], stats->cols, damp,
                             together ? FACTOR_SCALAPACK : FACTOR_LOCAL, o->group, &p->damps[input],
                             err));
  }
  p->seconds[input] = now() - start;
  return STATUS_OK;
}

/* Factors the inputs that take all ranks; a shared pass serves groups of one alone. */
static status factor_together(struct block_pruner *p, int block, struct error *err) {
  const struct prune_options *o = p->options;
  for (int i = 0; !is_known(p, block) && i < p->inputs; i++) {
    if (factor_is_shared(o->factor, p->stats[i].cols, o->group)) {
      TRY(factor(p, block, i, true, err));
      if (p->factor_owner[i] != p->options->group->rank) {
        free(p->factors[i]);
        p->factors[i] = NULL;
      }
    }
  }
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
  const struct stats *stats = stats_of(p, block, l->input);
  struct prune_task task = {.weights = p->weights[linear],
                            .rows = l->rows,
                            .cols = l->cols,
                            .stats = stats,
                            .factor = p->factors[l->input],
                            .sparsity = o->sparsity,
                            .params = &o->params};
  *layer =
      (struct prune_layer){.block = block, .linear = linear, .relative_error = NAN, .damp = NAN};
  TRY(model_linear_read(p->model, block, linear, task.weights, err));
  double start = now();
  TRY_WITH(err, method_prune(o->method, &task, err), "block %d, %s", block, l->name);
  layer->seconds = now() - start;
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

/* What has to be there before an input's linears are pruned. */
static status prepare_input(struct block_pruner *p, int block, int input, struct error *err) {
  const struct prune_options *o = p->options;
  if (is_known(p, block)) {
    shared_pass_recall(p->shared, p->snapshot, block, input, o->method->needs, p->gram,
                       &p->recalled);
    TRY(block_pruner_check(&p->recalled, block, input, err));
  }
  bool mine = o->method->needs_factor && p->factor_owner[input] == o->group->rank;
  if (mine && !p->factors[input]) {
    TRY_WITH(err, factor(p, block, input, false, err), "block %d, input %d", block, input);
  }
  return STATUS_OK;
}

/* This rank's linears; each input's factor lives while its linears are pruned. */
static status prune_own(struct block_pruner *p, int block, struct prune_layer *layers,
                        const struct block_taker *to, struct error *err) {
  int me = p->options->group->rank;
  for (int i = 0; i < p->inputs; i++) {
    TRY(prepare_input(p, block, i, err));
    for (int l = 0; l < p->count; l++) {
      if (p->linears[l].input == i && p->owner[l] == me) {
        TRY(prune_linear(p, block, l, &layers[l], err));
        TRY(alone(p) ? to->take(to->user, block, l, p->weights[l], err) : STATUS_OK);
      }
    }
    free(p->factors[i]);
    p->factors[i] = NULL;
  }
  return STATUS_OK;
}

static status exchange(struct block_pruner *p, struct prune_layer *layers, struct error *err) {
  for (int l = 0; l < p->count; l++) {
    const struct group *g = p->options->group;
    size_t bytes = elements(&p->linears[l]) * sizeof **p->weights;
    TRY(group_broadcast(g, p->owner[l], p->weights[l], bytes, err));
    TRY(group_broadcast(g, p->owner[l], &layers[l], sizeof layers[l], err));
  }
  return STATUS_OK;
}

static status hand_over(struct block_pruner *p, int block, const struct block_taker *to,
                        struct error *err) {
  for (int l = 0; l < p->count; l++) {
    TRY(to->take(to->user, block, l, p->weights[l], err));
  }
  return STATUS_OK;
}

status block_pruner_run(struct block_pruner *p, int block, struct prune_layer *layers,
                        const struct block_taker *to, struct error *err) {
  status st = STATUS_OK;
  if (p->options->method->needs_factor) {
    TRY_GOTO(st, done, factor_together(p, block, err));
  }
  st = prune_own(p, block, layers, to, err);
  TRY_GOTO(st, done, group_agree(p->options->group, st, err));
  if (!alone(p)) {
    TRY_GOTO(st, done, exchange(p, layers, err));
    st = group_agree(p->options->group, hand_over(p, block, to, err), err);
  }
done:
  drop_factors(p);
  return st;
}
