#include <stdlib.h>

#include "base/mem.h"
#include "cli/bench.h"

enum { PASSES = PRECISION_COUNT * BENCH_THREADS };

/* One pass per precision and number of threads. */
struct passes {
  struct bench_pass *at[PASSES];
  enum precision precisions[PASSES];
  int threads[PASSES], count;
};

static status open_passes(const struct bench *b, struct passes *p, struct ceiling *ceiling,
                          int rows, struct bench_series *series, struct error *err) {
  for (int i = 0; i < PRECISION_COUNT; i++) {
    for (int t = 0; t < b->thread_count && b->a->precisions[i]; t++) {
      p->precisions[p->count] = (enum precision)i;
      p->threads[p->count] = b->threads[t];
      TRY(bench_pass_open(&p->at[p->count], ceiling, b->model.any->model, rows, (enum precision)i,
                          b->threads[t], series, err));
      p->count++;
    }
  }
  return STATUS_OK;
}

static status report_pass(struct bench *b, const struct passes *p, int i, double *values,
                          struct error *err) {
  const struct bench_pass *pass = p->at[i];
  const char *precision = precision_name(p->precisions[i]);
  int repeats = b->a->repeats;
  if (!bench_pass_supported(pass)) {
    return bench_add_unsupported(&b->report, "ceiling", "GFLOP/s", p->threads[i], err,
                                 "%s, a pass's products", precision);
  }
  for (int s = 0; s < bench_pass_shapes(pass); s++) {
    struct bench_layer size = bench_pass_shape(pass, s);
    for (int r = 0; r < repeats; r++) {
      values[r] = bench_pass_shape_rate(pass, s, r) / 1e9;
    }
    TRY(bench_add(&b->report, "ceiling", "GFLOP/s", p->threads[i], values, NULL, repeats, err,
                  "%s, %d x %d", precision, size.rows, size.cols));
  }
  for (int r = 0; r < repeats; r++) {
    values[r] = bench_pass_rate(pass, r) / 1e9;
  }
  return bench_add(&b->report, "ceiling", "GFLOP/s", p->threads[i], values, NULL, repeats, err,
                   "%s, a pass's products", precision);
}

static status report(struct bench *b, const struct passes *p, struct error *err) {
  double *values;
  TRY(mem_alloc(&values, (size_t)b->a->repeats, sizeof *values, err));
  status st = STATUS_OK;
  for (int i = 0; i < p->count && st == STATUS_OK; i++) {
    st = report_pass(b, p, i, values, err);
  }
  free(values);
  return st;
}

status bench_ceiling(struct bench *b, struct error *err) {
  struct bench_series series = {.repeats = b->a->repeats};
  struct ceiling *ceiling = NULL;
  struct passes p = {.count = 0};
  int length;
  status st;
  TRY_GOTO(st, done, bench_length(b, &length, err));
  TRY_GOTO(st, done, ceiling_open(&ceiling, err));
  TRY_GOTO(st, done, open_passes(b, &p, ceiling, b->a->sequences * length, &series, err));
  TRY_GOTO(st, done, bench_series_run(&series, err));
  st = report(b, &p, err);
done:
  for (int i = 0; i < PASSES; i++) {
    bench_pass_close(p.at[i]);
  }
  ceiling_close(ceiling);
  bench_series_free(&series);
  return st;
}
