#include "grid/cost.h"

#include "linalg/matmul.h"

/* In operations of a forward pass that take as long; measured with experiments/demo's model. */
enum {
  SELECT_FLOPS = 500, /* per weight: reading it, its score, a choice within the row, writing it */
  UPDATE_FLOPS = 4,   /* per multiplication of SparseGPT's updates */
  FACTOR_FLOPS = 4,   /* per operation of a factor, in float64 */
};

/* Shape sums over a block's linears. */
struct shapes {
  double weights; /* Σ rows·cols */
  double updates; /* Σ rows·cols², SparseGPT's rank-one updates */
  double inputs;  /* Σ cols over distinct inputs */
  double squares; /* Σ cols² over distinct inputs */
  double cubes;   /* Σ cols³ over distinct inputs */
  double largest; /* cols² of the widest input */
};

static struct shapes block_shapes(const struct model *m) {
  struct shapes s = {0};
  int count, seen = -1;
  const struct linear *l = model_linears(m, &count);
  for (int i = 0; i < count; i++) {
    double rows = l[i].rows, cols = l[i].cols;
    s.weights += rows * cols;
    s.updates += rows * cols * cols;
    if (l[i].input > seen) { /* inputs are numbered in order of execution */
      seen = l[i].input;
      s.inputs += cols;
      s.squares += cols * cols;
      s.cubes += cols * cols * cols;
      s.largest = cols * cols > s.largest ? cols * cols : s.largest;
    }
  }
  return s;
}

/* Of so many runs of a block. */
static double cost_runs(const struct model *m, double tokens, int runs) {
  return tokens * model_block_flops(m) / model_blocks(m) * runs;
}

/* Per block. */
static double cost_statistics(const struct shapes *s, unsigned needs, double tokens) {
  double flops = needs & (STATS_SQUARES | STATS_SUMS) ? 2 * tokens * s->inputs : 0;
  /* a rank-k update: half of a product's 2·tokens·cols² */
  return flops + (needs & STATS_GRAM ? tokens * s->squares : 0);
}

/* Per block: Cholesky n³/3 and triangular inverse n³/3. */
static double cost_factors(const struct shapes *s) {
  return FACTOR_FLOPS * 2.0 / 3.0 * s->cubes;
}

/* Per block: what the linears take once statistics and factors are there. */
static double cost_linears(const struct shapes *s, const struct method *method) {
  double flops = SELECT_FLOPS * s->weights;
  flops += method->needs_factor ? UPDATE_FLOPS * s->updates : 0;
  return flops + (method->needs & STATS_GRAM ? 4 * s->updates : 0); /* the relative error */
}

/* Blocks whose statistics and factors a shared pass has. */
static int shared_blocks(const struct model *m, enum propagate propagate) {
  return propagate == PROPAGATE_DENSE ? model_blocks(m) : 1;
}

/* A pruning in which the first `known` blocks' statistics are there. */
static double cost_prune_from(const struct model *m, const struct method *method,
                              enum propagate propagate, double tokens, int known) {
  if (method->dense) {
    return 0;
  }
  struct shapes s = block_shapes(m);
  int blocks = model_blocks(m), left = blocks - known;
  double flops = blocks * cost_linears(&s, method);
  if (method->needs == STATS_NONE) {
    return flops;
  }
  flops += left * cost_statistics(&s, method->needs, tokens);
  flops += method->needs_factor ? left * cost_factors(&s) : 0;
  int again = propagate == PROPAGATE_PRUNED ? blocks - 1 : 0; /* all but the last, once pruned */
  return flops + cost_runs(m, tokens, left + again);
}

double cost_prune(const struct model *m, const struct method *method, enum propagate propagate,
                  double tokens) {
  return cost_prune_from(m, method, propagate, tokens, 0);
}

double cost_prune_rest(const struct model *m, const struct method *method, enum propagate propagate,
                       double tokens) {
  return cost_prune_from(m, method, propagate, tokens, shared_blocks(m, propagate));
}

double cost_shared_pass(const struct model *m, enum propagate propagate, unsigned needs,
                        double tokens) {
  struct shapes s = block_shapes(m);
  int blocks = shared_blocks(m, propagate);
  return blocks * cost_statistics(&s, needs, tokens) + cost_runs(m, tokens, blocks);
}

double cost_shared_factors(const struct model *m, enum propagate propagate) {
  struct shapes s = block_shapes(m);
  return shared_blocks(m, propagate) * cost_factors(&s);
}

double cost_evaluate(const struct model *m, double tokens, double queries) {
  return tokens * model_block_flops(m) + queries * model_head_flops(m);
}

double cost_bytes(const struct model *m, const struct method *method, double tokens) {
  struct shapes s = block_shapes(m);
  double word = sizeof(float), blocks = model_blocks(m);
  double packed = model_precision(m) == PRECISION_BFLOAT16 ? word / 2 : word;
  double overlay = method->dense ? 0 : blocks * s.weights * word;
  double head = (double)model_vocab(m) * model_hidden(m) * packed;
  double evaluating = blocks * s.weights * packed + head;
  double pruning = 0;
  if (method->needs != STATS_NONE) {
    pruning = tokens * model_hidden(m) * word + s.weights * (packed + word);
    pruning += method->needs & STATS_GRAM ? s.squares * word : 0;
    pruning += method->needs_factor ? 2 * s.largest * word : 0;
  }
  return overlay + (pruning > evaluating ? pruning : evaluating);
}

double cost_seconds(double flops) {
  return flops / (COST_RATE * linalg_threads());
}
