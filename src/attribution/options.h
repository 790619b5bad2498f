/* What a user may ask of an attribution: the keys of a grid's `attribution:` and the options of
 * `espalier attribute`. */
#ifndef ESPALIER_ATTRIBUTION_OPTIONS_H
#define ESPALIER_ATTRIBUTION_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"

enum influence {
  INFLUENCE_LEAVE_ONE_OUT, /* fall of the gold answer's log-likelihood without the word */
  INFLUENCE_LOG_ODDS, /* between classes, with a Dirichlet prior (Monroe, Colaresi, Quinn 2008) */
  INFLUENCE_LEXICON,  /* a file's */
  INFLUENCES
};
extern const char *const influence_names[INFLUENCES]; /* "leave_one_out", "log_odds", "lexicon" */

enum match_score { SCORE_Z, SCORE_SUM, MATCH_SCORES };
extern const char *const match_score_names[MATCH_SCORES]; /* "z", "sum" */

struct attribution_options {
  enum influence influence;
  char *lexicon; /* INFLUENCE_LEXICON: path of a file with a word a line, and a tab and a weight
                    behind it or not; owned */
  int words;     /* most influential words to keep */
  int least_occurrences; /* of a word in the items */
  bool stop_words;       /* keep function words too */
  int candidates;  /* words that leave_one_out tries, by log-odds where there are gold labels, else
                      by frequency */
  int occurrences; /* of a candidate that leave_one_out takes out, one at a time, at most */
  enum match_score score;
  int neurons;      /* per word */
  double discovery; /* false discovery rate */
  int background;   /* windows of BACKGROUND_LENGTH tokens */
  bool causal;      /* zero the matched units, and random ones */
  int random_sets;
  bool patch; /* put dense activations into the pruned model */
  int lens;   /* vocabulary words per unit; 0: none */
  uint64_t seed;
};

enum { BACKGROUND_LENGTH = 128 };

/* Words 20, neurons 10, occurrences at least 3, no stop words, 200 candidates, 8 occurrences, z at
 * a rate of 0.05, 64 windows, both checks with 20 random sets, 8 vocabulary words. */
struct attribution_options attribution_defaults(void);

/* Feeds all that determines an attribution beside model, data and background; a lexicon's bytes
 * too. */
status attribution_digest(const struct attribution_options *o, struct digest *d, struct error *err);

/* Evaluations of the dense model that an attribution of a data set takes, without leave-one-out and
 * beside the data set's own; and those of each pruned one. */
int attribution_dense_passes(const struct attribution_options *o);
int attribution_pruned_passes(const struct attribution_options *o);

#endif
