#include "calib/select.h"

#include <stdlib.h>

#include "calib/dense.h"

status candidates_copy(const struct candidates *c, struct sequences *out, struct error *err) {
  for (size_t i = 0; i < c->count; i++) {
    TRY(sequences_add(out, candidates_at(c, i), c->length, err));
  }
  return STATUS_OK;
}

static int by_index(const struct scored *a, const struct scored *b) {
  return a->index < b->index ? -1 : a->index > b->index;
}

static int descending(const void *x, const void *y) {
  const struct scored *a = x, *b = y;
  return a->score > b->score ? -1 : a->score < b->score ? 1 : by_index(a, b);
}

static int ascending(const void *x, const void *y) {
  const struct scored *a = x, *b = y;
  return a->score < b->score ? -1 : a->score > b->score ? 1 : by_index(a, b);
}

void scored_descending(struct scored *at, size_t count) {
  qsort(at, count, sizeof *at, descending);
}

void scored_ascending(struct scored *at, size_t count) {
  qsort(at, count, sizeof *at, ascending);
}

status candidates_difficulty(const struct pool *pool, const struct draw *draw,
                             const struct candidates *c, struct scored **out, struct error *err) {
  if (draw->length < 2) {
    return err_set(err, STATUS_INPUT,
                   "calibration set %s: sequences of 1 token have no perplexity (expected a length "
                   "of at least 2)",
                   pool->set->name);
  }
  struct sequences sequences = {0};
  double *nll = NULL;
  struct scored *scored = NULL;
  status st;
  TRY_GOTO(st, done, candidates_copy(c, &sequences, err));
  TRY_GOTO(st, done, mem_alloc(&nll, c->count, sizeof *nll, err));
  TRY_GOTO(st, done, mem_alloc(&scored, c->count, sizeof *scored, err));
  TRY_GOTO(st, done, dense_nll(pool->model, &sequences, nll, err));
  for (size_t i = 0; i < c->count; i++) {
    scored[i] = (struct scored){nll[i] / (double)(c->length - 1), i};
  }
  scored_ascending(scored, c->count);
  *out = scored;
  scored = NULL;
done:
  sequences_free(&sequences);
  free(nll);
  free(scored);
  return st;
}

status select_too_few(const struct pool *pool, const struct draw *draw, size_t left, size_t count,
                      const char *what, struct error *err) {
  return err_at(err, STATUS_INPUT, pool->set->data, 0,
                "calibration set %s: %zu of a draw's %zu candidate windows are %s, and %d samples "
                "are asked for (more candidates or a larger file may do)",
                pool->set->name, left, count, what, draw->most);
}

static status choose(struct pool *pool, const struct draw *draw, const struct candidates *c,
                     struct sequences *out, struct error *err) {
  size_t *order;
  TRY(mem_alloc(&order, (size_t)draw->most, sizeof *order, err));
  status st = pool->set->sampler->rank(pool, draw, c, order, err);
  for (int i = 0; i < draw->samples && st == STATUS_OK; i++) {
    pool_mark(pool, c->first[order[i]], c->length);
    st = sequences_add(out, candidates_at(c, order[i]), c->length, err);
  }
  free(order);
  return st;
}

status select_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                   struct error *err) {
  TRY(pool_pack(pool, err));
  size_t length = (size_t)draw->length, windows = pool->all.count / length;
  size_t share = windows / (size_t)draw->draws, most = (size_t)draw->most;
  if (share < most) {
    return pool_too_small(pool, draw, pool->all.count, windows, err);
  }
  size_t wanted = most * (size_t)pool->set->params[0];
  size_t limit = most > CANDIDATES_MOST ? most : CANDIDATES_MOST;
  wanted = wanted < limit ? wanted : limit;
  size_t *order;
  TRY(shuffled(&order, windows, draw->seed, err));
  struct candidates c = {
      .ids = pool->all.at, .count = wanted < share ? wanted : share, .length = length};
  c.first = order + (size_t)draw->draw * c.count;
  for (size_t i = 0; i < c.count; i++) {
    c.first[i] *= length;
  }
  status st = choose(pool, draw, &c, out, err);
  free(order);
  return st;
}
