/* What units do where words stand: sums over the tokens of words' uses, and traces of single units
 * along passages, gathered amid an evaluation. */
#ifndef ESPALIER_ATTRIBUTION_WITNESS_H
#define ESPALIER_ATTRIBUTION_WITNESS_H

#include "attribution/units.h"
#include "attribution/words.h"

/* A passage to trace. */
struct trace {
  size_t first; /* of the evalset's pool */
  int tokens;
  int block, unit;
  float *activation; /* [tokens]: filled, signed; the caller's */
};

struct witness {
  struct units units;
  const struct evalset *set;
  size_t *home;   /* [pool]: the id's place in its item's gold context, or SIZE_MAX */
  int32_t *slot;  /* [pool]: token of a word's use, or -1 */
  int32_t *word;  /* [slots] */
  int32_t *reach; /* [slots]: next block to see, since a context may be computed twice */
  size_t slots, words;
  int64_t *tokens; /* [words]: slots of each */
  double *sums;    /* [words][units.count]: of |a| */
  struct trace *traces;
  size_t trace_count;
};

/* A use whose first token opens its sequence is left out, as in the background. Words that have no
 * other use get no token. */
status witness_open(struct witness *out, const struct units *u, const struct passages *p,
                    const struct words *words, struct error *err);
void witness_close(struct witness *w);

/* Forgets what was seen. */
void witness_clear(struct witness *w);

/* The probe that sees: to be given to the evaluation's runner. */
struct probe witness_probe(struct witness *w);

#endif
