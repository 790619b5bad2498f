/* Words with their influence, and how sure of it one is. */
#ifndef ESPALIER_ATTRIBUTION_INFLUENCE_H
#define ESPALIER_ATTRIBUTION_INFLUENCE_H

#include "attribution/vocabulary.h"
#include "eval/significance.h"

struct influential {
  size_t term;           /* of the vocabulary */
  double value;          /* NaN: unknown, the order of the list counts */
  struct interval range; /* 95 % over items; NaN: none */
};

struct influentials {
  struct influential *at; /* [count], most influential first, ties by the words' bytes */
  size_t count;
};

/* Terms that may be chosen: not the template's, often enough, no function words unless they are
 * wanted. The caller frees *terms. */
status influence_eligible(const struct vocabulary *v, const struct attribution_options *o,
                          size_t **terms, size_t *count, struct error *err);

/* Each keeps the o->words best whose influence is above 0, of terms [count]. Refusals as
 * words_choose says; the lexicon chooses for itself. Free with influentials_free. */
status influence_by_leave_one_out(struct influentials *out, const struct passages *p,
                                  const struct vocabulary *v, const struct attribution_options *o,
                                  const size_t *terms, size_t count, struct runner *dense,
                                  status (*progress)(void *user, double done, struct error *err),
                                  void *progress_user, struct error *err);
status influence_by_log_odds(struct influentials *out, const struct passages *p,
                             const struct vocabulary *v, const struct attribution_options *o,
                             const size_t *terms, size_t count, struct error *err);
status influence_by_lexicon(struct influentials *out, const struct passages *p,
                            const struct vocabulary *v, const struct attribution_options *o,
                            struct error *err);
void influentials_free(struct influentials *i);

/* By value, the largest first, ties by the words' bytes; the second keeps at most `words` of those
 * above 0. */
void influentials_sort(struct influentials *i);
void influentials_rank(struct influentials *i, size_t words);

/* The same for every item where all items share one list of answers, else 0: how many classes the
 * gold labels tell apart. class_of [items]: gold, -1 where there is none. */
int32_t influence_classes(const struct items *items, int32_t *class_of);

/* Terms with the largest |z| between classes, or of the most items where there are no two classes;
 * reorders terms [*count] and keeps at most `candidates`. */
status influence_candidates(const struct passages *p, const struct vocabulary *v, size_t *terms,
                            size_t *count, size_t candidates, struct error *err);

enum { INFLUENCE_RESAMPLES = 2000 };

/* The 95 % percentile interval of each value over INFLUENCE_RESAMPLES resamples of the items, with
 * replacement: value [i] under weights [items], how often each item was drawn. Random numbers are
 * CPython's Random(seed).choices(range(items), k=items), quantiles interpolate linearly. Resamples
 * in which a value is NaN are left out of its interval; NaN where those are more than half, or
 * where fewer than two items have the word. begin (or NULL) is called before each resample's
 * values. */
struct resampled {
  void (*begin)(void *user, const double *weights);
  double (*value)(void *user, size_t i, const double *weights);
  void *user;
};
status influence_intervals(struct influentials *i, const struct vocabulary *v,
                           const struct resampled *r, uint64_t seed, struct error *err);

#endif
