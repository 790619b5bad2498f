#include <stdlib.h>
#include <string.h>

#include "attribution/attribution_parts.h"
#include "base/mem.h"
#include "base/rng.h"

enum { NEAREST = 16 /* units of the same block, by mean activation, that stand in for one */ };

/* A block's units in the order of their mean activation, the matched ones left out. */
struct pool_of_block {
  size_t *at; /* [count] */
  size_t count;
};

struct by_mean {
  const double *mean;
};

static int compare(const void *a, const void *b, void *user) {
  const struct by_mean *order = user;
  size_t i = *(const size_t *)a, k = *(const size_t *)b;
  double x = order->mean[i], y = order->mean[k];
  return x != y ? (x > y) - (x < y) : (i > k) - (i < k);
}

/* [blocks] pools in one array of units. */
static void fill_pools(const struct attribution *a, size_t *units, struct pool_of_block *pools) {
  size_t width = (size_t)a->units.width;
  struct by_mean order = {a->s.background->mean};
  for (int b = 0; b < a->units.blocks; b++) {
    struct pool_of_block *p = &pools[b];
    size_t next = a->set.first[b];
    *p = (struct pool_of_block){units + (size_t)b * width, 0};
    for (size_t u = (size_t)b * width; u < (size_t)(b + 1) * width; u++) {
      bool matched = next < a->set.first[b + 1] && a->set.at[next] == u;
      next += matched;
      if (!matched) {
        p->at[p->count++] = u;
      }
    }
    qsort_r(p->at, p->count, sizeof *p->at, compare, &order);
  }
}

/* One unit near `unit` in mean that is not taken; the unit's own number when all are. */
static size_t draw_near(const struct attribution *a, const struct pool_of_block *p, size_t unit,
                        const unsigned char *taken, struct rng *rng) {
  const double *mean = a->s.background->mean;
  size_t above = 0, near[NEAREST], count = 0;
  while (above < p->count && mean[p->at[above]] < mean[unit]) {
    above++;
  }
  size_t below = above;
  while (count < NEAREST && (below > 0 || above < p->count)) {
    bool up = below == 0 || (above < p->count &&
                             mean[p->at[above]] - mean[unit] < mean[unit] - mean[p->at[below - 1]]);
    size_t u = up ? p->at[above++] : p->at[--below];
    if (!taken[u]) {
      near[count++] = u;
    }
  }
  return count ? near[rng_below(rng, count)] : unit;
}

/* As many units as are matched, each in its place. */
static status draw_set(const struct attribution *a, const struct pool_of_block *pools,
                       unsigned char *taken, size_t *numbers, struct rng *rng, struct unit_set *out,
                       struct error *err) {
  memset(taken, 0, a->units.count);
  size_t count = 0;
  for (size_t i = 0; i < a->set.count; i++) {
    size_t unit = a->set.at[i], width = (size_t)a->units.width;
    size_t u = draw_near(a, &pools[unit / width], unit, taken, rng);
    if (u != unit) { /* a block with more matched than other units has no stand-in left */
      taken[u] = 1;
      numbers[count++] = u;
    }
  }
  return unit_set_make(out, &a->units, numbers, count, err);
}

static status zero(struct attribution *a, struct runner *dense, const struct unit_set *set,
                   int index, const struct watcher *watcher, struct error *err) {
  struct attribution_causal *to = &a->base.causal[a->base.causal_count];
  struct probe probe = edit_zero(set);
  struct eval_result r = {0};
  struct changes c = {0};
  status st = attribution_evaluate(a, dense, &probe, watcher, &r, err);
  if (st == STATUS_OK) {
    st = changes_between(&a->dense, &r, (unsigned)a->o.seed, &c, err);
  }
  if (st == STATUS_OK) {
    *to = (struct attribution_causal){.set = index,
                                      .units = (int32_t)set->count,
                                      .accuracy = attribution_accuracy(&r),
                                      .gold = attribution_gold(&r),
                                      .accuracy_change = c.accuracy,
                                      .accuracy_low = c.accuracy_low,
                                      .accuracy_high = c.accuracy_high,
                                      .gold_change = c.gold,
                                      .gold_low = c.gold_low,
                                      .gold_high = c.gold_high};
    a->base.causal_count++;
  }
  eval_result_free(&r);
  return st;
}

static status zero_random(struct attribution *a, struct runner *dense,
                          const struct watcher *watcher, struct error *err) {
  struct rng rng;
  rng_seed(&rng, a->o.seed);
  struct pool_of_block *pools = NULL;
  size_t *units = NULL, *numbers = NULL;
  unsigned char *taken = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&pools, (size_t)a->units.blocks, sizeof *pools, err));
  TRY_GOTO(st, done, mem_alloc(&units, a->units.count, sizeof *units, err));
  TRY_GOTO(st, done, mem_alloc(&numbers, a->set.count, sizeof *numbers, err));
  TRY_GOTO(st, done, mem_alloc(&taken, a->units.count, sizeof *taken, err));
  fill_pools(a, units, pools);
  for (int i = 1; i <= a->o.random_sets; i++) {
    struct unit_set set;
    TRY_GOTO(st, done, draw_set(a, pools, taken, numbers, &rng, &set, err));
    st = zero(a, dense, &set, i, watcher, err);
    unit_set_free(&set);
    TRY_GOTO(st, done, st);
  }
done:
  free(pools);
  free(units);
  free(numbers);
  free(taken);
  return st;
}

status attribution_check(struct attribution *a, struct runner *dense, const struct watcher *watcher,
                         struct error *err) {
  free(a->base.causal);
  a->base.causal = NULL;
  a->base.causal_count = 0;
  TRY(mem_alloc(&a->base.causal, 1 + (size_t)a->o.random_sets, sizeof *a->base.causal, err));
  TRY(zero(a, dense, &a->set, 0, watcher, err));
  return zero_random(a, dense, watcher, err);
}
