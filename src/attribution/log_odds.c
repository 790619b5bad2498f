#include "attribution/log_odds.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static double log_odds_one(double count, double all, double prior, double prior_all) {
  return log((count + prior) / (all + prior_all - count - prior));
}

double log_odds_z(double here, double here_all, double rest, double rest_all, double prior,
                  double prior_all) {
  double delta = log_odds_one(here, here_all, prior, prior_all) -
                 log_odds_one(rest, rest_all, prior, prior_all);
  double z = delta / sqrt(1 / (here + prior) + 1 / (rest + prior));
  return isfinite(z) ? z : 0;
}

void log_odds_free(struct log_odds *l) {
  free(l->sizes);
  free(l->totals);
  free(l->counts);
}

status log_odds_make(struct log_odds *l, const struct vocabulary *v, const int32_t *class_of,
                     int32_t classes, struct error *err) {
  *l = (struct log_odds){.v = v, .class_of = class_of, .classes = classes};
  TRY(mem_alloc(&l->sizes, (size_t)v->items, sizeof *l->sizes, err));
  TRY(mem_alloc(&l->totals, (size_t)classes, sizeof *l->totals, err));
  TRY(mem_alloc(&l->counts, (size_t)classes, sizeof *l->counts, err));
  for (size_t i = 0; i < v->count; i++) {
    const struct term *t = &v->terms[i];
    if (vocabulary_is_template(v, t)) {
      continue;
    }
    l->distinct++;
    for (size_t k = t->first; k < t->first + t->count; k++) {
      l->sizes[v->places[k].item]++;
    }
  }
  return STATUS_OK;
}

void log_odds_weigh(struct log_odds *l, const double *weights) {
  l->all = 0;
  for (int32_t c = 0; c < l->classes; c++) {
    l->totals[c] = 0;
  }
  for (int32_t i = 0; i < l->v->items; i++) {
    double words = l->sizes[i] * (weights ? weights[i] : 1);
    if (l->class_of[i] >= 0) {
      l->totals[l->class_of[i]] += words;
      l->all += words;
    }
  }
}

/* Sum of the counts that it makes. */
static double count(struct log_odds *l, const struct term *t, const double *weights) {
  double sum = 0;
  for (int32_t c = 0; c < l->classes; c++) {
    l->counts[c] = 0;
  }
  for (size_t k = t->first; k < t->first + t->count; k++) {
    int32_t item = l->v->places[k].item;
    if (l->class_of[item] >= 0) {
      double times = weights ? weights[item] : 1;
      l->counts[l->class_of[item]] += times;
      sum += times;
    }
  }
  return sum;
}

static double z_of(const struct log_odds *l, double sum, int32_t class) {
  double here = l->counts[class], here_all = l->totals[class];
  return log_odds_z(here, here_all, sum - here, l->all - here_all, l->distinct * sum / l->all,
                    l->distinct);
}

double log_odds_of(struct log_odds *l, const struct term *t, const double *weights, int32_t class) {
  double sum = count(l, t, weights);
  return sum > 0 ? z_of(l, sum, class) : NAN;
}

int32_t log_odds_class(struct log_odds *l, const struct term *t) {
  double sum = count(l, t, NULL), most = -1;
  int32_t best = 0;
  for (int32_t c = 0; sum > 0 && c < l->classes; c++) {
    double size = fabs(z_of(l, sum, c));
    if (size > most) {
      most = size;
      best = c;
    }
  }
  return best;
}
