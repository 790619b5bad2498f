#include "attribution/influence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/stop_words.h"
#include "base/mem.h"
#include "base/rng.h"

void influentials_free(struct influentials *i) {
  free(i->at);
  *i = (struct influentials){0};
}

status influence_eligible(const struct vocabulary *v, const struct attribution_options *o,
                          size_t **terms, size_t *count, struct error *err) {
  TRY(mem_alloc(terms, v->count, sizeof **terms, err));
  *count = 0;
  for (size_t i = 0; i < v->count; i++) {
    const struct term *t = &v->terms[i];
    bool often = t->count >= (size_t)o->least_occurrences;
    if (often && !vocabulary_is_template(v, t) && (o->stop_words || !stop_word(t->text))) {
      (*terms)[(*count)++] = i;
    }
  }
  return STATUS_OK;
}

/* Terms are numbered in the order of their bytes. */
static int by_value(const void *a, const void *b) {
  const struct influential *x = a, *y = b;
  if (x->value != y->value) {
    return x->value > y->value ? -1 : 1;
  }
  return (x->term > y->term) - (x->term < y->term);
}

void influentials_sort(struct influentials *i) {
  if (i->count) {
    qsort(i->at, i->count, sizeof *i->at, by_value);
  }
}

void influentials_rank(struct influentials *i, size_t words) {
  influentials_sort(i);
  size_t above = 0;
  while (above < i->count && above < words && i->at[above].value > 0) {
    above++;
  }
  i->count = above;
}

/* values [count][INFLUENCE_RESAMPLES]; drawn and weights [items] are scratch. */
static void resample(const struct influentials *i, const struct vocabulary *v,
                     const struct resampled *r, uint64_t seed, uint32_t *drawn, double *weights,
                     double *values) {
  size_t items = (size_t)v->items;
  struct rng rng;
  rng_seed(&rng, seed);
  for (size_t s = 0; s < INFLUENCE_RESAMPLES; s++) {
    rng_choices(&rng, (uint32_t)items, items, drawn);
    memset(weights, 0, items * sizeof *weights);
    for (size_t k = 0; k < items; k++) {
      weights[drawn[k]]++;
    }
    if (r->begin) {
      r->begin(r->user, weights);
    }
    for (size_t k = 0; k < i->count; k++) {
      values[k * INFLUENCE_RESAMPLES + s] = r->value(r->user, k, weights);
    }
  }
}

status influence_intervals(struct influentials *i, const struct vocabulary *v,
                           const struct resampled *r, uint64_t seed, struct error *err) {
  size_t items = (size_t)v->items;
  uint32_t *drawn = NULL;
  double *weights = NULL, *values = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&drawn, items, sizeof *drawn, err));
  TRY_GOTO(st, done, mem_alloc(&weights, items, sizeof *weights, err));
  TRY_GOTO(st, done, mem_alloc(&values, i->count * INFLUENCE_RESAMPLES, sizeof *values, err));
  resample(i, v, r, seed, drawn, weights, values);
  for (size_t k = 0; k < i->count; k++) {
    struct interval range = interval_of(values + k * INFLUENCE_RESAMPLES, INFLUENCE_RESAMPLES);
    bool alone = v->terms[i->at[k].term].documents < 2;
    i->at[k].range = alone ? (struct interval){NAN, NAN} : range;
  }
done:
  free(drawn);
  free(weights);
  free(values);
  return st;
}
