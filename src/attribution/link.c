#include "attribution/link.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "eval/correlation.h"
#include "eval/weighted_rank.h"

enum { DROP = LINK_PREDICTORS, VARIABLES, VALUES = 2 * LINK_PREDICTORS };

/* All values of one scope: the plain correlations, then the partial ones. */
struct values {
  double at[VALUES];
};

struct variables {
  const struct link_point *points; /* [n]: those that are whole */
  size_t n, strata, draws;
  size_t *stratum; /* [n] */
  struct weighted_rank ranks[LINK_SCOPES][VARIABLES];
  double *weights;            /* [n] */
  double *middle, *total;     /* [strata]: of the ranks, of the weights */
  double *centred[VARIABLES]; /* [n] */
};

static void variables_free(struct variables *v) {
  free(v->stratum);
  free(v->weights);
  free(v->middle);
  free(v->total);
  for (int i = 0; i < VARIABLES; i++) {
    free(v->centred[i]);
    for (int s = 0; s < LINK_SCOPES; s++) {
      weighted_rank_free(&v->ranks[s][i]);
    }
  }
}

static double value_of(const struct link_point *p, int variable) {
  return variable == DROP ? p->drop : p->predictor[variable];
}

static status variables_make(struct variables *v, struct error *err) {
  double *values;
  TRY(mem_alloc(&v->stratum, v->n, sizeof *v->stratum, err));
  TRY(mem_alloc(&v->weights, v->n, sizeof *v->weights, err));
  TRY(mem_alloc(&v->middle, v->strata, sizeof *v->middle, err));
  TRY(mem_alloc(&v->total, v->strata, sizeof *v->total, err));
  TRY(mem_alloc(&values, v->n, sizeof *values, err));
  for (size_t i = 0; i < v->n; i++) {
    v->stratum[i] = v->points[i].stratum;
    v->weights[i] = 1;
  }
  status st = STATUS_OK;
  for (int k = 0; st == STATUS_OK && k < VARIABLES; k++) {
    for (size_t i = 0; i < v->n; i++) {
      values[i] = value_of(&v->points[i], k);
    }
    st = mem_alloc(&v->centred[k], v->n, sizeof *v->centred[k], err);
    for (int s = 0; st == STATUS_OK && s < LINK_SCOPES; s++) {
      st = weighted_rank_make(&v->ranks[s][k], values, s == LINK_WITHIN ? v->stratum : NULL, v->n,
                              err);
    }
  }
  free(values);
  return st;
}

/* Ranks under the weights, from their middle, as shares of the stratum within strata. */
static void centre(struct variables *v, enum link_scope scope) {
  bool within = scope == LINK_WITHIN;
  memset(v->total, 0, v->strata * sizeof *v->total);
  for (size_t i = 0; i < v->n; i++) {
    v->total[within ? v->stratum[i] : 0] += v->weights[i];
  }
  for (int k = 0; k < VARIABLES; k++) {
    struct weighted_rank *r = &v->ranks[scope][k];
    weighted_rank_by(r, v->weights);
    for (size_t i = 0; i < v->n; i++) {
      double total = v->total[within ? v->stratum[i] : 0];
      double scale = within && total > 0 ? total : 1;
      v->centred[k][i] = (r->ranks[i] - (total + 1) / 2) / scale;
    }
  }
}

/* Of centred variables; NaN where one does not vary. of [n]: which point's y stands beside each x,
 * or NULL: its own. */
static double correlate(const struct variables *v, int x, int y, const size_t *of) {
  const double *a = v->centred[x], *b = v->centred[y];
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < v->n; i++) {
    double other = b[of ? of[i] : i];
    xx += v->weights[i] * a[i] * a[i];
    yy += v->weights[i] * other * other;
    xy += v->weights[i] * a[i] * other;
  }
  return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

/* Of x and y given z, from their correlations; NaN where z says all of one of them. */
static double partial(double xy, double xz, double yz) {
  double left = (1 - xz * xz) * (1 - yz * yz);
  return left > 1e-12 ? (xy - xz * yz) / sqrt(left) : NAN;
}

/* r [VARIABLES][VARIABLES], of which the pairs of different variables are read. */
static struct values fill_values(double r[VARIABLES][VARIABLES]) {
  enum { N = LINK_NSA, L = LINK_LAYER_ERROR, P = LINK_PERPLEXITY };
  struct values out;
  double n_given_l = partial(r[N][DROP], r[N][L], r[L][DROP]);
  double p_given_l = partial(r[P][DROP], r[L][P], r[L][DROP]);
  out.at[N] = r[N][DROP];
  out.at[L] = r[L][DROP];
  out.at[P] = r[P][DROP];
  out.at[LINK_PREDICTORS + N] = partial(n_given_l, partial(r[N][P], r[N][L], r[L][P]), p_given_l);
  out.at[LINK_PREDICTORS + L] = partial(r[L][DROP], r[N][L], r[N][DROP]);
  out.at[LINK_PREDICTORS + P] = partial(r[P][DROP], r[N][P], r[N][DROP]);
  return out;
}

static struct values evaluate(const struct variables *v, double r[VARIABLES][VARIABLES]) {
  for (int x = 0; x < VARIABLES; x++) {
    for (int y = x + 1; y < VARIABLES; y++) {
      r[x][y] = correlate(v, x, y, NULL);
    }
  }
  return fill_values(r);
}

static struct link_estimate *estimate_of(struct link *out, enum link_scope scope, int value) {
  return value < LINK_PREDICTORS ? &out->plain[scope][value]
                                 : &out->partial[scope][value - LINK_PREDICTORS];
}

/* results [LINK_SCOPES][VALUES][LINK_RESAMPLES]; chosen and times [draws] are scratch. */
static void resample(struct variables *v, unsigned seed, uint32_t *chosen, double *times,
                     double *results) {
  double r[VARIABLES][VARIABLES];
  struct rng rng;
  rng_seed(&rng, seed);
  for (size_t i = 0; i < LINK_RESAMPLES; i++) {
    rng_choices(&rng, (uint32_t)v->draws, v->draws, chosen);
    memset(times, 0, v->draws * sizeof *times);
    for (size_t k = 0; k < v->draws; k++) {
      times[chosen[k]]++;
    }
    for (size_t k = 0; k < v->n; k++) {
      v->weights[k] = times[v->points[k].draw];
    }
    for (int s = 0; s < LINK_SCOPES; s++) {
      centre(v, (enum link_scope)s);
      struct values got = evaluate(v, r);
      for (int k = 0; k < VALUES; k++) {
        results[((size_t)s * VALUES + (size_t)k) * LINK_RESAMPLES + i] = got.at[k];
      }
    }
  }
  for (size_t k = 0; k < v->n; k++) {
    v->weights[k] = 1;
  }
}

static status add_intervals(struct link *out, struct variables *v, unsigned seed,
                            struct error *err) {
  if (v->draws < SPEARMAN_DRAWS_LEAST) {
    return STATUS_OK;
  }
  uint32_t *chosen = NULL;
  double *times = NULL, *results = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&chosen, v->draws, sizeof *chosen, err));
  TRY_GOTO(st, done, mem_alloc(&times, v->draws, sizeof *times, err));
  TRY_GOTO(
      st, done,
      mem_alloc(&results, (size_t)LINK_SCOPES * VALUES * LINK_RESAMPLES, sizeof *results, err));
  resample(v, seed, chosen, times, results);
  for (int s = 0; s < LINK_SCOPES; s++) {
    for (int k = 0; k < VALUES; k++) {
      struct link_estimate *e = estimate_of(out, (enum link_scope)s, k);
      double *values = results + ((size_t)s * VALUES + (size_t)k) * LINK_RESAMPLES;
      struct interval range = interval_of(values, LINK_RESAMPLES);
      e->range = isnan(e->rho) ? (struct interval){NAN, NAN} : range;
    }
  }
done:
  free(chosen);
  free(times);
  free(results);
  return st;
}

/* Points by stratum. */
struct strata {
  size_t *members; /* [n] */
  size_t *first;   /* [strata + 1] */
  size_t *mixed;   /* [n]: members, shuffled within each */
  size_t *of;      /* [n]: by point, whose drop it has */
};

static void strata_free(struct strata *s) {
  free(s->members);
  free(s->first);
  free(s->mixed);
  free(s->of);
}

static status strata_make(struct strata *s, const struct variables *v, struct error *err) {
  TRY(mem_alloc(&s->members, v->n, sizeof *s->members, err));
  TRY(mem_alloc(&s->first, v->strata + 1, sizeof *s->first, err));
  TRY(mem_alloc(&s->mixed, v->n, sizeof *s->mixed, err));
  TRY(mem_alloc(&s->of, v->n, sizeof *s->of, err));
  size_t at = 0;
  for (size_t k = 0; k < v->strata; k++) {
    for (size_t i = 0; i < v->n; i++) {
      if (v->stratum[i] == k) {
        s->members[at++] = i;
      }
    }
    s->first[k + 1] = at;
  }
  return STATUS_OK;
}

static void shuffle(struct strata *s, const struct variables *v, struct rng *rng) {
  memcpy(s->mixed, s->members, v->n * sizeof *s->mixed);
  for (size_t k = 0; k < v->strata; k++) {
    rng_shuffle(rng, s->first[k + 1] - s->first[k], s->mixed + s->first[k]);
  }
  for (size_t i = 0; i < v->n; i++) {
    s->of[s->members[i]] = s->mixed[i];
  }
}

static double tails(size_t above, size_t below) {
  double p = 2 * (1 + (double)(above < below ? above : below)) / (1 + (double)LINK_PERMUTATIONS);
  return p < 1 ? p : 1;
}

/* Of one scope, whose ranks are centred and whose correlations are r. */
static void permute(struct link *out, const struct variables *v, enum link_scope scope,
                    double r[VARIABLES][VARIABLES], struct strata *s, unsigned seed) {
  size_t above[VALUES] = {0}, below[VALUES] = {0};
  const double slack = 1e-12; /* equal values are added up in another order */
  struct rng rng;
  rng_seed(&rng, seed);
  for (int i = 0; i < LINK_PERMUTATIONS; i++) {
    shuffle(s, v, &rng);
    for (int x = 0; x < LINK_PREDICTORS; x++) {
      r[x][DROP] = correlate(v, x, DROP, s->of);
    }
    struct values got = fill_values(r);
    for (int k = 0; k < VALUES; k++) {
      double rho = estimate_of(out, scope, k)->rho;
      above[k] += got.at[k] >= rho - slack;
      below[k] += got.at[k] <= rho + slack;
    }
  }
  for (int k = 0; k < VALUES; k++) {
    struct link_estimate *e = estimate_of(out, scope, k);
    e->p = isnan(e->rho) ? NAN : tails(above[k], below[k]);
  }
}

static status estimate(struct link *out, struct variables *v, unsigned seed, struct error *err) {
  double r[VARIABLES][VARIABLES];
  struct strata s = {0};
  status st = strata_make(&s, v, err);
  for (int scope = 0; st == STATUS_OK && scope < LINK_SCOPES; scope++) {
    centre(v, (enum link_scope)scope);
    struct values got = evaluate(v, r);
    for (int k = 0; k < VALUES; k++) {
      estimate_of(out, (enum link_scope)scope, k)->rho = got.at[k];
    }
    permute(out, v, (enum link_scope)scope, r, &s, seed);
  }
  strata_free(&s);
  return st == STATUS_OK ? add_intervals(out, v, seed, err) : st;
}

static bool is_whole(const struct link_point *p) {
  bool whole = true;
  for (int k = 0; k < VARIABLES; k++) {
    whole = whole && !isnan(value_of(p, k));
  }
  return whole;
}

/* Numbers below `limit` of those points, from 0 on in their order; their count. */
static size_t renumber(struct link_point *points, size_t n, bool strata, size_t *known) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    size_t *at = strata ? &points[i].stratum : &points[i].draw;
    known[*at] = known[*at] ? known[*at] : ++count;
    *at = known[*at] - 1;
  }
  return count;
}

/* whole [n]: the points to look at, their strata and draws without gaps. */
static status take(struct link *out, struct link_point *whole, const struct link_point *points,
                   size_t n, struct error *err) {
  size_t most = 0, *known;
  for (size_t i = 0; i < n; i++) {
    most = points[i].stratum > most ? points[i].stratum : most;
    most = points[i].draw > most ? points[i].draw : most;
    if (is_whole(&points[i])) {
      whole[out->points++] = points[i];
    }
  }
  out->left_out = n - out->points;
  TRY(mem_alloc(&known, most + 1, sizeof *known, err));
  out->strata = renumber(whole, out->points, true, known);
  memset(known, 0, (most + 1) * sizeof *known);
  out->draws = renumber(whole, out->points, false, known);
  free(known);
  return STATUS_OK;
}

status link_measure(struct link *out, const struct link_point *points, size_t n, unsigned seed,
                    struct error *err) {
  *out = (struct link){0};
  for (int s = 0; s < LINK_SCOPES; s++) {
    for (int k = 0; k < VALUES; k++) {
      *estimate_of(out, (enum link_scope)s, k) = (struct link_estimate){NAN, {NAN, NAN}, NAN};
    }
  }
  struct link_point *whole;
  TRY(mem_alloc(&whole, n, sizeof *whole, err));
  struct variables v = {.points = whole};
  status st = take(out, whole, points, n, err);
  if (st == STATUS_OK && out->points >= LINK_POINTS_LEAST) {
    v.n = out->points;
    v.strata = out->strata;
    v.draws = out->draws;
    st = variables_make(&v, err);
    st = st == STATUS_OK ? estimate(out, &v, seed, err) : st;
  }
  variables_free(&v);
  free(whole);
  return st;
}
