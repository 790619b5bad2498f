#include "grid/cost.h"

#include "linalg/matmul.h"

enum {
  PASSES = 2,        /* a block runs once for its statistics and once pruned */
  SELECT_FLOPS = 40, /* per weight: scores and a sort of a row, in product-equivalents */
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

double cost_prune(const struct model *m, const struct method *method, double tokens) {
  if (method->dense) {
    return 0;
  }
  struct shapes s = block_shapes(m);
  double flops = SELECT_FLOPS * s.weights;
  if (method->needs & (STATS_SQUARES | STATS_SUMS)) {
    flops += 2 * tokens * s.inputs;
  }
  if (method->needs & STATS_GRAM) {
    flops += tokens * s.squares; /* a rank-k update: half of a product's 2·tokens·cols² */
  }
  if (method->needs_factor) {
    flops += 2.0 / 3.0 * s.cubes + s.updates; /* Cholesky n³/3 and triangular inverse n³/3 */
  }
  double passes = method->needs == STATS_NONE ? 0 : PASSES * tokens * model_block_flops(m);
  return model_blocks(m) * flops + passes;
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
