#include "eval/correlation.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/weighted_rank.h"

struct points {
  struct weighted_rank x, y;
  size_t n;
};

static void points_free(struct points *p) {
  weighted_rank_free(&p->x);
  weighted_rank_free(&p->y);
}

static status points_make(struct points *p, const double *x, const double *y, size_t n,
                          struct error *err) {
  *p = (struct points){.n = n};
  status st = weighted_rank_make(&p->x, x, NULL, n, err);
  if (st == STATUS_OK) {
    st = weighted_rank_make(&p->y, y, NULL, n, err);
  }
  if (st != STATUS_OK) {
    points_free(p);
  }
  return st;
}

/* NaN where a variable does not vary. */
static double correlate(struct points *p, const double *weights) {
  weighted_rank_by(&p->x, weights);
  weighted_rank_by(&p->y, weights);
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
  double *values;     /* [SPEARMAN_RESAMPLES] */
};

static void resample(struct resampler *r, struct points *p, unsigned seed) {
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
    r->values[i] = correlate(p, r->weights);
  }
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
    *out = interval_of(r.values, SPEARMAN_RESAMPLES);
  }
  free(r.chosen);
  free(r.times);
  free(r.weights);
  free(r.values);
  points_free(&p);
  return st;
}
