#include "eval/correlation.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"

/* Points in the order of one variable, sorted once: resamples only change how often each counts. */
struct sorted {
  size_t *order; /* [n]: points, the smallest first */
  size_t *level; /* [n]: by place in order, counts equal values as one */
  double *ranks; /* [n]: by point */
};

struct points {
  struct sorted x, y;
  size_t n;
};

struct keyed {
  double value;
  size_t at;
};

static int by_value(const void *a, const void *b) {
  const struct keyed *x = a, *y = b;
  if (x->value != y->value) {
    return x->value < y->value ? -1 : 1;
  }
  return (x->at > y->at) - (x->at < y->at);
}

static void sorted_free(struct sorted *s) {
  free(s->order);
  free(s->level);
  free(s->ranks);
}

static void points_free(struct points *p) {
  sorted_free(&p->x);
  sorted_free(&p->y);
}

static status sort_values(struct sorted *s, const double *values, size_t n, struct error *err) {
  struct keyed *keys;
  TRY(mem_alloc(&s->order, n, sizeof *s->order, err));
  TRY(mem_alloc(&s->level, n, sizeof *s->level, err));
  TRY(mem_alloc(&s->ranks, n, sizeof *s->ranks, err));
  TRY(mem_alloc(&keys, n, sizeof *keys, err));
  for (size_t i = 0; i < n; i++) {
    keys[i] = (struct keyed){values[i], i};
  }
  qsort(keys, n, sizeof *keys, by_value);
  for (size_t i = 0; i < n; i++) {
    s->order[i] = keys[i].at;
    s->level[i] = i == 0 ? 0 : s->level[i - 1] + (keys[i].value != keys[i - 1].value);
  }
  free(keys);
  return STATUS_OK;
}

static status points_make(struct points *p, const double *x, const double *y, size_t n,
                          struct error *err) {
  *p = (struct points){.n = n};
  status st = sort_values(&p->x, x, n, err);
  if (st == STATUS_OK) {
    st = sort_values(&p->y, y, n, err);
  }
  if (st != STATUS_OK) {
    points_free(p);
  }
  return st;
}

/* Mean ranks when point i counts weights[i] times. */
static void rank_weighted(const struct sorted *s, const double *weights, size_t n) {
  double below = 0;
  for (size_t i = 0, end; i < n; i = end) {
    double here = 0;
    for (end = i; end < n && s->level[end] == s->level[i]; end++) {
      here += weights[s->order[end]];
    }
    for (size_t k = i; k < end; k++) {
      s->ranks[s->order[k]] = below + (here + 1) / 2;
    }
    below += here;
  }
}

/* NaN where a variable does not vary. */
static double correlate(const struct points *p, const double *weights) {
  rank_weighted(&p->x, weights, p->n);
  rank_weighted(&p->y, weights, p->n);
  double total = 0, xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < p->n; i++) {
    total += weights[i];
  }
  double middle = (total + 1) / 2; /* of ranks, also of tied ones */
  for (size_t i = 0; i < p->n; i++) {
    double x = p->x.ranks[i] - middle, y = p->y.ranks[i] - middle;
    xx += weights[i] * x * x;
    yy += weights[i] * y * y;
    xy += weights[i] * x * y;
  }
  return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

status spearman(const double *x, const double *y, size_t n, double *out, struct error *err) {
  struct points p;
  double *weights;
  TRY(mem_alloc(&weights, n, sizeof *weights, err));
  status st = points_make(&p, x, y, n, err);
  if (st == STATUS_OK) {
    for (size_t i = 0; i < n; i++) {
      weights[i] = 1;
    }
    *out = n > 1 ? correlate(&p, weights) : NAN;
    points_free(&p);
  }
  free(weights);
  return st;
}

struct resampler {
  size_t draws;
  const size_t *draw; /* [n] */
  uint32_t *chosen;   /* [draws] */
  double *times;      /* [draws] */
  double *weights;    /* [n] */
  double *values;     /* [SPEARMAN_RESAMPLES]: those that are numbers */
  size_t count;
};

static void resample(struct resampler *r, const struct points *p, unsigned seed) {
  struct rng rng;
  rng_seed(&rng, seed);
  for (int i = 0; i < SPEARMAN_RESAMPLES; i++) {
    rng_choices(&rng, (uint32_t)r->draws, r->draws, r->chosen);
    for (size_t k = 0; k < r->draws; k++) {
      r->times[k] = 0;
    }
    for (size_t k = 0; k < r->draws; k++) {
      r->times[r->chosen[k]]++;
    }
    for (size_t k = 0; k < p->n; k++) {
      r->weights[k] = r->times[r->draw[k]];
    }
    double value = correlate(p, r->weights);
    if (!isnan(value)) {
      r->values[r->count++] = value;
    }
  }
}

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t n, double at) {
  double place = at * (double)(n - 1);
  size_t below = (size_t)place, above = below + 1 < n ? below + 1 : below;
  return sorted[below] + (place - (double)below) * (sorted[above] - sorted[below]);
}

static status resampler_alloc(struct resampler *r, size_t n, struct error *err) {
  TRY(mem_alloc(&r->chosen, r->draws, sizeof *r->chosen, err));
  TRY(mem_alloc(&r->times, r->draws, sizeof *r->times, err));
  TRY(mem_alloc(&r->weights, n, sizeof *r->weights, err));
  return mem_alloc(&r->values, SPEARMAN_RESAMPLES, sizeof *r->values, err);
}

status spearman_interval(const double *x, const double *y, const size_t *draw, size_t n,
                         size_t draws, unsigned seed, struct interval *out, struct error *err) {
  *out = (struct interval){NAN, NAN};
  if (draws < SPEARMAN_DRAWS_LEAST) {
    return STATUS_OK;
  }
  struct points p;
  struct resampler r = {.draws = draws, .draw = draw};
  TRY(points_make(&p, x, y, n, err));
  status st = resampler_alloc(&r, n, err);
  if (st == STATUS_OK) {
    resample(&r, &p, seed);
    if (2 * r.count > SPEARMAN_RESAMPLES) {
      qsort(r.values, r.count, sizeof *r.values, compare_doubles);
      *out =
          (struct interval){quantile(r.values, r.count, 0.025), quantile(r.values, r.count, 0.975)};
    }
  }
  free(r.chosen);
  free(r.times);
  free(r.weights);
  free(r.values);
  points_free(&p);
  return st;
}
