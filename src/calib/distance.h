/* How far a calibration draw lies from evaluation data, by tokens and by the dense model's view. */
#ifndef ESPALIER_CALIB_DISTANCE_H
#define ESPALIER_CALIB_DISTANCE_H

#include "base/sequences.h"
#include "model/model.h"

enum { NGRAM_BUCKETS = 1 << 18 }; /* of pairs of tokens */

/* Numbers of tokens and of neighbouring pairs, the latter hashed into buckets. */
struct ngrams {
  int vocab;
  uint64_t *tokens; /* [vocab] */
  uint64_t *pairs;  /* [NGRAM_BUCKETS] */
  uint64_t token_total, pair_total;
};

/* Pairs do not cross sequences. STATUS_INPUT for ids outside of the vocabulary. Free with
 * ngrams_free. */
status ngrams_count(struct ngrams *out, const struct sequences *s, int vocab, struct error *err);
void ngrams_free(struct ngrams *n);

/* Jensen-Shannon distance of the distributions of tokens and pairs, each half of the whole: the
 * square root of the mean of both divergences with logarithms of base 2 (Lin 1991; a metric by
 * Endres and Schindelin 2003). 0: equal, 1: nothing in common; NaN where a side has no tokens. Both
 * of one vocabulary. Two samples of one distribution are not at 0: the fewer tokens, the further
 * apart. */
double ngrams_distance(const struct ngrams *a, const struct ngrams *b);

/* Mean over sequences of the mean hidden state behind the dense model's last block (dense_means),
 * of `most` sequences spread evenly over s, or of all: into mean [model_hidden]. */
status hidden_mean(const struct model *m, const struct sequences *s, size_t most, double *mean,
                   struct error *err);

/* 1 - cosine of the angle between a and b [count]: 0 to 2; NaN where one is zero. */
double hidden_distance(const double *a, const double *b, size_t count);

#endif
