/* Matching words with the units that answer to them. */
#ifndef ESPALIER_ATTRIBUTION_MATCH_H
#define ESPALIER_ATTRIBUTION_MATCH_H

#include "attribution/background.h"
#include "attribution/options.h"
#include "attribution/witness.h"

/* Units that answer to everything, or dwarf all others. */
enum unit_kind { UNIT_USUAL, UNIT_ALWAYS_ON, UNIT_MASSIVE };

/* Kinds into out [units.count]. Always on: its mean over the background is at least ALWAYS_ON times
 * its spread. Massive: its mean is above MASSIVE times the median of its block's means. */
#define ALWAYS_ON 2.0
#define MASSIVE 50.0
status match_kinds(const struct background *b, unsigned char *out, struct error *err);

struct matches {
  struct attribution_match *at; /* [count]: unit is its number until matches_index */
  size_t count;
};

/* The best `neurons` units of every word by score, ties to the lower number. z: (A - mean) /
 * (spread + 1e-6 of the block's mean), over usual units; sum: the sum of |a| over the word's
 * tokens, over all units, as the study has it. p: one-sided z-test that the word's tokens are drawn
 * from the background, whose spread stands for both; found: Benjamini and Hochberg's procedure
 * (1995) at the rate `discovery` over all usual units of the word. A word without tokens has no
 * matches. */
status match_words(struct matches *out, const struct witness *w, const struct background *b,
                   const unsigned char *kinds, const struct attribution_options *o,
                   struct error *err);

#endif
