#include <stdlib.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "eval/evaluate.h"
#include "eval/pack.h"
#include "model/runner.h"

/* Random items: as many tokens as a usual multiple-choice task has. */
enum { ITEMS = 64, CHOICES = 4, CONTEXT = 100, CONTINUATION = 8, ID_STEP = 7919 };

/* A task's items, or random ones. */
struct exam {
  struct task *task;
  struct evalset *set;      /* of the task; NULL: random */
  struct requests requests; /* random */
  struct score *scores;     /* [requests] */
  const char *name;
  double items, tokens, queries;
};

struct way {
  struct exam *exam;
  const struct model *model;
  struct runner *runner;
  size_t index; /* of the series */
  struct bench_pass *pass;
};

static int32_t random_id(const struct model *m, int64_t i) {
  return (int32_t)(i * ID_STEP % model_vocab(m));
}

static status count_rows(struct exam *e, struct error *err) {
  struct packs packs;
  TRY(packs_plan(&packs, &e->requests, packing_usual(), err));
  for (size_t i = 0; i < packs.count; i++) {
    e->tokens += (double)packs.at[i].tokens;
    e->queries += (double)packs.at[i].queries;
  }
  packs_free(&packs);
  return STATUS_OK;
}

static status open_random(struct exam *e, const struct model *m, struct error *err) {
  int32_t context[CONTEXT], continuation[CONTINUATION];
  int half = model_positions(m) / 2;
  int before = half < CONTEXT ? half : CONTEXT, behind = half < CONTINUATION ? half : CONTINUATION;
  if (half < 1) {
    return err_set(err, STATUS_INPUT, "eval: a model with one position has no choices");
  }
  e->name = "random items";
  e->items = ITEMS;
  for (int i = 0; i < ITEMS; i++) {
    for (int j = 0; j < before; j++) {
      context[j] = random_id(m, (int64_t)i * CONTEXT + j);
    }
    for (int c = 0; c < CHOICES; c++) {
      for (int j = 0; j < behind; j++) {
        continuation[j] = random_id(m, ((int64_t)i * CHOICES + c) * CONTINUATION + j + 1);
      }
      TRY(requests_add_ids(&e->requests, m, context, before, continuation, behind, err));
    }
  }
  TRY(mem_alloc(&e->scores, e->requests.count, sizeof *e->scores, err));
  return count_rows(e, err);
}

static status open_task(struct exam *e, const struct bench *b, struct error *err) {
  const struct checkpoint *c = b->model.any;
  struct evalset_options options = {.limit = b->a->limit};
  if (!c->tokenizer) {
    return err_set(err, STATUS_INPUT, "--task: %s has no tokenizer.json", c->folder);
  }
  TRY_WITH(err, task_open(&e->task, b->a->task, &b->places->places.search, err), "--task");
  if (task_type(e->task) != TASK_MULTIPLE_CHOICE) {
    return err_set(err, STATUS_INPUT, "--task: %s has no choices", b->a->task);
  }
  TRY(evalset_create(&e->set, e->task, c->tokenizer, c->model, &options, err));
  e->name = b->a->task;
  e->tokens = (double)evalset_tokens(e->set);
  e->queries = (double)evalset_queries(e->set);
  return STATUS_OK;
}

static status run(void *user, struct error *err) {
  const struct way *w = user;
  struct group one = group_single();
  if (!w->exam->set) {
    return requests_score(&w->exam->requests, w->runner, w->model, &one, NULL, NULL,
                          w->exam->scores, err);
  }
  struct eval_result result;
  TRY(evalset_evaluate(w->exam->set, w->runner, w->model, &one, NULL, NULL, &result, err));
  w->exam->items = (double)result.items;
  eval_result_free(&result);
  return STATUS_OK;
}

static status open_ways(const struct bench *b, struct way *ways, struct exam *e,
                        struct ceiling *ceiling, struct bench_series *series, struct error *err) {
  int threads = b->session->threads;
  for (int p = 0; p < PRECISION_COUNT; p++) {
    struct way *w = &ways[p];
    if (!b->a->precisions[p]) {
      continue;
    }
    *w = (struct way){.exam = e, .model = b->model.checkpoints[p].model};
    TRY(runner_open(&w->runner, w->model, NULL, bench_budget(b), err));
    struct bench_case c = {.run = run, .user = w, .threads = threads};
    TRY(bench_series_add(series, c, &w->index, err));
    TRY(bench_pass_open(&w->pass, ceiling, w->model, (int)packing_usual().tokens, (enum precision)p,
                        threads, series, err));
  }
  return STATUS_OK;
}

static status report(struct bench *b, const struct way *w, const struct bench_series *series,
                     struct error *err) {
  int repeats = series->repeats;
  const struct bench_case *c = &series->at[w->index];
  const struct exam *e = w->exam;
  double flops = e->tokens * model_block_flops(w->model) + e->queries * model_head_flops(w->model);
  double *values;
  TRY(mem_alloc(&values, 2 * (size_t)repeats, sizeof *values, err));
  for (int r = 0; r < repeats; r++) {
    values[r] = e->items / c->seconds[r];
    values[repeats + r] = flops / c->seconds[r] / bench_pass_rate(w->pass, r);
  }
  status st = bench_add(&b->report, "eval", "items/s", c->threads, values,
                        bench_pass_supported(w->pass) ? values + repeats : NULL, repeats, err,
                        "%s, %s", precision_name(model_precision(w->model)), e->name);
  free(values);
  return st;
}

static status measure(struct bench *b, struct exam *e, struct way *ways, struct ceiling **ceiling,
                      struct bench_series *series, struct error *err) {
  TRY(b->a->task ? open_task(e, b, err) : open_random(e, b->model.any->model, err));
  TRY(ceiling_open(ceiling, err));
  TRY(open_ways(b, ways, e, *ceiling, series, err));
  TRY(bench_series_run(series, err));
  for (int p = 0; p < PRECISION_COUNT; p++) {
    TRY(ways[p].runner ? report(b, &ways[p], series, err) : STATUS_OK);
  }
  return STATUS_OK;
}

status bench_eval(struct bench *b, struct error *err) {
  struct exam e = {0};
  struct way ways[PRECISION_COUNT] = {{0}};
  struct ceiling *ceiling = NULL;
  struct bench_series series = {.repeats = b->a->repeats};
  status st = measure(b, &e, ways, &ceiling, &series, err);
  for (int p = 0; p < PRECISION_COUNT; p++) {
    bench_pass_close(ways[p].pass);
    runner_close(ways[p].runner);
  }
  ceiling_close(ceiling);
  bench_series_free(&series);
  evalset_free(e.set);
  task_close(e.task);
  requests_free(&e.requests);
  free(e.scores);
  return st;
}
