#include "eval/weighted_rank.h"

#include <stdlib.h>

#include "base/mem.h"

struct keyed {
  size_t stratum;
  double value;
  size_t at;
};

static int by_value(const void *a, const void *b) {
  const struct keyed *x = a, *y = b;
  if (x->stratum != y->stratum) {
    return x->stratum < y->stratum ? -1 : 1;
  }
  if (x->value != y->value) {
    return x->value < y->value ? -1 : 1;
  }
  return (x->at > y->at) - (x->at < y->at);
}

void weighted_rank_free(struct weighted_rank *r) {
  free(r->order);
  free(r->level);
  free(r->block);
  free(r->ranks);
}

status weighted_rank_make(struct weighted_rank *r, const double *values, const size_t *stratum,
                          size_t n, struct error *err) {
  struct keyed *keys;
  r->n = n;
  TRY(mem_alloc(&r->order, n, sizeof *r->order, err));
  TRY(mem_alloc(&r->level, n, sizeof *r->level, err));
  TRY(mem_alloc(&r->block, n, sizeof *r->block, err));
  TRY(mem_alloc(&r->ranks, n, sizeof *r->ranks, err));
  TRY(mem_alloc(&keys, n, sizeof *keys, err));
  for (size_t i = 0; i < n; i++) {
    keys[i] = (struct keyed){stratum ? stratum[i] : 0, values[i], i};
  }
  qsort(keys, n, sizeof *keys, by_value);
  for (size_t i = 0; i < n; i++) {
    r->order[i] = keys[i].at;
    r->block[i] = keys[i].stratum;
    if (i > 0) {
      r->level[i] = r->level[i - 1] +
                    (keys[i].value != keys[i - 1].value || keys[i].stratum != keys[i - 1].stratum);
    }
  }
  free(keys);
  return STATUS_OK;
}

void weighted_rank_by(struct weighted_rank *r, const double *weights) {
  double below = 0;
  for (size_t i = 0, end; i < r->n; i = end) {
    double here = 0;
    below = i > 0 && r->block[i] != r->block[i - 1] ? 0 : below;
    for (end = i; end < r->n && r->level[end] == r->level[i]; end++) {
      here += weights[r->order[end]];
    }
    for (size_t k = i; k < end; k++) {
      r->ranks[r->order[k]] = below + (here + 1) / 2;
    }
    below += here;
  }
}
