/* Items per second of multiple-choice evaluation: contexts shared between choices against every
 * choice from scratch, with the same engine.   bench_eval FOLDER DOCS TASK... */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "eval/evalset.h"
#include "eval/pack.h"

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct bench {
  struct tokenizer *tokenizer;
  struct model *model;
  struct runner *runner;
  struct search search;
  int docs;
};

static status rows_of(const struct evalset *e, struct packing packing, size_t *out,
                      struct error *err) {
  struct packs packs;
  TRY(packs_plan(&packs, &e->requests, packing, err));
  *out = 0;
  for (size_t i = 0; i < packs.count; i++) {
    *out += packs.at[i].tokens;
  }
  packs_free(&packs);
  return STATUS_OK;
}

/* The two ways alternate, so that what else the machine does hits both; the fastest of each counts.
 */
static status compare(const struct bench *b, const struct evalset *e, const char *name,
                      struct score *scores[2], struct error *err) {
  enum { ROUNDS = 3 };
  struct packing packing[2] = {packing_usual(), packing_usual()};
  double best[2] = {INFINITY, INFINITY}, worst = 0;
  size_t rows[2];
  struct group one = group_single();
  packing[1].apart = true;
  for (int round = 0; round < ROUNDS; round++) {
    for (int way = 0; way < 2; way++) {
      double start = now();
      TRY(requests_score_packed(&e->requests, packing[way], b->runner, &one, NULL, NULL,
                                scores[way], err));
      best[way] = fmin(best[way], now() - start);
    }
  }
  for (size_t i = 0; i < e->requests.count; i++) {
    worst = fmax(worst, fabs(scores[0][i].loglikelihood - scores[1][i].loglikelihood));
  }
  TRY(rows_of(e, packing[0], &rows[0], err));
  TRY(rows_of(e, packing[1], &rows[1], err));
  double items = (double)e->items;
  printf("%s: %zu items, %.2f items/s shared, %.2f from scratch: %.2f times "
         "(rows %zu and %zu: %.2f; log-likelihoods differ by %.1g at most)\n",
         name, e->items, items / best[0], items / best[1], best[1] / best[0], rows[0], rows[1],
         (double)rows[1] / (double)rows[0], worst);
  (void)fflush(stdout);
  return STATUS_OK;
}

static status bench_task(const struct bench *b, const char *name, struct error *err) {
  struct task *task;
  struct evalset *e = NULL;
  struct score *scores[2] = {NULL, NULL};
  struct evalset_options options = {.limit = b->docs};
  status st;
  TRY(task_open(&task, name, &b->search, err));
  TRY_GOTO(st, done, evalset_create(&e, task, b->tokenizer, b->model, &options, err));
  TRY_GOTO(st, done, mem_alloc(&scores[0], e->requests.count, sizeof **scores, err));
  TRY_GOTO(st, done, mem_alloc(&scores[1], e->requests.count, sizeof **scores, err));
  st = compare(b, e, name, scores, err);
done:
  free(scores[0]);
  free(scores[1]);
  evalset_free(e);
  task_close(task);
  return st;
}

int main(int argc, char **argv) {
  const char *source = getenv("ESPALIER_SOURCE"), *data = getenv("ESPALIER_DATA");
  char configs[1024];
  struct error err = {0};
  if (argc < 4 || !data) {
    (void)fprintf(stderr, "usage: ESPALIER_DATA=FOLDER bench_eval MODEL_FOLDER DOCS TASK...\n");
    return 2;
  }
  (void)snprintf(configs, sizeof configs, "%s/configs", source ? source : ".");
  const char *folders[] = {configs, NULL}, *sets[] = {data, NULL};
  struct bench b = {.search = {folders, sets}, .docs = (int)strtol(argv[2], NULL, 10)};
  status st = tokenizer_open(&b.tokenizer, argv[1], &err);
  st = st == STATUS_OK ? model_open(&b.model, argv[1], &err) : st;
  st = st == STATUS_OK ? runner_open(&b.runner, b.model, NULL, SIZE_MAX, &err) : st;
  for (int i = 3; i < argc && st == STATUS_OK; i++) {
    st = bench_task(&b, argv[i], &err);
  }
  if (st != STATUS_OK) {
    (void)fprintf(stderr, "bench_eval: %s\n", err.text);
  }
  runner_close(b.runner);
  model_close(b.model);
  tokenizer_close(b.tokenizer);
  return st != STATUS_OK;
}
