/* Influence by leaving words out, and by a file. */
#include <math.h>
#include <stdlib.h>

#include "attribution/influence.h"
#include "attribution/leave_one_out.h"
#include "attribution/lexicon.h"
#include "base/mem.h"
#include "data/task.h"
#include "eval/evalset.h"

/* The trials of the words at hand. */
struct tried {
  const struct vocabulary *v;
  const struct trials *trials;
  size_t *first;      /* [candidates + 1]: candidate i's are first[i] up to first[i + 1] */
  size_t *candidates; /* [words]: which candidate each is */
};

/* Mean fall of a candidate's trials; items count weights[item] times, NULL: once. */
static double mean_fall(const struct tried *t, size_t candidate, const double *weights) {
  double sum = 0, all = 0;
  for (size_t i = t->first[candidate]; i < t->first[candidate + 1]; i++) {
    double times = weights ? weights[t->v->places[t->trials->at[i].place].item] : 1;
    sum += times * t->trials->at[i].fall;
    all += times;
  }
  return all > 0 ? sum / all : NAN;
}

static double value(void *user, size_t i, const double *weights) {
  const struct tried *t = user;
  return mean_fall(t, t->candidates[i], weights);
}

/* of [terms of the vocabulary]: which candidate a term is. */
static void find_candidates(const struct tried *t, const struct influentials *words,
                            const size_t *of) {
  for (size_t i = 0; i < words->count; i++) {
    t->candidates[i] = of[words->at[i].term];
  }
}

static status judge(struct influentials *out, const struct vocabulary *v,
                    const struct attribution_options *o, const struct trials *trials,
                    const size_t *terms, size_t count, struct error *err) {
  struct tried t = {.v = v, .trials = trials};
  size_t *of = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&t.first, count + 1, sizeof *t.first, err));
  TRY_GOTO(st, done, mem_alloc(&t.candidates, count, sizeof *t.candidates, err));
  TRY_GOTO(st, done, mem_alloc(&of, v->count, sizeof *of, err));
  TRY_GOTO(st, done, mem_alloc(&out->at, count, sizeof *out->at, err));
  for (size_t i = 0, at = 0; i < count; i++) {
    while (at < trials->count && trials->at[at].candidate <= i) {
      at++;
    }
    t.first[i + 1] = at;
    double mean = mean_fall(&t, i, NULL);
    of[terms[i]] = i;
    out->at[i] = (struct influential){terms[i], isnan(mean) ? 0 : mean, {NAN, NAN}};
  }
  out->count = count;
  influentials_rank(out, (size_t)o->words);
  find_candidates(&t, out, of);
  struct resampled r = {NULL, value, &t};
  st = influence_intervals(out, v, &r, o->seed, err);
done:
  free(t.first);
  free(t.candidates);
  free(of);
  return st;
}

static bool has_gold(const struct items *items) {
  for (size_t i = 0; i < items->count; i++) {
    if (items->at[i].gold >= 0) {
      return true;
    }
  }
  return false;
}

status influence_by_leave_one_out(struct influentials *out, const struct passages *p,
                                  const struct vocabulary *v, const struct attribution_options *o,
                                  const size_t *terms, size_t count, struct runner *dense,
                                  status (*progress)(void *user, double done, struct error *err),
                                  void *progress_user, struct error *err) {
  if (!has_gold(p->items)) {
    return err_at(err, STATUS_INPUT, task_data(p->set->task), 0,
                  "no item has a gold label, which leave_one_out needs (a lexicon does without)");
  }
  struct trials trials = {0};
  size_t *candidates = NULL, kept = count;
  status st;
  TRY_GOTO(st, done, mem_alloc(&candidates, count, sizeof *candidates, err));
  for (size_t i = 0; i < count; i++) {
    candidates[i] = terms[i];
  }
  TRY_GOTO(st, done, influence_candidates(p, v, candidates, &kept, (size_t)o->candidates, err));
  TRY_GOTO(st, done,
           leave_one_out(&trials, p, v, candidates, kept, (size_t)o->occurrences, dense, progress,
                         progress_user, err));
  st = judge(out, v, o, &trials, candidates, kept, err);
done:
  free(candidates);
  trials_free(&trials);
  return st;
}

/* Words of the file that the data set has often enough, with their weights. */
static void look_up(struct influentials *out, const struct vocabulary *v,
                    const struct attribution_options *o, const struct lexicon *l) {
  for (size_t i = 0; i < l->count; i++) {
    size_t term = vocabulary_find(v, l->at[i].text);
    if (term < v->count && v->terms[term].count >= (size_t)o->least_occurrences &&
        !vocabulary_is_template(v, &v->terms[term])) {
      out->at[out->count++] = (struct influential){term, l->at[i].weight, {NAN, NAN}};
    }
  }
}

status influence_by_lexicon(struct influentials *out, const struct passages *p,
                            const struct vocabulary *v, const struct attribution_options *o,
                            struct error *err) {
  struct lexicon l = {0};
  status st;
  TRY_GOTO(st, done, lexicon_read(&l, o->lexicon, err));
  TRY_GOTO(st, done, mem_alloc(&out->at, l.count, sizeof *out->at, err));
  look_up(out, v, o, &l);
  if (out->count == 0) {
    st = err_at(err, STATUS_INPUT, o->lexicon, 0,
                "none of its %zu words stands in %s at least %d times without standing in every "
                "item",
                l.count, task_data(p->set->task), o->least_occurrences);
  } else if (isnan(out->at[0].value)) { /* the file's order is all there is */
    out->count = out->count < (size_t)o->words ? out->count : (size_t)o->words;
  } else {
    influentials_rank(out, (size_t)o->words);
  }
done:
  lexicon_free(&l);
  return st;
}
