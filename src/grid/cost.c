#include "grid/cost.h"

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
  double linear;  /* rows·cols of the largest linear */
};

static struct shapes block_shapes(const struct model *m) {
  struct shapes s = {0};
  int count, seen = -1;
  const struct linear *l = model_linears(m, &count);
  for (int i = 0; i < count; i++) {
    double rows = l[i].rows, cols = l[i].cols;
    s.weights += rows * cols;
    s.linear = rows * cols > s.linear ? rows * cols : s.linear;
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

/* Of an operand in the model's precision. */
static double operand_bytes(const struct model *m) {
  return model_precision(m) == PRECISION_BFLOAT16 ? 2 : sizeof(float);
}

static double head_bytes(const struct model *m) {
  return (double)model_vocab(m) * model_hidden(m) * operand_bytes(m);
}

static double overlay_bytes(const struct model *m, const struct shapes *s,
                            const struct method *method) {
  return method->dense ? 0 : model_blocks(m) * s->weights * sizeof(float);
}

/* Gram matrices and a factor: float64 sums of half of each beside the whole in float32, and a
 * factor with room to work; or each rank's blocks of them (linalg/shared_gram.h). */
static double gram_bytes(const struct shapes *s, const struct method *method, int ranks) {
  if (!(method->needs & STATS_GRAM)) {
    return 0;
  }
  double factor = method->needs_factor ? 8 * s->largest : 0;
  if (ranks == 1) {
    return 8 * s->squares + factor;
  }
  double gathering = 4 * s->squares, factoring = 2 * s->squares + factor;
  return (gathering > factoring ? gathering : factoring) / ranks;
}

/* Without the pruned weights. sharers: ranks that have the block in common. */
static double pruning_bytes(const struct model *m, const struct shapes *s,
                            const struct method *method, double tokens, int ranks, int sharers) {
  double word = sizeof(float), rooms = method->needs & STATS_GRAM ? 2 : 1;
  if (method->needs == STATS_NONE) {
    return s->linear * word;
  }
  return tokens * model_hidden(m) * word / ranks + s->weights * operand_bytes(m) / sharers +
         rooms * s->linear * word + gram_bytes(s, method, ranks);
}

double cost_bytes(const struct model *m, const struct method *method, double tokens) {
  struct shapes s = block_shapes(m);
  double evaluating = model_blocks(m) * s.weights * operand_bytes(m) + head_bytes(m);
  double pruning = method->dense ? 0 : pruning_bytes(m, &s, method, tokens, 1, 1);
  return overlay_bytes(m, &s, method) + (pruning > evaluating ? pruning : evaluating);
}

double cost_least_bytes(const struct model *m, const struct method *method, double tokens,
                        int ranks, int node) {
  struct shapes s = block_shapes(m);
  int sharers = ranks < node ? ranks : node;
  double overlay = overlay_bytes(m, &s, method) / sharers;
  double evaluating = s.weights * operand_bytes(m) + s.linear * sizeof(float) + head_bytes(m);
  double pruning = method->dense ? 0 : pruning_bytes(m, &s, method, tokens, ranks, sharers);
  return COST_REST + overlay + (pruning > evaluating ? pruning : evaluating);
}
