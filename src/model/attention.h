/* Causal attention over packed sequences, a tile of queries at a time: scores exist only for one
 * tile per thread. */
#ifndef ESPALIER_MODEL_ATTENTION_H
#define ESPALIER_MODEL_ATTENTION_H

#include "base/error.h"
#include "linalg/kernel.h"
#include "model/batch.h"

#include <stdbool.h>
#include <stddef.h>

enum { ATTENTION_QUERIES = 64 }; /* queries per tile */

struct attention {
  enum precision precision;
  const struct attention_kernels *kernels; /* of that precision */
  int heads, kv_heads, head_dim;           /* query head h reads key head h / (heads / kv_heads) */
  float scale;
  const float *slopes; /* [heads]: ALiBi (Press et al., arXiv 2108.12409), or NULL */
  bool rounded;        /* slopes · positions in bfloat16, times scale: see model_config */
  float cap;           /* score = cap · tanh(score / cap); 0: not */
  int window;          /* positions that a query sees, itself among them; 0: all before it */
};

/* Queries first .. of one span. */
struct attention_tile {
  int32_t span, first;
};

/* The tiles of a batch in order, out [attention_tiles(batch, NULL)]; returns their number. */
size_t attention_tiles(const struct batch *batch, struct attention_tile *out);

/* Numbers of scratch that a thread needs for this batch. */
size_t attention_scratch(const struct batch *batch, int head_dim, enum precision precision);

/* The products of attention. */
struct attention_kernels {
  struct kernel *scores, *mix, *mix_more; /* q·kᵀ; p·v; the same, added */
};
status attention_kernels_create(struct attention_kernels *out, enum precision precision,
                                struct error *err);
void attention_kernels_free(struct attention_kernels *kernels);

/* ALiBi's slope per head, out [heads]. */
void attention_slopes(int heads, float *out);

/* q [tokens][heads·head_dim] becomes softmax(scale·q·kᵀ)·v; k, v [tokens][kv_heads·head_dim]; all
 * operands (linalg/operand.h). scratch [threads][attention_scratch]. */
status attention_apply(const struct attention *a, const struct batch *batch,
                       const struct attention_tile *tiles, size_t count, void *q, const void *k,
                       const void *v, float *scratch, struct error *err);

#endif
