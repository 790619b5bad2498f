#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "linalg/matmul.h"
#include "sched/host.h"

static const double LONG_ENOUGH = 0.02; /* seconds of a measurement */
enum { LOOPS_MOST = 1000 };

status bench_series_add(struct bench_series *s, struct bench_case c, size_t *index,
                        struct error *err) {
  TRY(mem_reserve(&s->at, &s->cap, s->count + 1, sizeof *s->at, err));
  TRY(mem_alloc(&c.seconds, (size_t)s->repeats, sizeof *c.seconds, err));
  c.loops = 1;
  if (index) {
    *index = s->count;
  }
  s->at[s->count++] = c;
  return STATUS_OK;
}

static status measure(const struct bench_case *c, double *seconds, struct error *err) {
  *seconds = 0;
  if (linalg_threads() != c->threads) {
    linalg_set_threads(c->threads);
  }
  for (int i = 0; i < c->loops; i++) {
    TRY(c->prepare ? c->prepare(c->user, err) : STATUS_OK);
    double start = host_seconds();
    TRY(c->run(c->user, err));
    *seconds += host_seconds() - start;
  }
  *seconds /= c->loops;
  return STATUS_OK;
}

/* One round off the record: first runs allocate and load. The second run of a short case says how
 * often it is to be repeated. */
static status warm_up(struct bench_series *s, struct error *err) {
  for (size_t i = 0; i < s->count; i++) {
    struct bench_case *c = &s->at[i];
    double seconds;
    TRY(measure(c, &seconds, err));
    if (seconds < LONG_ENOUGH) {
      TRY(measure(c, &seconds, err));
    }
    double loops = ceil(LONG_ENOUGH / fmax(seconds, LONG_ENOUGH / LOOPS_MOST));
    c->loops = loops < 1 ? 1 : (int)loops;
  }
  return STATUS_OK;
}

status bench_series_run(struct bench_series *s, struct error *err) {
  int threads = linalg_threads();
  status st = s->cold ? STATUS_OK : warm_up(s, err);
  for (int r = 0; r < s->repeats && st == STATUS_OK; r++) {
    for (size_t i = 0; i < s->count && st == STATUS_OK; i++) {
      st = measure(&s->at[i], &s->at[i].seconds[r], err);
    }
  }
  linalg_set_threads(threads);
  return st;
}

void bench_series_free(struct bench_series *s) {
  for (size_t i = 0; i < s->count; i++) {
    free(s->at[i].seconds);
  }
  free(s->at);
  *s = (struct bench_series){0};
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double bench_median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, compare);
  return (values[(count - 1) / 2] + values[count / 2]) / 2;
}
