/* Who is better, and whether judges agree on it: paired wins and Kendall's W. Pure functions. */
#ifndef ESPALIER_EVAL_AGREEMENT_H
#define ESPALIER_EVAL_AGREEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A against B in pairs. */
struct paired_wins {
  size_t pairs, wins, ties, losses; /* of A */
  double beats;                     /* (wins + ties / 2) / pairs; NaN without pairs */
  double difference;                /* mean of a - b over the pairs */
  double p; /* exact two-sided sign test of wins against losses; 1 without either, NaN without pairs
             */
};
/* a, b [n], no NaNs; equal infinities are ties. */
struct paired_wins paired_wins(const double *a, const double *b, size_t n, bool lower_is_better);

/* Ranks of values [n] from 1, the smallest first; equal values share their mean rank. Twice the
 * rank, so that all are whole. order [n] is scratch. */
void rank_doubled(const double *values, size_t n, size_t *order, int64_t *doubled);

/* Kendall's coefficient of concordance (Kendall & Babington Smith 1939) of judges over items, with
 * its correction for ties: 1 when all rank alike, about 1 / judges by chance. */
struct concordance {
  double w;   /* NaN with fewer than two judges or items, or where no judge tells items apart */
  double p;   /* of a W at least as large when every judge ranks at random; NaN where w is */
  bool exact; /* from all orders; false: from CONCORDANCE_PERMUTATIONS random ones */
  double mean_rank; /* smallest mean rank of an item */
  size_t first;     /* the item that has it, of several the first */
  size_t firsts;    /* how many have it */
};
enum { CONCORDANCE_PERMUTATIONS = 10000, CONCORDANCE_EXACT = 50000 };

/* scores [judges][items], no NaNs; larger scores rank higher (nearer 1) unless lower_is_better. p
 * comes from all orders of the judges' ranks where there are at most CONCORDANCE_EXACT, otherwise
 * it is (1 + hits) / (1 + CONCORDANCE_PERMUTATIONS) with the shuffles of CPython's Random(seed). */
status concordance(const double *scores, size_t judges, size_t items, bool lower_is_better,
                   unsigned seed, struct concordance *out, struct error *err);

#endif
