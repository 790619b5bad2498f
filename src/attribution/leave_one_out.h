/* What the gold answer's log-likelihood loses with a word: places of candidates, one by one left
 * out of the item's context. */
#ifndef ESPALIER_ATTRIBUTION_LEAVE_ONE_OUT_H
#define ESPALIER_ATTRIBUTION_LEAVE_ONE_OUT_H

#include "attribution/vocabulary.h"

struct trial {
  size_t candidate, place; /* of the vocabulary's */
  double fall;             /* log p(gold | context) - log p(gold | context without the word) */
};

struct trials {
  struct trial *at; /* [count], by candidate, then by place */
  size_t count, cap;
};

/* Tries at most `most` places of each candidate, terms [count]: once per item as long as there are
 * items, evenly spread over those that have it. Items without gold and contexts of that word alone
 * are passed over. Zero-initialise *out; free with trials_free, also after a failure. */
status leave_one_out(struct trials *out, const struct passages *p, const struct vocabulary *v,
                     const size_t *terms, size_t count, size_t most, struct runner *dense,
                     status (*progress)(void *user, double done, struct error *err),
                     void *progress_user, struct error *err);
void trials_free(struct trials *t);

#endif
