#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "model/runner.h"

enum { WAYS = PRECISION_COUNT * BENCH_THREADS, ID_STEP = 7919 };

/* A batch with a query at every position. */
struct prompt {
  struct work work;
  int32_t *ids;       /* [tokens] */
  struct span *spans; /* [sequences] */
  struct query *queries;
  struct answer *answers; /* [tokens] */
  int tokens;
};

/* One precision with one number of threads. */
struct way {
  struct runner *runner; /* of its precision */
  const struct prompt *prompt;
  enum precision precision;
  int threads;
  size_t index; /* of the series */
  struct bench_pass *pass;
};

struct forward {
  struct prompt prompt;
  struct runner *runners[PRECISION_COUNT];
  struct way ways[WAYS];
  int way_count;
  struct ceiling *ceiling;
  struct bench_series series;
  double *values, *shares; /* [repeats] */
};

static status make_prompt(struct prompt *p, const struct bench *b, struct error *err) {
  int length, vocab = model_vocab(b->model.any->model);
  TRY(bench_length(b, &length, err));
  p->tokens = b->a->sequences * length;
  size_t tokens = (size_t)p->tokens;
  TRY(mem_alloc(&p->ids, tokens, sizeof *p->ids, err));
  TRY(mem_alloc(&p->spans, (size_t)b->a->sequences, sizeof *p->spans, err));
  TRY(mem_alloc(&p->queries, tokens, sizeof *p->queries, err));
  TRY(mem_alloc(&p->answers, tokens, sizeof *p->answers, err));
  for (int i = 0; i < p->tokens; i++) {
    p->ids[i] = (int32_t)((int64_t)i * ID_STEP % vocab);
    p->queries[i] = (struct query){.row = i, .target = p->ids[i]};
  }
  for (int i = 0; i < b->a->sequences; i++) {
    p->spans[i] = (struct span){.first = i * length, .length = length};
  }
  p->work = (struct work){
      .batch = {.ids = p->ids, .tokens = p->tokens, .spans = p->spans, .count = b->a->sequences},
      .queries = p->queries,
      .count = tokens,
      .answers = p->answers};
  return STATUS_OK;
}

static status run(void *user, struct error *err) {
  const struct way *w = user;
  return runner_answer(w->runner, &w->prompt->work, 1, err);
}

static status open_ways(const struct bench *b, struct forward *f, struct error *err) {
  for (int p = 0; p < PRECISION_COUNT; p++) {
    if (!b->a->precisions[p]) {
      continue;
    }
    const struct model *m = b->model.checkpoints[p].model;
    TRY(runner_open(&f->runners[p], m, NULL, bench_budget(b), err));
    for (int t = 0; t < b->thread_count; t++) {
      struct way *w = &f->ways[f->way_count++];
      *w = (struct way){.runner = f->runners[p],
                        .prompt = &f->prompt,
                        .precision = (enum precision)p,
                        .threads = b->threads[t]};
      struct bench_case c = {.run = run, .user = w, .threads = w->threads};
      TRY(bench_series_add(&f->series, c, &w->index, err));
      TRY(bench_pass_open(&w->pass, f->ceiling, m, f->prompt.tokens, w->precision, w->threads,
                          &f->series, err));
    }
  }
  return STATUS_OK;
}

static status report_way(struct bench *b, const struct forward *f, const struct way *w,
                         struct error *err) {
  const struct model *m = b->model.any->model;
  const double *seconds = f->series.at[w->index].seconds;
  const char *name = precision_name(w->precision);
  double flops = (model_block_flops(m) + model_head_flops(m)) * f->prompt.tokens;
  int repeats = b->a->repeats;
  bool known = bench_pass_supported(w->pass);
  for (int r = 0; r < repeats; r++) {
    f->values[r] = f->prompt.tokens / seconds[r];
    f->shares[r] = flops / seconds[r] / bench_pass_rate(w->pass, r);
  }
  const double *shares = known ? f->shares : NULL;
  TRY(bench_add(&b->report, "forward", "tokens/s", w->threads, f->values, shares, repeats, err,
                "%s", name));
  for (int r = 0; r < repeats; r++) {
    f->values[r] = flops / seconds[r] / 1e9;
  }
  TRY(bench_add(&b->report, "forward", "GFLOP/s", w->threads, f->values, shares, repeats, err,
                "%s, operations of its linears", name));
  for (int r = 0; r < repeats && known; r++) {
    f->values[r] = bench_pass_rate(w->pass, r) / 1e9;
  }
  return known ? bench_add(&b->report, "forward", "GFLOP/s", w->threads, f->values, NULL, repeats,
                           err, "%s, ceiling", name)
               : bench_add_unsupported(&b->report, "forward", "GFLOP/s", w->threads, err,
                                       "%s, ceiling", name);
}

/* Ways stand by precision, then by threads. */
static status report_gain(struct bench *b, const struct forward *f, struct error *err) {
  if (!b->a->precisions[PRECISION_FLOAT32] || !b->a->precisions[PRECISION_BFLOAT16]) {
    return STATUS_OK;
  }
  for (int t = 0; t < b->thread_count; t++) {
    const struct way *full = &f->ways[t], *half = &f->ways[b->thread_count + t];
    for (int r = 0; r < b->a->repeats; r++) {
      f->values[r] = f->series.at[full->index].seconds[r] / f->series.at[half->index].seconds[r];
    }
    TRY(bench_add(&b->report, "forward", "times", b->threads[t], f->values, NULL, b->a->repeats,
                  err, "bfloat16 over float32"));
  }
  return STATUS_OK;
}

static status measure(struct bench *b, struct forward *f, struct error *err) {
  TRY(mem_alloc(&f->values, (size_t)b->a->repeats, sizeof *f->values, err));
  TRY(mem_alloc(&f->shares, (size_t)b->a->repeats, sizeof *f->shares, err));
  TRY(make_prompt(&f->prompt, b, err));
  TRY(ceiling_open(&f->ceiling, err));
  TRY(open_ways(b, f, err));
  TRY(bench_series_run(&f->series, err));
  for (int i = 0; i < f->way_count; i++) {
    TRY(report_way(b, f, &f->ways[i], err));
  }
  return report_gain(b, f, err);
}

status bench_forward(struct bench *b, struct error *err) {
  struct forward f = {.series = {.repeats = b->a->repeats}};
  status st = measure(b, &f, err);
  for (int i = 0; i < f.way_count; i++) {
    bench_pass_close(f.ways[i].pass);
  }
  for (int p = 0; p < PRECISION_COUNT; p++) {
    runner_close(f.runners[p]);
  }
  ceiling_close(f.ceiling);
  bench_series_free(&f.series);
  free(f.prompt.ids);
  free(f.prompt.spans);
  free(f.prompt.queries);
  free(f.prompt.answers);
  free(f.values);
  free(f.shares);
  return st;
}
