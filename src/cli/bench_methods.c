#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "linalg/matmul.h"
#include "model/synthetic.h"
#include "prune/hessian.h"
#include "prune/method.h"

enum {
  METHODS_MOST = 64,
  EDGE = 2048,       /* of the product that is the ceiling, at most */
  EXTRA_TOKENS = 64, /* more than inputs, so that the Gram matrix has full rank */
  SAMPLES_TOKENS = 512,
  RUN = 256, /* tokens made at a time */
  COMMON = 8 /* inputs that share a part of what they see */
};
static const float WEIGHTS_SD = 0.02F;
static const double SPARSITY = 0.5;

/* One linear with the statistics of its input. */
struct layer {
  int rows, cols;
  float *original, *weights; /* [rows][cols] */
  struct stats stats;
  float *factor; /* [cols][cols]; NULL when no method needs it */
  double damp;
};

/* A method at work on a layer. */
struct job {
  struct layer *layer;
  const struct method *method;
  struct params params;
  size_t index; /* of the series */
};

struct contest {
  struct layer layer;
  struct job jobs[METHODS_MOST];
  int count;
  size_t factor, against; /* of the series */
  struct ceiling *ceiling;
  struct ceiling_product *product;
  double product_flops;
  struct bench_series series;
  double *values, *shares; /* [repeats] */
};

/* Tokens whose inputs differ in scale by e and go together in groups, as activations do. */
static void make_tokens(struct rng *rng, const float *scales, float *x, int tokens, int cols) {
  synthetic_fill(rng, 1, x, (size_t)tokens * (size_t)cols);
  for (int t = 0; t < tokens; t++) {
    float *row = x + (size_t)t * (size_t)cols;
    for (int j = 0; j < cols; j++) {
      float common = row[j - j % COMMON];
      row[j] = scales[j] * (row[j] + common) / 2;
    }
  }
}

static status add_tokens(struct layer *l, struct rng *rng, struct error *err) {
  float *x = NULL, *scales = NULL;
  int tokens = l->cols + EXTRA_TOKENS;
  status st;
  TRY_GOTO(st, done, mem_alloc_raw(&x, (size_t)RUN * (size_t)l->cols, sizeof *x, err));
  TRY_GOTO(st, done, mem_alloc_raw(&scales, (size_t)l->cols, sizeof *scales, err));
  synthetic_fill(rng, 1, scales, (size_t)l->cols);
  for (int j = 0; j < l->cols; j++) {
    scales[j] = expf(scales[j]);
  }
  for (int t = 0; t < tokens; t += RUN) {
    int run = tokens - t < RUN ? tokens - t : RUN;
    make_tokens(rng, scales, x, run, l->cols);
    TRY_GOTO(st, done, stats_add(&l->stats, x, run, t % SAMPLES_TOKENS == 0, err));
  }
  struct group one = group_single();
  st = stats_reduce(&l->stats, &one, err);
done:
  free(x);
  free(scales);
  return st;
}

static status make_layer(struct layer *l, unsigned needs, bool needs_factor, struct error *err) {
  size_t count = (size_t)l->rows * (size_t)l->cols, cols = (size_t)l->cols;
  struct rng rng;
  rng_seed(&rng, 0);
  TRY(mem_alloc_raw(&l->original, count, sizeof *l->original, err));
  TRY(mem_alloc_raw(&l->weights, count, sizeof *l->weights, err));
  synthetic_fill(&rng, WEIGHTS_SD, l->original, count);
  memcpy(l->weights, l->original, count * sizeof *l->weights);
  TRY(stats_create(&l->stats, l->cols, needs, err));
  TRY(add_tokens(l, &rng, err));
  return needs_factor ? mem_alloc_raw(&l->factor, cols * cols, sizeof *l->factor, err) : STATUS_OK;
}

static status before_factor(void *user, struct error *err) {
  (void)err;
  const struct layer *l = user;
  hessian_fill(&l->stats, l->factor);
  return STATUS_OK;
}

static status run_factor(void *user, struct error *err) {
  const struct layer *l = user;
  struct group one = group_single();
  double used;
  return factor_inverse_upper(l->factor, l->cols, l->damp, FACTOR_LOCAL, &one, &used, err);
}

static status before_method(void *user, struct error *err) {
  (void)err;
  const struct layer *l = ((const struct job *)user)->layer;
  memcpy(l->weights, l->original, (size_t)l->rows * (size_t)l->cols * sizeof *l->weights);
  return STATUS_OK;
}

static status run_method(void *user, struct error *err) {
  const struct job *j = user;
  const struct layer *l = j->layer;
  struct prune_task task = {.weights = l->weights,
                            .rows = l->rows,
                            .cols = l->cols,
                            .stats = j->method->needs ? &l->stats : NULL,
                            .factor = j->method->needs_factor ? l->factor : NULL,
                            .sparsity = {.ratio = SPARSITY},
                            .params = &j->params};
  return method_prune(j->method, &task, err);
}

static status run_product(void *user, struct error *err) {
  return ceiling_product_run(user, err);
}

static status choose_methods(struct contest *c, unsigned *needs, bool *needs_factor,
                             struct error *err) {
  size_t count;
  const struct method *all = methods_all(&count);
  *needs = STATS_NONE;
  *needs_factor = false;
  for (size_t i = 0; i < count; i++) {
    if (all[i].dense) {
      continue;
    }
    if (c->count == METHODS_MOST) {
      return err_set(err, STATUS_BUG, "more than %d methods", METHODS_MOST);
    }
    struct job *j = &c->jobs[c->count++];
    *j = (struct job){.layer = &c->layer, .method = &all[i], .params = method_defaults(&all[i])};
    *needs |= all[i].needs;
    if (all[i].needs_factor && !*needs_factor) {
      *needs_factor = true;
      c->layer.damp = j->params.value[method_param_index(&all[i], "damp")];
    }
  }
  return STATUS_OK;
}

/* The factor comes before the methods, which find it there. */
static status add_cases(struct contest *c, int threads, struct error *err) {
  int m = c->layer.rows < EDGE ? c->layer.rows : EDGE,
      n = c->layer.cols < EDGE ? c->layer.cols : EDGE;
  c->product_flops = 2.0 * m * n * n;
  TRY(ceiling_open(&c->ceiling, err));
  TRY(ceiling_product_open(&c->product, c->ceiling, CEILING_FLOAT32, m, n, n, err));
  struct bench_case product = {.run = run_product, .user = c->product, .threads = threads};
  TRY(bench_series_add(&c->series, product, &c->against, err));
  if (c->layer.factor) {
    struct bench_case factor = {
        .prepare = before_factor, .run = run_factor, .user = &c->layer, .threads = threads};
    TRY(bench_series_add(&c->series, factor, &c->factor, err));
  }
  for (int i = 0; i < c->count; i++) {
    struct bench_case method = {
        .prepare = before_method, .run = run_method, .user = &c->jobs[i], .threads = threads};
    TRY(bench_series_add(&c->series, method, &c->jobs[i].index, err));
  }
  return STATUS_OK;
}

/* Adds a figure of seconds: those of the case, and the factor's where it is part of it; its share
 * is what so many operations would take at the ceiling. flops 0: no share. */
static status report(struct bench *b, const struct contest *c, size_t index, bool with_factor,
                     double flops, const char *name, struct error *err) {
  const struct bench_case *at = c->series.at;
  for (int r = 0; r < c->series.repeats; r++) {
    c->values[r] = at[index].seconds[r] + (with_factor ? at[c->factor].seconds[r] : 0);
    c->shares[r] = flops / c->values[r] / (c->product_flops / at[c->against].seconds[r]);
  }
  return bench_add(&b->report, "methods", "s", at[index].threads, c->values,
                   flops > 0 ? c->shares : NULL, c->series.repeats, err, "%d x %d, %s",
                   c->layer.rows, c->layer.cols, name);
}

static status report_all(struct bench *b, const struct contest *c, struct error *err) {
  double n = c->layer.cols, factor = 2 * n * n * n / 3, updates = c->layer.rows * n * n;
  for (int i = 0; i < c->count; i++) {
    const struct method *m = c->jobs[i].method;
    TRY(report(b, c, c->jobs[i].index, m->needs_factor, m->needs_factor ? factor + updates : 0,
               m->name, err));
  }
  return c->layer.factor ? report(b, c, c->factor, false, factor, "the factor alone", err)
                         : STATUS_OK;
}

static status measure(struct bench *b, struct contest *c, struct error *err) {
  unsigned needs;
  bool needs_factor;
  TRY(mem_alloc(&c->values, (size_t)b->a->repeats, sizeof *c->values, err));
  TRY(mem_alloc(&c->shares, (size_t)b->a->repeats, sizeof *c->shares, err));
  TRY(choose_methods(c, &needs, &needs_factor, err));
  TRY(make_layer(&c->layer, needs, needs_factor, err));
  TRY(add_cases(c, b->session->threads, err));
  TRY(bench_series_run(&c->series, err));
  return report_all(b, c, err);
}

static void close_contest(struct contest *c) {
  ceiling_product_close(c->product);
  ceiling_close(c->ceiling);
  bench_series_free(&c->series);
  stats_free(&c->layer.stats);
  free(c->layer.original);
  free(c->layer.weights);
  free(c->layer.factor);
  free(c->values);
  free(c->shares);
}

status bench_methods(struct bench *b, struct error *err) {
  for (int i = 0; i < b->a->layer_count; i++) {
    struct contest c = {.layer = {.rows = b->a->layers[i].rows, .cols = b->a->layers[i].cols},
                        .series = {.repeats = b->a->repeats}};
    status st = measure(b, &c, err);
    close_contest(&c);
    TRY(st);
  }
  return STATUS_OK;
}
