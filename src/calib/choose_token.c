#include "calib/choose_token.h"

#include <math.h>
#include <stdlib.h>

static int by_weight(const void *x, const void *y) {
  const struct token_weight *a = x, *b = y;
  if (a->weight != b->weight) {
    return a->weight > b->weight ? -1 : 1;
  }
  return a->id < b->id ? -1 : a->id > b->id;
}

/* e^((logit − largest) / temperature) of each token; returns their sum. */
static double weigh(const struct token_choice *how, const float *logits, size_t vocab,
                    struct token_weight *out) {
  float most = logits[0];
  for (size_t i = 1; i < vocab; i++) {
    most = logits[i] > most ? logits[i] : most;
  }
  double sum = 0;
  for (size_t i = 0; i < vocab; i++) {
    out[i] = (struct token_weight){exp((logits[i] - (double)most) / how->temperature), (int32_t)i};
    sum += out[i].weight;
  }
  return sum;
}

/* The first tokens in order of weight whose sum reaches the share; at least one. */
static size_t nucleus(const struct token_weight *at, size_t count, double share, double *sum) {
  double aim = share * *sum, reached = 0;
  size_t n = 0;
  while (n < count && (n == 0 || reached < aim)) {
    reached += at[n++].weight;
  }
  *sum = reached;
  return n;
}

int32_t choose_token(const struct token_choice *how, const float *logits, size_t vocab,
                     struct rng *rng, struct token_weight *scratch) {
  size_t count = vocab;
  double sum = weigh(how, logits, vocab, scratch);
  if ((how->top_k > 0 && (size_t)how->top_k < vocab) || how->top_p < 1) {
    qsort(scratch, vocab, sizeof *scratch, by_weight);
  }
  if (how->top_k > 0 && (size_t)how->top_k < vocab) {
    count = (size_t)how->top_k;
    sum = 0;
    for (size_t i = 0; i < count; i++) {
      sum += scratch[i].weight;
    }
  }
  if (how->top_p < 1) {
    count = nucleus(scratch, count, how->top_p, &sum);
  }
  double aim = rng_double(rng) * sum;
  for (size_t i = 0; i + 1 < count; i++) {
    aim -= scratch[i].weight;
    if (aim < 0) {
      return scratch[i].id;
    }
  }
  return scratch[count - 1].id;
}
