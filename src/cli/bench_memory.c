#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/bench.h"

static const size_t LEAST = (size_t)256 << 20; /* bytes of the three arrays */
enum { CACHES = 4 /* times the last cache, so that it hides nothing */ };

struct triad {
  double *a, *b, *c; /* [count] */
  size_t count;
};

static status run(void *user, struct error *err) {
  (void)err;
  const struct triad *t = user;
  ceiling_triad(t->a, t->b, t->c, 0.5, t->count);
  return STATUS_OK;
}

static size_t bytes_to_move(const struct bench *b) {
  long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
  size_t bytes = cache > 0 ? CACHES * (size_t)cache : 0, most = b->session->memory / 4;
  bytes = bytes > LEAST ? bytes : LEAST;
  return bytes < most ? bytes : most;
}

static status report(struct bench *b, const struct bench_series *series, size_t count,
                     struct error *err) {
  double *values;
  TRY(mem_alloc(&values, (size_t)series->repeats, sizeof *values, err));
  status st = STATUS_OK;
  for (size_t i = 0; i < series->count && st == STATUS_OK; i++) {
    const struct bench_case *c = &series->at[i];
    for (int r = 0; r < series->repeats; r++) {
      values[r] = 3 * sizeof(double) * (double)count / c->seconds[r] / 1e9;
    }
    st = bench_add(&b->report, "memory", "GB/s", c->threads, values, NULL, series->repeats, err,
                   "triad, %zu MiB", 3 * sizeof(double) * count >> 20);
  }
  free(values);
  return st;
}

status bench_memory(struct bench *b, struct error *err) {
  struct triad t = {.count = bytes_to_move(b) / (3 * sizeof(double))};
  struct bench_series series = {.repeats = b->a->repeats};
  status st;
  TRY_GOTO(st, done, mem_alloc_raw(&t.a, t.count, sizeof *t.a, err));
  TRY_GOTO(st, done, mem_alloc_raw(&t.b, t.count, sizeof *t.b, err));
  TRY_GOTO(st, done, mem_alloc_raw(&t.c, t.count, sizeof *t.c, err));
  for (size_t i = 0; i < t.count; i++) {
    t.a[i] = 0;
    t.b[i] = (double)(i % 7);
    t.c[i] = (double)(i % 5);
  }
  for (int i = 0; i < b->thread_count; i++) {
    struct bench_case c = {.run = run, .user = &t, .threads = b->threads[i]};
    TRY_GOTO(st, done, bench_series_add(&series, c, NULL, err));
  }
  TRY_GOTO(st, done, bench_series_run(&series, err));
  st = report(b, &series, t.count, err);
done:
  bench_series_free(&series);
  free(t.a);
  free(t.b);
  free(t.c);
  return st;
}
