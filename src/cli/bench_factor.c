#include "cli/bench_factor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/bench.h"

static const double MIB = 1 << 20;

/* One way at one order. */
struct course {
  enum factor_way way;
  int order;
  struct factor_sample *samples; /* [repeats] */
  double median;                 /* seconds */
};

struct courses {
  struct course *at;
  int count, repeats;
  double *values; /* [repeats] */
};

static void name_way(enum factor_way way, const struct group *group, char out[64]) {
  static const char *const alone[] = {"own tiles", "LAPACK"};
  if (way == FACTOR_BY_GRID) {
    (void)snprintf(out, 64, "ScaLAPACK on %d rank%s", group->size, group->size == 1 ? "" : "s");
  } else {
    (void)snprintf(out, 64, "%s", alone[way]);
  }
}

static status open_courses(struct courses *c, const struct bench *b, struct error *err) {
  bool grid = b->session->group.comm != MPI_COMM_NULL;
  c->repeats = b->a->repeats;
  size_t repeats = (size_t)c->repeats;
  TRY(mem_alloc(&c->values, repeats, sizeof *c->values, err));
  TRY(mem_alloc(&c->at, (size_t)b->a->order_count * FACTOR_WAYS, sizeof *c->at, err));
  for (int i = 0; i < b->a->order_count; i++) {
    for (int way = 0; way < (grid ? FACTOR_WAYS : FACTOR_BY_GRID); way++) {
      struct course *at = &c->at[c->count++];
      *at = (struct course){.way = (enum factor_way)way, .order = b->a->orders[i]};
      TRY(mem_alloc(&at->samples, repeats, sizeof *at->samples, err));
    }
  }
  return STATUS_OK;
}

static void close_courses(struct courses *c) {
  for (int i = 0; i < c->count; i++) {
    free(c->at[i].samples);
  }
  free(c->at);
  free(c->values);
}

/* Every repeat runs each way once; the last one also looks at the residuals. */
static status run_courses(struct courses *c, const struct group *group, struct error *err) {
  for (int r = 0; r < c->repeats; r++) {
    for (int i = 0; i < c->count; i++) {
      struct course *at = &c->at[i];
      TRY(bench_factor_once(at->way, group, at->order, r + 1 == c->repeats, &at->samples[r], err));
    }
  }
  return STATUS_OK;
}

static status report(struct bench *b, struct courses *c, struct course *at, struct error *err) {
  char name[64];
  int threads = b->session->threads;
  const struct factor_sample *last = &at->samples[c->repeats - 1];
  name_way(at->way, &b->session->group, name);
  for (int r = 0; r < c->repeats; r++) {
    c->values[r] = at->samples[r].seconds;
  }
  TRY(bench_add(&b->report, "factor", "s", threads, c->values, NULL, c->repeats, err,
                "order %d, %s", at->order, name));
  at->median = b->report.at[b->report.count - 1].value;
  TRY(bench_add(&b->report, "factor", "off by", threads, &last->residual, NULL, 1, err,
                "order %d, %s, residual", at->order, name));
  double mib = last->memory / MIB;
  return isnan(mib) ? bench_add_unsupported(&b->report, "factor", "MiB", threads, err,
                                            "order %d, %s, memory per rank", at->order, name)
                    : bench_add(&b->report, "factor", "MiB", threads, &mib, NULL, 1, err,
                                "order %d, %s, memory per rank", at->order, name);
}

static double seconds_of(const struct courses *c, int order, enum factor_way way) {
  for (int i = 0; i < c->count; i++) {
    if (c->at[i].order == order && c->at[i].way == way) {
      return c->at[i].median;
    }
  }
  return NAN;
}

/* The least order that the grid factors sooner than one rank's tiles, as it does all larger ones.
 * No line when it is slower at the largest. */
static status report_crossover(struct bench *b, const struct courses *c, struct error *err) {
  double least = INFINITY, slower = 0;
  for (int i = 0; i < b->a->order_count; i++) {
    int n = b->a->orders[i];
    bool sooner = seconds_of(c, n, FACTOR_BY_GRID) < seconds_of(c, n, FACTOR_BY_TILES);
    slower = !sooner && n > slower ? n : slower;
  }
  for (int i = 0; i < b->a->order_count; i++) {
    int n = b->a->orders[i];
    least = n > slower && n < least ? n : least;
  }
  return isinf(least)
             ? STATUS_OK
             : bench_add(&b->report, "factor", "order", b->session->threads, &least, NULL, 1, err,
                         "ScaLAPACK on %d ranks is faster from", b->session->group.size);
}

status bench_factor(struct bench *b, struct error *err) {
  const struct group *group = &b->session->group;
  struct courses c = {0};
  status st = group_agree(group, open_courses(&c, b, err), err);
  st = st == STATUS_OK ? run_courses(&c, group, err) : st;
  for (int i = 0; st == STATUS_OK && group->rank == 0 && i < c.count; i++) {
    st = report(b, &c, &c.at[i], err);
  }
  if (st == STATUS_OK && group->rank == 0 && group->size > 1) {
    st = report_crossover(b, &c, err);
  }
  close_courses(&c);
  return group_agree(group, st, err);
}
