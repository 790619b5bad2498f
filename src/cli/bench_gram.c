#include <stdlib.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "linalg/matmul.h"
#include "model/synthetic.h"

enum { TOKENS = 2048 };
static const double SMALL = 1.0 / 64; /* keeps sums of many repeats far from overflow */

struct accumulation {
  float *g; /* [n][n] */
  float *x; /* [TOKENS][n] */
  int n;
  size_t index; /* of the series */
  size_t against;
  struct ceiling_product *product; /* n x n x TOKENS */
};

static status run_gram(void *user, struct error *err) {
  const struct accumulation *a = user;
  return gram_add(a->g, a->x, TOKENS, a->n, err);
}

static status run_product(void *user, struct error *err) {
  return ceiling_product_run(user, err);
}

static status open_pair(struct accumulation *a, struct ceiling *ceiling, int threads,
                        struct bench_series *series, struct error *err) {
  int before = linalg_threads();
  linalg_set_threads(threads);
  status st = ceiling_product_open(&a->product, ceiling, CEILING_FLOAT32, a->n, a->n, TOKENS, err);
  linalg_set_threads(before);
  TRY(st);
  struct bench_case gram = {.run = run_gram, .user = a, .threads = threads};
  struct bench_case product = {.run = run_product, .user = a->product, .threads = threads};
  TRY(bench_series_add(series, gram, &a->index, err));
  return bench_series_add(series, product, &a->against, err);
}

static status report(struct bench *b, const struct accumulation *a,
                     const struct bench_series *series, struct error *err) {
  int repeats = series->repeats, threads = series->at[a->index].threads;
  double *values;
  TRY(mem_alloc(&values, 3 * (size_t)repeats, sizeof *values, err));
  double *shares = values + repeats, *rates = shares + repeats;
  double flops = (double)a->n * (a->n + 1.0) * TOKENS, full = 2.0 * a->n * a->n * TOKENS;
  for (int r = 0; r < repeats; r++) {
    rates[r] = full / series->at[a->against].seconds[r] / 1e9;
    values[r] = flops / series->at[a->index].seconds[r] / 1e9;
    shares[r] = values[r] / rates[r];
  }
  status st = bench_add(&b->report, "gram", "GFLOP/s", threads, values, shares, repeats, err,
                        "order %d, %d tokens", a->n, TOKENS);
  if (st == STATUS_OK) {
    st = bench_add(&b->report, "gram", "GFLOP/s", threads, rates, NULL, repeats, err,
                   "order %d, ceiling", a->n);
  }
  free(values);
  return st;
}

static status measure(struct bench *b, float *g, float *x, int n, struct error *err) {
  struct accumulation a[BENCH_THREADS] = {{.n = n}};
  struct bench_series series = {.repeats = b->a->repeats};
  struct ceiling *ceiling = NULL;
  status st;
  TRY_GOTO(st, done, ceiling_open(&ceiling, err));
  for (int t = 0; t < b->thread_count; t++) {
    a[t] = (struct accumulation){.g = g, .x = x, .n = n};
    TRY_GOTO(st, done, open_pair(&a[t], ceiling, b->threads[t], &series, err));
  }
  TRY_GOTO(st, done, bench_series_run(&series, err));
  for (int t = 0; t < b->thread_count; t++) {
    TRY_GOTO(st, done, report(b, &a[t], &series, err));
  }
done:
  for (int t = 0; t < BENCH_THREADS; t++) {
    ceiling_product_close(a[t].product);
  }
  ceiling_close(ceiling);
  bench_series_free(&series);
  return st;
}

static status measure_order(struct bench *b, int n, struct error *err) {
  float *g = NULL, *x = NULL;
  struct rng rng;
  status st;
  rng_seed(&rng, 0);
  TRY_GOTO(st, done, mem_alloc(&g, (size_t)n * (size_t)n, sizeof *g, err));
  TRY_GOTO(st, done, mem_alloc_raw(&x, (size_t)TOKENS * (size_t)n, sizeof *x, err));
  synthetic_fill(&rng, (float)SMALL, x, (size_t)TOKENS * (size_t)n);
  st = measure(b, g, x, n, err);
done:
  free(g);
  free(x);
  return st;
}

status bench_gram(struct bench *b, struct error *err) {
  for (int i = 0; i < b->a->order_count; i++) {
    TRY(measure_order(b, b->a->orders[i], err));
  }
  return STATUS_OK;
}
