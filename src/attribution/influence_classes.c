/* Influence by class: which words tell the gold labels apart. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/influence.h"
#include "attribution/log_odds.h"
#include "base/mem.h"
#include "data/task.h"
#include "eval/evalset.h"

static bool same_answers(const struct item *a, const struct item *b) {
  if (a->choices != b->choices) {
    return false;
  }
  for (int i = 0; i < a->choices; i++) {
    if (strcmp(a->answers[i], b->answers[i]) != 0) {
      return false;
    }
  }
  return true;
}

int32_t influence_classes(const struct items *items, int32_t *class_of) {
  bool shared = true;
  int32_t first = -1, other = -1;
  for (size_t i = 0; i < items->count; i++) {
    class_of[i] = items->at[i].gold;
    shared = shared && same_answers(&items->at[0], &items->at[i]);
    first = first < 0 ? class_of[i] : first;
    other = other < 0 && class_of[i] >= 0 && class_of[i] != first ? class_of[i] : other;
  }
  return shared && other >= 0 ? items->at[0].choices : 0;
}

/* Words of a data set between its classes. */
struct classed {
  struct log_odds odds;
  int32_t *class_of;   /* [items] */
  int32_t classes;     /* 0: there are none */
  const size_t *terms; /* [words]: of the words at hand */
  int32_t *best;       /* [words]: the class whose z is furthest from 0 */
  const struct influentials *words;
};

static void classed_free(struct classed *c) {
  log_odds_free(&c->odds);
  free(c->class_of);
  free(c->best);
}

/* Zero-initialise. */
static status classed_make(struct classed *c, const struct items *items, const struct vocabulary *v,
                           struct error *err) {
  TRY(mem_alloc(&c->class_of, items->count, sizeof *c->class_of, err));
  c->classes = influence_classes(items, c->class_of);
  TRY(log_odds_make(&c->odds, v, c->class_of, c->classes, err));
  log_odds_weigh(&c->odds, NULL);
  return STATUS_OK;
}

static double furthest(struct classed *c, const struct vocabulary *v, size_t term) {
  const struct term *t = &v->terms[term];
  return fabs(log_odds_of(&c->odds, t, NULL, log_odds_class(&c->odds, t)));
}

static void begin(void *user, const double *weights) {
  struct classed *c = user;
  log_odds_weigh(&c->odds, weights);
}

/* The z of the class that was furthest from 0, towards where it was. */
static double value(void *user, size_t i, const double *weights) {
  struct classed *c = user;
  const struct term *t = &c->odds.v->terms[c->words->at[i].term];
  int32_t best = c->best[i];
  double z = log_odds_of(&c->odds, t, weights, best < 0 ? ~best : best);
  return best < 0 ? -z : z;
}

static status add_intervals(struct classed *c, struct influentials *words,
                            const struct vocabulary *v, uint64_t seed, struct error *err) {
  TRY(mem_alloc(&c->best, words->count, sizeof *c->best, err));
  for (size_t i = 0; i < words->count; i++) {
    const struct term *t = &v->terms[words->at[i].term];
    int32_t class = log_odds_class(&c->odds, t);
    c->best[i] = log_odds_of(&c->odds, t, NULL, class) < 0 ? ~class : class;
  }
  c->words = words;
  struct resampled r = {begin, value, c};
  return influence_intervals(words, v, &r, seed, err);
}

static bool all_gold_missing(const struct classed *c, int32_t items) {
  for (int32_t i = 0; i < items; i++) {
    if (c->class_of[i] >= 0) {
      return false;
    }
  }
  return true;
}

status influence_by_log_odds(struct influentials *out, const struct passages *p,
                             const struct vocabulary *v, const struct attribution_options *o,
                             const size_t *terms, size_t count, struct error *err) {
  struct classed c = {.classes = 0};
  const char *data = task_data(p->set->task);
  status st;
  TRY_GOTO(st, done, classed_make(&c, p->items, v, err));
  if (c.classes == 0) {
    st = err_at(err, STATUS_INPUT, data, 0,
                all_gold_missing(&c, v->items)
                    ? "no item has a gold label, which log_odds needs (a lexicon does without)"
                    : "log_odds needs two classes or more, with the same answers in every item "
                      "(leave_one_out or a lexicon does without)");
    goto done;
  }
  TRY_GOTO(st, done, mem_alloc(&out->at, count, sizeof *out->at, err));
  for (size_t i = 0; i < count; i++) {
    double z = furthest(&c, v, terms[i]);
    out->at[i] = (struct influential){terms[i], isnan(z) ? 0 : z, {NAN, NAN}};
  }
  out->count = count;
  influentials_rank(out, (size_t)o->words);
  st = add_intervals(&c, out, v, o->seed, err);
done:
  classed_free(&c);
  return st;
}

status influence_candidates(const struct passages *p, const struct vocabulary *v, size_t *terms,
                            size_t *count, size_t candidates, struct error *err) {
  struct classed c = {.classes = 0};
  struct influentials all = {0};
  status st;
  TRY_GOTO(st, done, classed_make(&c, p->items, v, err));
  TRY_GOTO(st, done, mem_alloc(&all.at, *count, sizeof *all.at, err));
  for (size_t i = 0; i < *count; i++) {
    double z = c.classes ? furthest(&c, v, terms[i]) : v->terms[terms[i]].documents;
    all.at[i] = (struct influential){terms[i], isnan(z) ? 0 : z, {NAN, NAN}};
  }
  all.count = *count;
  influentials_sort(&all);
  *count = all.count < candidates ? all.count : candidates;
  for (size_t i = 0; i < *count; i++) {
    terms[i] = all.at[i].term;
  }
done:
  influentials_free(&all);
  classed_free(&c);
  return st;
}
