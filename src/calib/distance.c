#include "calib/distance.h"

#include <math.h>
#include <stdlib.h>

#include "calib/dense.h"

/* Finaliser of splitmix64: every bit of the pair reaches the bucket. */
static size_t bucket(int32_t first, int32_t second) {
  uint64_t x = (uint64_t)(uint32_t)first << 32 | (uint32_t)second;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
  x = (x ^ x >> 27) * 0x94d049bb133111ebU;
  return (size_t)((x ^ x >> 31) % NGRAM_BUCKETS);
}

static status count_sequence(struct ngrams *n, const int32_t *ids, size_t length,
                             struct error *err) {
  for (size_t i = 0; i < length; i++) {
    if (ids[i] < 0 || ids[i] >= n->vocab) {
      return err_set(err, STATUS_INPUT, "token id %d (expected below %d)", (int)ids[i], n->vocab);
    }
    n->tokens[ids[i]]++;
    if (i > 0) {
      n->pairs[bucket(ids[i - 1], ids[i])]++;
    }
  }
  n->token_total += length;
  n->pair_total += length > 0 ? length - 1 : 0;
  return STATUS_OK;
}

status ngrams_count(struct ngrams *out, const struct sequences *s, int vocab, struct error *err) {
  struct ngrams n = {.vocab = vocab};
  status st;
  TRY_GOTO(st, end, mem_alloc(&n.tokens, (size_t)vocab, sizeof *n.tokens, err));
  TRY_GOTO(st, end, mem_alloc(&n.pairs, NGRAM_BUCKETS, sizeof *n.pairs, err));
  for (size_t i = 0; i < s->count; i++) {
    TRY_GOTO(st, end, count_sequence(&n, sequences_at(s, i), sequences_length(s, i), err));
  }
end:
  if (st != STATUS_OK) {
    ngrams_free(&n);
    return st;
  }
  *out = n;
  return STATUS_OK;
}

void ngrams_free(struct ngrams *n) {
  free(n->tokens);
  free(n->pairs);
  *n = (struct ngrams){0};
}

/* In bits, of counts [count] that add up to the totals. */
static double divergence(const uint64_t *a, double a_total, const uint64_t *b, double b_total,
                         size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; i++) {
    double p = (double)a[i] / a_total, q = (double)b[i] / b_total, m = (p + q) / 2;
    sum += (p > 0 ? p * log2(p / m) : 0) + (q > 0 ? q * log2(q / m) : 0);
  }
  return sum / 2;
}

double ngrams_distance(const struct ngrams *a, const struct ngrams *b) {
  if (!a->token_total || !b->token_total) {
    return NAN;
  }
  double tokens = divergence(a->tokens, (double)a->token_total, b->tokens, (double)b->token_total,
                             (size_t)a->vocab);
  double pairs = tokens; /* single tokens have no neighbours */
  if (a->pair_total && b->pair_total) {
    pairs =
        divergence(a->pairs, (double)a->pair_total, b->pairs, (double)b->pair_total, NGRAM_BUCKETS);
  }
  double mean = (tokens + pairs) / 2;
  return mean < 0 ? 0 : mean > 1 ? 1 : sqrt(mean); /* rounding may leave the range */
}

/* `most` of the sequences, evenly spread. */
static status choose(struct sequences *out, const struct sequences *s, size_t most,
                     struct error *err) {
  size_t count = s->count < most ? s->count : most;
  for (size_t i = 0; i < count; i++) {
    size_t k = i * s->count / count;
    TRY(sequences_add(out, sequences_at(s, k), sequences_length(s, k), err));
  }
  return STATUS_OK;
}

status hidden_mean(const struct model *m, const struct sequences *s, size_t most, double *mean,
                   struct error *err) {
  size_t hidden = (size_t)model_hidden(m);
  struct sequences some = {0};
  float *means = NULL;
  status st;
  TRY_GOTO(st, end, choose(&some, s, most, err));
  TRY_GOTO(st, end, mem_alloc(&means, some.count * hidden, sizeof *means, err));
  TRY_GOTO(st, end, dense_means(m, &some, means, err));
  for (size_t d = 0; d < hidden; d++) {
    mean[d] = 0;
    for (size_t i = 0; i < some.count; i++) {
      mean[d] += means[i * hidden + d];
    }
    mean[d] /= (double)some.count;
  }
end:
  free(means);
  sequences_free(&some);
  return st;
}

double hidden_distance(const double *a, const double *b, size_t count) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < count; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  double distance = 1 - ab / sqrt(aa * bb);
  return distance < 0 ? 0 : distance;
}
