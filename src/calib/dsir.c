/* Importance resampling towards a target data set: Xie, Santurkar, Ma and Liang, "Data Selection
 * for Language Models via Importance Resampling" (arXiv 2302.03169). Unigrams and bigrams, hashed
 * into buckets, are counted over the target (p) and over the set's own documents (q); a window with
 * counts z weighs exp(Σ z_j · (log p_j − log q_j)), and windows are drawn by weight without
 * replacement (Gumbel noise on the logarithm, the largest first). The n-grams are of the model's
 * tokens where the paper has words, because windows are cut in tokens; every bucket counts one more
 * than was seen. */
#include <math.h>
#include <stdlib.h>

#include "calib/select.h"

enum { PARAM_BUCKETS = 1 };

/* The bucket of the n-gram that begins at ids. */
static size_t bucket(const int32_t *ids, size_t n, size_t buckets) {
  return (size_t)(digest_u64(ids, n * sizeof *ids) % buckets);
}

/* log of each bucket's share of the n-grams in ids, into out [buckets]. */
static void shares(const struct ids *ids, size_t buckets, double *out) {
  double total = (double)buckets;
  for (size_t j = 0; j < buckets; j++) {
    out[j] = 1;
  }
  for (size_t n = 1; n <= 2; n++) {
    for (size_t i = 0; i + n <= ids->count; i++) {
      out[bucket(ids->at + i, n, buckets)] += 1;
      total += 1;
    }
  }
  for (size_t j = 0; j < buckets; j++) {
    out[j] = log(out[j] / total);
  }
}

static double weigh(const int32_t *ids, size_t count, const double *weights, size_t buckets) {
  double sum = 0;
  for (size_t n = 1; n <= 2; n++) {
    for (size_t i = 0; i + n <= count; i++) {
      sum += weights[bucket(ids + i, n, buckets)];
    }
  }
  return sum;
}

/* log p − log q of each bucket, into weights [buckets]. */
static status log_ratios(struct pool *pool, double *weights, size_t buckets, struct error *err) {
  double *own;
  TRY(pool_pack(pool->other, err));
  TRY(mem_alloc(&own, buckets, sizeof *own, err));
  shares(&pool->other->all, buckets, weights);
  shares(&pool->all, buckets, own);
  for (size_t j = 0; j < buckets; j++) {
    weights[j] -= own[j];
  }
  free(own);
  return STATUS_OK;
}

static double gumbel(struct rng *rng) {
  double u = rng_double(rng);
  return -log(-log(u > 0 ? u : 0x1p-54));
}

static status rank(struct pool *pool, const struct draw *draw, const struct candidates *c,
                   size_t *order, struct error *err) {
  size_t buckets = (size_t)pool->set->params[PARAM_BUCKETS];
  if (buckets == 0) {
    return err_set(err, STATUS_BUG, "no bucket");
  }
  double *weights = NULL;
  struct scored *scored = NULL;
  struct rng rng;
  status st;
  TRY_GOTO(st, done, mem_alloc(&weights, buckets, sizeof *weights, err));
  TRY_GOTO(st, done, mem_alloc(&scored, c->count, sizeof *scored, err));
  TRY_GOTO(st, done, log_ratios(pool, weights, buckets, err));
  draw_rng(&rng, draw, 0);
  for (size_t i = 0; i < c->count; i++) {
    double weight = weigh(candidates_at(c, i), c->length, weights, buckets);
    scored[i] = (struct scored){weight + gumbel(&rng), i};
  }
  scored_descending(scored, c->count);
  for (int i = 0; i < draw->most; i++) {
    order[i] = scored[i].index;
  }
done:
  free(weights);
  free(scored);
  return st;
}

const struct sampler sampler_dsir = {
    .name = "dsir",
    .targets = true,
    .params = {CANDIDATES_PARAM, {"buckets", 16, 1 << 24, 10000, true}},
    .rank = rank};
