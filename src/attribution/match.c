#include "attribution/match.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

status match_kinds(const struct background *b, unsigned char *out, struct error *err) {
  size_t width = (size_t)b->units.width;
  double *sorted;
  TRY(mem_alloc(&sorted, width, sizeof *sorted, err));
  for (int block = 0; block < b->units.blocks; block++) {
    size_t at = (size_t)block * width;
    memcpy(sorted, b->mean + at, width * sizeof *sorted);
    qsort(sorted, width, sizeof *sorted, compare_doubles);
    double median = sorted[width / 2];
    for (size_t i = at; i < at + width; i++) {
      bool massive = median > 0 && b->mean[i] > MASSIVE * median;
      bool always = b->mean[i] > 0 && b->mean[i] >= ALWAYS_ON * b->spread[i];
      out[i] = massive ? UNIT_MASSIVE : always ? UNIT_ALWAYS_ON : UNIT_USUAL;
    }
  }
  free(sorted);
  return STATUS_OK;
}

/* One unit as a candidate of one word. */
struct candidate {
  double score, p;
  size_t unit;
};

static int by_score(const void *a, const void *b) {
  const struct candidate *x = a, *y = b;
  int score = (x->score < y->score) - (x->score > y->score);
  return score ? score : (x->unit > y->unit) - (x->unit < y->unit);
}

static int by_p(const void *a, const void *b) {
  const struct candidate *x = a, *y = b;
  int p = (x->p > y->p) - (x->p < y->p);
  return p ? p : (x->unit > y->unit) - (x->unit < y->unit);
}

/* Upper tail of the standard normal distribution. */
static double upper_tail(double z) {
  return 0.5 * erfc(z / sqrt(2));
}

/* Mean |a| over the word's tokens. */
static double activation(const struct witness *w, size_t word, size_t unit) {
  return w->sums[word * w->units.count + unit] / (double)w->tokens[word];
}

/* Were the word's tokens drawn from the background, their mean would spread by its spread. */
static double test(const struct witness *w, const struct background *b, size_t word, size_t unit) {
  double difference = activation(w, word, unit) - b->mean[unit];
  double error = b->spread[unit] * sqrt(1 / (double)w->tokens[word] + 1 / (double)b->tokens);
  return error > 0 ? upper_tail(difference / error) : difference > 0 ? 0 : 1;
}

/* The largest p that passes, or -1. */
static double threshold(struct candidate *c, size_t count, double rate) {
  qsort(c, count, sizeof *c, by_p);
  for (size_t i = count; i > 0; i--) {
    if (c[i - 1].p <= rate * (double)i / (double)count) {
      return c[i - 1].p;
    }
  }
  return -1;
}

/* A millionth of each block's mean: keeps a unit that never moves from dividing by nothing, and
 * never 0, so that one of a silent block scores 0 and not NaN, which has no place in an order. */
static double epsilon(const struct background *b, size_t unit) {
  size_t width = (size_t)b->units.width, at = unit / width * width;
  double sum = 0;
  for (size_t i = at; i < at + width; i++) {
    sum += b->mean[i];
  }
  return fmax(1e-6 * sum / (double)width, 1e-30);
}

static void match_word(struct matches *out, const struct witness *w, const struct background *b,
                       const unsigned char *kinds, const double *epsilons,
                       const struct attribution_options *o, size_t word, struct candidate *c) {
  size_t count = 0;
  for (size_t u = 0; u < w->units.count; u++) {
    if (kinds[u] == UNIT_USUAL) {
      c[count++] = (struct candidate){.p = test(w, b, word, u), .unit = u};
    }
  }
  double bar = threshold(c, count, o->discovery);
  count = 0;
  for (size_t u = 0; u < w->units.count; u++) {
    double a = activation(w, word, u);
    double z = (a - b->mean[u]) / (b->spread[u] + epsilons[u / (size_t)w->units.width]);
    if (o->score == SCORE_SUM || kinds[u] == UNIT_USUAL) {
      c[count++] =
          (struct candidate){.score = o->score == SCORE_SUM ? a * (double)w->tokens[word] : z,
                             .p = test(w, b, word, u),
                             .unit = u};
    }
  }
  qsort(c, count, sizeof *c, by_score);
  size_t keep = count < (size_t)o->neurons ? count : (size_t)o->neurons;
  for (size_t i = 0; i < keep; i++) {
    out->at[out->count++] =
        (struct attribution_match){.word = (int32_t)word,
                                   .unit = (int32_t)c[i].unit,
                                   .score = c[i].score,
                                   .p = c[i].p,
                                   .found = kinds[c[i].unit] == UNIT_USUAL && c[i].p <= bar,
                                   .activation = activation(w, word, c[i].unit)};
  }
}

status match_words(struct matches *out, const struct witness *w, const struct background *b,
                   const unsigned char *kinds, const struct attribution_options *o,
                   struct error *err) {
  struct matches m = {0};
  struct candidate *c = NULL;
  double *epsilons = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&m.at, w->words * (size_t)o->neurons, sizeof *m.at, err));
  TRY_GOTO(st, done, mem_alloc(&c, w->units.count, sizeof *c, err));
  TRY_GOTO(st, done, mem_alloc(&epsilons, (size_t)w->units.blocks, sizeof *epsilons, err));
  for (int i = 0; i < w->units.blocks; i++) {
    epsilons[i] = epsilon(b, (size_t)i * (size_t)w->units.width);
  }
  for (size_t word = 0; word < w->words; word++) {
    if (w->tokens[word] > 0) {
      match_word(&m, w, b, kinds, epsilons, o, word, c);
    }
  }
done:
  free(c);
  free(epsilons);
  if (st != STATUS_OK) {
    free(m.at);
    return st;
  }
  *out = m;
  return STATUS_OK;
}
