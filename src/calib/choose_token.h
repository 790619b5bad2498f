/* The next token of a text: temperature, top-k and nucleus (Holtzman et al., "The Curious Case of
 * Neural Text Degeneration", arXiv 1904.09751), in this order, as Hugging Face's generate has
 * them. */
#ifndef ESPALIER_CALIB_CHOOSE_TOKEN_H
#define ESPALIER_CALIB_CHOOSE_TOKEN_H

#include "base/rng.h"

struct token_choice {
  double temperature; /* above 0 */
  double top_p;       /* above 0, at most 1: 1 leaves all */
  int top_k;          /* 0 leaves all */
};

struct token_weight {
  double weight;
  int32_t id;
};

/* Takes one random number. logits [vocab]; scratch [vocab]. Equal logits count in order of ids. */
int32_t choose_token(const struct token_choice *how, const float *logits, size_t vocab,
                     struct rng *rng, struct token_weight *scratch);

#endif
