/* Token sequences of different lengths, end to end: calibration draws, perplexity windows. */
#ifndef ESPALIER_BASE_SEQUENCES_H
#define ESPALIER_BASE_SEQUENCES_H

#include "base/digest.h"
#include "base/mem.h"

struct sequences {
  struct ids ids; /* all tokens */
  size_t *first;  /* [count + 1]: sequence i is ids.at[first[i]] up to first[i + 1] */
  size_t count, cap;
};

/* Zero-initialise, then add. Free with sequences_free. */
status sequences_add(struct sequences *s, const int32_t *ids, size_t count, struct error *err);
void sequences_free(struct sequences *s);

static inline const int32_t *sequences_at(const struct sequences *s, size_t i) {
  return s->ids.at + s->first[i];
}
static inline size_t sequences_length(const struct sequences *s, size_t i) {
  return s->first[i + 1] - s->first[i];
}

/* Identity of the tokens and of how they are cut. */
status sequences_digest(const struct sequences *s, char out[DIGEST_TEXT], struct error *err);

#endif
