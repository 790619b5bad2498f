/* A plan split into shards: who computes which variant, decided from the plan alone, so that runs
 * that never meet agree. */
#include <stdlib.h>

#include "base/mem.h"
#include "grid/plan_parts.h"

/* Variants that stay together: of one calibration pass, or one alone. */
struct piece {
  size_t *variants; /* [count], rising; part of sharding.order */
  size_t count;
  double cost;
};

struct sharding {
  const struct plan *plan;
  int shards;
  size_t *order; /* [plan->variant_count]: those with a pass by pass, the others behind them */
  size_t calibrated, count;
  struct piece *pieces; /* [piece_count], room for each variant alone */
  size_t piece_count;
  double *load; /* [shards] */
  double total;
  int *shard; /* [plan->variant_count]: from 0 */
};

static bool shares(const struct plan *p, size_t variant) {
  int share = p->variants[variant].share;
  return share >= 0 && p->shares[share].variants > 1;
}

/* Of the variant itself, without what it shares. */
static double own_cost(const struct plan *p, size_t variant) {
  const struct variant *v = &p->variants[variant];
  double cost = v->prune_flops + v->eval_flops;
  if (shares(p, variant)) {
    const struct plan_share *s = &p->shares[v->share];
    cost -= s->flops / (double)s->variants;
  }
  return cost;
}

static int by_pass(const void *a, const void *b, void *user) {
  const struct plan *p = user;
  size_t i = *(const size_t *)a, k = *(const size_t *)b;
  int order = p->variants[i].share - p->variants[k].share;
  return order ? order : (i > k) - (i < k);
}

static int dearest_first(const void *a, const void *b) {
  const struct piece *x = a, *y = b;
  int order = (x->cost < y->cost) - (x->cost > y->cost);
  return order ? order : (x->variants[0] > y->variants[0]) - (x->variants[0] < y->variants[0]);
}

static void add_piece(struct sharding *s, size_t *variants, size_t count, double cost) {
  s->pieces[s->piece_count++] = (struct piece){variants, count, cost};
}

/* One pass's variants, cut where a piece would cost more than `most`; each piece makes the pass. */
static void cut_pass(struct sharding *s, size_t *variants, size_t count, double most) {
  const struct plan *p = s->plan;
  double pass = p->shares[p->variants[variants[0]].share].flops, cost = pass;
  size_t first = 0;
  for (size_t i = 0; i < count; i++) {
    double own = own_cost(p, variants[i]);
    if (i > first && cost + own > most) {
      add_piece(s, variants + first, i - first, cost);
      first = i;
      cost = pass;
    }
    cost += own;
  }
  add_piece(s, variants + first, count - first, cost);
}

static void cut(struct sharding *s, double most) {
  s->piece_count = 0;
  for (size_t i = 0, end; i < s->calibrated; i = end) {
    int share = s->plan->variants[s->order[i]].share;
    end = i + 1;
    while (end < s->calibrated && s->plan->variants[s->order[end]].share == share) {
      end++;
    }
    cut_pass(s, s->order + i, end - i, most);
  }
  for (size_t i = s->calibrated; i < s->count; i++) {
    add_piece(s, s->order + i, 1, own_cost(s->plan, s->order[i]));
  }
  qsort(s->pieces, s->piece_count, sizeof *s->pieces, dearest_first);
}

/* The dearest piece first, to whoever has least; the dense models are the first shard's before
 * anything else. Returns the largest load. */
static double deal(struct sharding *s) {
  const struct plan *p = s->plan;
  double most = 0;
  for (int k = 0; k < s->shards; k++) {
    s->load[k] = 0;
  }
  for (size_t v = 0; v < p->variant_count; v++) {
    if (p->variants[v].method->dense) {
      s->shard[v] = 0;
      s->load[0] += own_cost(p, v);
    }
  }
  for (size_t i = 0; i < s->piece_count; i++) {
    int to = 0;
    for (int k = 1; k < s->shards; k++) {
      to = s->load[k] < s->load[to] ? k : to;
    }
    s->load[to] += s->pieces[i].cost;
    for (size_t k = 0; k < s->pieces[i].count; k++) {
      s->shard[s->pieces[i].variants[k]] = to;
    }
  }
  for (int k = 0; k < s->shards; k++) {
    most = s->load[k] > most ? s->load[k] : most;
  }
  return most;
}

/* Passes are cut only as fine as balance asks: finer cuts have to take off a twentieth. */
static void balance(struct sharding *s) {
  enum { HALVINGS = 6 };
  double fair = s->total / s->shards, limit = fair;
  cut(s, limit);
  double best = deal(s), best_limit = limit;
  for (int i = 0; i < HALVINGS && best > 1.05 * fair; i++) {
    limit /= 2;
    cut(s, limit);
    double most = deal(s);
    if (most < 0.95 * best) {
      best = most;
      best_limit = limit;
    }
  }
  cut(s, best_limit);
  (void)deal(s);
}

static status prepare(struct sharding *s, struct error *err) {
  const struct plan *p = s->plan;
  TRY(mem_alloc(&s->order, p->variant_count, sizeof *s->order, err));
  TRY(mem_alloc(&s->pieces, p->variant_count, sizeof *s->pieces, err));
  TRY(mem_alloc(&s->shard, p->variant_count, sizeof *s->shard, err));
  TRY(mem_alloc(&s->load, (size_t)s->shards, sizeof *s->load, err));
  for (size_t v = 0; v < p->variant_count; v++) {
    s->total += own_cost(p, v);
    if (shares(p, v)) {
      s->order[s->calibrated++] = v;
    }
  }
  for (size_t i = 0; i < p->share_count; i++) {
    s->total += p->shares[i].variants > 1 ? p->shares[i].flops : 0;
  }
  s->count = s->calibrated;
  for (size_t v = 0; v < p->variant_count; v++) {
    if (!shares(p, v) && !p->variants[v].method->dense) {
      s->order[s->count++] = v;
    }
  }
  qsort_r(s->order, s->calibrated, sizeof *s->order, by_pass, (void *)s->plan);
  return STATUS_OK;
}

status plan_shard(struct plan *p, int shard, int shards, struct error *err) {
  struct sharding s = {.plan = p, .shards = shards};
  status st = prepare(&s, err);
  if (st == STATUS_OK) {
    balance(&s);
    for (size_t v = 0; v < p->variant_count; v++) {
      p->variants[v].elsewhere = s.shard[v] != shard - 1;
      for (size_t d = 0; p->variants[v].elsewhere && d < p->dataset_count; d++) {
        plan_cell(p, v, d)->wanted = false;
      }
    }
  }
  free(s.order);
  free(s.pieces);
  free(s.shard);
  free(s.load);
  return st;
}
