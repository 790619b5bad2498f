#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/metrics.h"

enum {
  CHUNK = 1000,
  LANES = 8,   /* perplexity: replicates summed side by side, each in its own order */
  FIELDS = 4,  /* labels: counters of 16 bits in a word */
  BLOCK = 4096 /* labels: draws between two emptyings of the counters */
};

/* Items are (gold, pred) pairs of few kinds: a replicate is how often each kind was drawn. */
struct kinds {
  int32_t *gold, *pred; /* [count] */
  size_t count, words;  /* words: count / FIELDS, rounded up */
  uint64_t *weights;    /* [words][n]: what a draw of an item adds to the counters */
};

struct bootstrap {
  const double *values; /* log-likelihoods; NULL: labels */
  size_t n;
  struct kinds kinds;
  int labels;
  enum bootstrap_of what;
};

/* Of one thread. */
struct scratch {
  uint32_t *draws; /* [LANES][n] for log-likelihoods, [BLOCK] for labels */
  double *counts;  /* [kinds] */
};

static void kinds_free(struct kinds *k) {
  free(k->gold);
  free(k->pred);
  free(k->weights);
}

static status kinds_make(struct kinds *out, const int32_t *gold, const int32_t *pred, size_t n,
                         int labels, struct error *err) {
  size_t side = (size_t)labels + 1; /* -1 has a place too */
  struct kinds k = {0};
  size_t *kind = NULL, *known = NULL; /* known: 1 + kind of a pair */
  status st;
  TRY_GOTO(st, done, mem_alloc(&k.gold, side * side, sizeof *k.gold, err));
  TRY_GOTO(st, done, mem_alloc(&k.pred, side * side, sizeof *k.pred, err));
  TRY_GOTO(st, done, mem_alloc(&known, side * side, sizeof *known, err));
  TRY_GOTO(st, done, mem_alloc(&kind, n, sizeof *kind, err));
  for (size_t i = 0; i < n; i++) {
    size_t pair = (size_t)(gold[i] + 1) * side + (size_t)(pred[i] + 1);
    if (!known[pair]) {
      k.gold[k.count] = gold[i];
      k.pred[k.count] = pred[i];
      known[pair] = ++k.count;
    }
    kind[i] = known[pair] - 1;
  }
  k.words = (k.count + FIELDS - 1) / FIELDS;
  TRY_GOTO(st, done, mem_alloc(&k.weights, k.words * n, sizeof *k.weights, err));
  for (size_t i = 0; i < n; i++) {
    k.weights[kind[i] / FIELDS * n + i] = (uint64_t)1 << 16 * (kind[i] % FIELDS);
  }
done:
  free(kind);
  free(known);
  if (st != STATUS_OK) {
    kinds_free(&k);
    return st;
  }
  *out = k;
  return STATUS_OK;
}

static double replicate_labels(const struct bootstrap *b, struct rng *rng, struct scratch *s) {
  const struct kinds *k = &b->kinds;
  memset(s->counts, 0, k->count * sizeof *s->counts);
  for (size_t done = 0; done < b->n;) {
    size_t here = b->n - done < BLOCK ? b->n - done : BLOCK;
    rng_choices(rng, (uint32_t)b->n, here, s->draws);
    for (size_t word = 0; word < k->words; word++) {
      const uint64_t *weights = k->weights + word * b->n;
      uint64_t sum = 0;
      for (size_t i = 0; i < here; i++) {
        sum += weights[s->draws[i]];
      }
      for (size_t i = word * FIELDS; i < k->count && i < (word + 1) * FIELDS; i++, sum >>= 16) {
        s->counts[i] += (double)(sum & 0xffff);
      }
    }
    done += here;
  }
  return b->what == BOOTSTRAP_F1
             ? metric_f1_counted(k->gold, k->pred, s->counts, k->count)
             : metric_mcc_counted(k->gold, k->pred, s->counts, k->count, b->labels);
}

/* `count` replicates; every sum runs in the order of its draws. */
static void replicate_values(const struct bootstrap *b, struct rng *rng, struct scratch *s,
                             size_t count, double *out) {
  double sums[LANES] = {0};
  for (size_t lane = 0; lane < LANES; lane++) {
    if (lane < count) {
      rng_choices(rng, (uint32_t)b->n, b->n, s->draws + lane * b->n);
    }
  }
  for (size_t i = 0; i < b->n; i++) {
    for (size_t lane = 0; lane < LANES; lane++) { /* idle lanes add what stands there: no branch */
      sums[lane] += b->values[s->draws[lane * b->n + i]];
    }
  }
  for (size_t lane = 0; lane < count; lane++) {
    out[lane] = exp(-(sums[lane] / (double)b->n));
  }
}

static void replicates(const struct bootstrap *b, struct rng *rng, struct scratch *s, size_t count,
                       double *out) {
  if (!b->values) {
    for (size_t i = 0; i < count; i++) {
      out[i] = replicate_labels(b, rng, s);
    }
    return;
  }
  for (size_t i = 0; i < count; i += LANES) {
    replicate_values(b, rng, s, count - i < LANES ? count - i : LANES, out + i);
  }
}

static status scratch_alloc(struct scratch *s, const struct bootstrap *b, struct error *err) {
  size_t draws = b->values ? LANES * b->n : BLOCK;
  TRY(mem_alloc(&s->draws, draws, sizeof *s->draws, err));
  return mem_alloc(&s->counts, b->kinds.count, sizeof *s->counts, err);
}

static void scratch_free(struct scratch *s) {
  free(s->draws);
  free(s->counts);
}

/* Sample deviation of all replicates, summed in their order. */
static double deviation(const double *values, size_t n) {
  return metric_mean_stderr(values, n) * sqrt((double)n);
}

static status bootstrap_run(const struct bootstrap *b, int iterations, double *out,
                            struct error *err) {
  int size = iterations < CHUNK ? iterations : CHUNK;
  int chunks = size ? iterations / size : 0;
  if (chunks == 0 || b->n == 0) {
    *out = NAN;
    return STATUS_OK;
  }
  double *all;
  bool failed = false;
  TRY(mem_alloc(&all, (size_t)chunks * (size_t)size, sizeof *all, err));
#pragma omp parallel for schedule(dynamic) reduction(|| : failed)
  for (int chunk = 0; chunk < chunks; chunk++) {
    struct scratch s = {0};
    struct rng rng;
    if (scratch_alloc(&s, b, NULL) == STATUS_OK) {
      rng_seed(&rng, (uint64_t)chunk);
      replicates(b, &rng, &s, (size_t)size, all + (size_t)chunk * (size_t)size);
    } else {
      failed = true;
    }
    scratch_free(&s);
  }
  *out = deviation(all, (size_t)chunks * (size_t)size);
  free(all);
  return failed ? err_set(err, STATUS_MEMORY, "no memory for the bootstrap") : STATUS_OK;
}

status metric_bootstrap_labels(enum bootstrap_of what, const int32_t *gold, const int32_t *pred,
                               size_t n, int labels, int iterations, double *out,
                               struct error *err) {
  struct bootstrap b = {.n = n, .labels = labels, .what = what};
  TRY(kinds_make(&b.kinds, gold, pred, n, labels, err));
  status st = bootstrap_run(&b, iterations, out, err);
  kinds_free(&b.kinds);
  return st;
}

status metric_bootstrap_perplexity(const double *loglikelihoods, size_t n, int iterations,
                                   double *out, struct error *err) {
  struct bootstrap b = {.values = loglikelihoods, .n = n};
  return bootstrap_run(&b, iterations, out, err);
}
