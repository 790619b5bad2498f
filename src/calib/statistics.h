/* What a draw is like: sizes, how much of the vocabulary it has, how hard the dense model finds it.
 */
#ifndef ESPALIER_CALIB_STATISTICS_H
#define ESPALIER_CALIB_STATISTICS_H

#include <stdbool.h>

#include "base/sequences.h"
#include "model/model.h"

/* Least, middle (the mean of the two middle ones where their number is even) and greatest. */
struct spread {
  double low, median, high;
};

struct draw_statistics {
  size_t sequences, tokens;
  size_t distinct; /* token ids that occur */
  int vocabulary;  /* of the model */
  struct spread length;
  bool has_perplexity;        /* asked for, and some sequence has two tokens */
  double perplexity;          /* e to the mean of -ln p over all tokens behind a sequence's first */
  struct spread perplexities; /* of the sequences that have one */
};

/* perplexity: with a pass of the dense model over the sequences (dense.h). s: at least one
 * sequence, of ids that the model has. */
status draw_statistics(struct draw_statistics *out, const struct model *m,
                       const struct sequences *s, bool perplexity, struct error *err);

#endif
