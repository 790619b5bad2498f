/* Samplers that choose: candidate windows of a draw, of which a sampler ranks the best. The
 * documents of a set are put end to end and cut into windows, which are shuffled by the seed as in
 * packed.c; draw d has the d-th part of them as candidates, so that draws are disjoint whatever is
 * chosen. Windows of `candidates` (8) times the samples, at most CANDIDATES_MOST of them. */
#ifndef ESPALIER_CALIB_SELECT_H
#define ESPALIER_CALIB_SELECT_H

#include "calib/set.h"

enum { CANDIDATES_MOST = 4096 };

/* The row of every such sampler's parameters, the first. */
#define CANDIDATES_PARAM                                                                           \
  { "candidates", 1, 64, 8, true }

struct candidates {
  const int32_t *ids; /* of the whole pool */
  size_t *first;      /* [count]: first token of each, in shuffled order */
  size_t count, length;
};

static inline const int32_t *candidates_at(const struct candidates *c, size_t i) {
  return c->ids + c->first[i];
}

/* Copies them, for a pass through the model. */
status candidates_copy(const struct candidates *c, struct sequences *out, struct error *err);

/* pool->set's sampler at work. */
status select_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                   struct error *err);

/* A score and whose it is. */
struct scored {
  double score;
  size_t index;
};

/* Mean negative log-likelihood of each candidate under the dense model, the easiest first; the
 * caller frees *out [c->count]. */
status candidates_difficulty(const struct pool *pool, const struct draw *draw,
                             const struct candidates *c, struct scored **out, struct error *err);

/* Best first; equal scores by index, so that an order never depends on the sorting. */
void scored_descending(struct scored *at, size_t count);
void scored_ascending(struct scored *at, size_t count);

/* "calibration set NAME: 12 of 40 candidate windows are WHAT, 16 samples are asked for": for a
 * sampler that leaves some aside. */
status select_too_few(const struct pool *pool, const struct draw *draw, size_t left, size_t count,
                      const char *what, struct error *err);

#endif
