#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/metrics.h"

enum { CHUNK = 1000 };

/* What a replicate is computed from: gathered draws, as the metrics take them. */
struct sample {
  int32_t *gold, *pred; /* [n], for labels */
  double *values;       /* [n], for log-likelihoods */
};

struct bootstrap {
  const int32_t *gold, *pred;
  const double *values;
  size_t n;
  int labels;
  enum bootstrap_of what;
};

/* random.choices(range(n), k=1) */
static size_t pick(struct rng *rng, size_t n) {
  return (size_t)floor(rng_double(rng) * (double)n);
}

static double replicate(const struct bootstrap *b, struct rng *rng, struct sample *s) {
  if (b->values) {
    for (size_t i = 0; i < b->n; i++) {
      s->values[i] = b->values[pick(rng, b->n)];
    }
    return metric_perplexity(s->values, b->n);
  }
  for (size_t i = 0; i < b->n; i++) {
    size_t j = pick(rng, b->n);
    s->gold[i] = b->gold[j]; /* NOLINT(clang-analyzer-core.NullDereference): sample_alloc */
    s->pred[i] = b->pred[j];
  }
  return b->what == BOOTSTRAP_F1 ? metric_f1(s->gold, s->pred, b->n)
                                 : metric_mcc(s->gold, s->pred, b->n, b->labels);
}

static status sample_alloc(struct sample *s, const struct bootstrap *b, struct error *err) {
  TRY(mem_alloc(&s->gold, b->values ? 0 : b->n, sizeof *s->gold, err));
  TRY(mem_alloc(&s->pred, b->values ? 0 : b->n, sizeof *s->pred, err));
  return mem_alloc(&s->values, b->values ? b->n : 0, sizeof *s->values, err);
}

static void sample_free(struct sample *s) {
  free(s->gold);
  free(s->pred);
  free(s->values);
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
    struct sample s = {0};
    struct rng rng;
    if (sample_alloc(&s, b, NULL) == STATUS_OK) {
      rng_seed(&rng, (uint64_t)chunk);
      for (int i = 0; i < size; i++) {
        all[(size_t)chunk * (size_t)size + (size_t)i] = replicate(b, &rng, &s);
      }
    } else {
      failed = true;
    }
    sample_free(&s);
  }
  *out = deviation(all, (size_t)chunks * (size_t)size);
  free(all);
  return failed ? err_set(err, STATUS_MEMORY, "no memory for the bootstrap") : STATUS_OK;
}

status metric_bootstrap_labels(enum bootstrap_of what, const int32_t *gold, const int32_t *pred,
                               size_t n, int labels, int iterations, double *out,
                               struct error *err) {
  struct bootstrap b = {.gold = gold, .pred = pred, .n = n, .labels = labels, .what = what};
  return bootstrap_run(&b, iterations, out, err);
}

status metric_bootstrap_perplexity(const double *loglikelihoods, size_t n, int iterations,
                                   double *out, struct error *err) {
  struct bootstrap b = {.values = loglikelihoods, .n = n};
  return bootstrap_run(&b, iterations, out, err);
}
