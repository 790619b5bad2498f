/* A plan's calibration draws, kept between variants: the first variant that asks for a set makes
 * all of the set's draws, so that each rank tokenises a set once. */
#include <stdlib.h>

#include "base/mem.h"
#include "grid/plan_parts.h"

enum { KEPT_BYTES = 256 << 20 }; /* beyond it, a change of set forgets the sets before */

struct drawn {
  const struct variant *first; /* says which draw this is */
  int samples;                 /* the most that a variant of this draw takes */
  struct sequences ids;
};

struct plan_cache {
  struct drawn *at; /* [count] */
  size_t count, cap;
  size_t bytes;
};

static void forget(struct plan_cache *cache) {
  for (size_t i = 0; i < cache->count; i++) {
    sequences_free(&cache->at[i].ids);
  }
  cache->count = 0;
  cache->bytes = 0;
}

void plan_cache_free(struct plan_cache *cache) {
  if (cache) {
    forget(cache);
    free(cache->at);
    free(cache);
  }
}

/* Whether two variants' draws differ at most in the number of samples. */
static bool same_draw(const struct variant *a, const struct variant *b) {
  return a->calibration == b->calibration && a->model == b->model && a->length == b->length &&
         a->draw == b->draw;
}

static struct drawn *find(const struct plan_cache *cache, const struct variant *v) {
  for (size_t i = cache->count; i-- > 0;) {
    if (same_draw(cache->at[i].first, v)) {
      return &cache->at[i];
    }
  }
  return NULL;
}

/* Largest sample count of the grid: draws are disjoint at that size. */
static int most_samples(const struct grid *g) {
  int most = 0;
  for (size_t i = 0; i < g->sample_count; i++) {
    most = g->samples[i].value > most ? g->samples[i].value : most;
  }
  return most;
}

/* Lists the draws that variants take from v's set. */
static status list_draws(const struct plan *p, const struct variant *v, struct error *err) {
  struct plan_cache *cache = p->cache;
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *other = &p->variants[i];
    if (other->model != v->model || other->calibration != v->calibration) {
      continue;
    }
    struct drawn *known = find(cache, other);
    if (!known) {
      TRY(mem_reserve(&cache->at, &cache->cap, cache->count + 1, sizeof *cache->at, err));
      known = &cache->at[cache->count++];
      *known = (struct drawn){.first = other};
    }
    known->samples = other->samples > known->samples ? other->samples : known->samples;
  }
  return STATUS_OK;
}

static status draw_set(struct plan *p, const struct variant *v, struct error *err) {
  struct plan_cache *cache = p->cache;
  const struct plan_model *pm = &p->models[v->model];
  if (cache->bytes > KEPT_BYTES) {
    forget(cache);
  }
  size_t before = cache->count;
  struct pool *pool;
  TRY(pool_open(&pool, p->calibrations[v->calibration].calibration, pm->tokenizer, pm->model, err));
  status st = list_draws(p, v, err);
  for (size_t i = before; i < cache->count && st == STATUS_OK; i++) {
    struct drawn *d = &cache->at[i];
    const struct draw draw = {
        .seed = p->grid->seed,
        .draw = d->first->draw,
        .draws = p->grid->draws,
        .samples = d->samples,
        .most = most_samples(p->grid),
        .length = d->first->length,
    };
    st = pool_draw(pool, &draw, &d->ids, err);
    cache->bytes += d->ids.ids.count * sizeof(int32_t);
  }
  pool_close(pool);
  if (st != STATUS_OK) {
    while (cache->count > before) {
      sequences_free(&cache->at[--cache->count].ids);
    }
  }
  return st;
}

status plan_drawn(struct plan *p, const struct variant *v, const struct sequences **out,
                  struct error *err) {
  if (!p->cache) {
    TRY(mem_alloc(&p->cache, 1, sizeof *p->cache, err));
  }
  struct drawn *drawn = find(p->cache, v);
  if (!drawn) {
    TRY(draw_set(p, v, err));
    drawn = find(p->cache, v);
  }
  *out = &drawn->ids;
  return STATUS_OK;
}

status plan_draw(struct plan *p, size_t variant, struct sequences *out, struct error *err) {
  const struct variant *v = &p->variants[variant];
  *out = (struct sequences){0};
  if (v->calibration < 0) {
    return STATUS_OK;
  }
  const struct sequences *drawn;
  TRY(plan_drawn(p, v, &drawn, err));
  struct sequences copy = {0};
  for (size_t i = 0; i < (size_t)v->samples; i++) {
    status st = sequences_add(&copy, sequences_at(drawn, i), sequences_length(drawn, i), err);
    if (st != STATUS_OK) {
      sequences_free(&copy);
      return st;
    }
  }
  *out = copy;
  return STATUS_OK;
}

status plan_distinct_draws(const struct plan *p, size_t **out, size_t *count, struct error *err) {
  size_t *found, n = 0;
  TRY(mem_alloc(&found, p->variant_count, sizeof *found, err));
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[i];
    size_t k = 0;
    while (k < n && !same_draw(&p->variants[found[k]], v)) {
      k++;
    }
    if (v->calibration < 0 || v->elsewhere) {
      continue;
    }
    if (k == n) {
      found[n++] = i;
    } else if (p->variants[found[k]].samples < v->samples) {
      found[k] = i;
    }
  }
  *out = found;
  *count = n;
  return STATUS_OK;
}
