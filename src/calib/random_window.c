/* The C4 loader of the pruning papers (SparseGPT's get_c4, repeated in Wanda and RIA): a random
 * document until one is longer than the length, then a random window of it. Draw 0 is what those
 * loaders give for the seed; a later draw goes on with the same random numbers and draws again when
 * a window overlaps one of an earlier draw. */
#include "base/rng.h"
#include "calib/set.h"
#include "calib/windows.h"

enum { PATIENCE = 4096 }; /* tries in vain before every document is looked at */

/* Whether any document still has a free window; tokenises all of them. */
static status look_everywhere(struct pool *pool, const struct draw *draw, const struct windows *w,
                              struct error *err) {
  size_t tokens = 0, windows = 0, length = (size_t)draw->length;
  bool any = false;
  for (size_t i = 0; i < pool->count; i++) {
    const struct ids *ids;
    TRY(pool_document(pool, i, &ids, err));
    tokens += ids->count;
    if (ids->count <= length) {
      continue;
    }
    windows += ids->count / length;
    size_t free_starts;
    TRY(windows_free_starts(w, i, ids->count - length, length, &free_starts, err));
    any = any || free_starts > 0;
  }
  return any ? STATUS_OK : pool_too_small(pool, draw, tokens, windows, err);
}

static status next_window(struct pool *pool, const struct draw *draw, struct rng *rng,
                          struct windows *w, struct error *err) {
  size_t length = (size_t)draw->length, look = PATIENCE + 4 * pool->count;
  for (size_t tries = 1;; tries++) {
    size_t i = (size_t)rng_int(rng, 0, (int64_t)pool->count - 1);
    const struct ids *ids;
    TRY(pool_document(pool, i, &ids, err));
    if (ids->count > length) {
      size_t first = (size_t)rng_int(rng, 0, (int64_t)(ids->count - length - 1));
      if (!windows_taken(w, i, first, length)) {
        return windows_add(w, i, first, err);
      }
    }
    if (tries == look) {
      TRY(look_everywhere(pool, draw, w, err));
    }
  }
}

static status random_window_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                                 struct error *err) {
  struct rng rng;
  rng_seed(&rng, draw->seed);
  struct windows w = {0};
  status st = STATUS_OK;
  size_t before = (size_t)draw->draw * (size_t)draw->most;
  while (st == STATUS_OK && w.count < before + (size_t)draw->samples) {
    if (w.count % (size_t)draw->most == 0) {
      w.earlier = w.count;
    }
    st = next_window(pool, draw, &rng, &w, err);
  }
  for (size_t i = before; st == STATUS_OK && i < w.count; i++) {
    pool->documents[w.at[i].document].used = true;
    const struct ids *ids = &pool->documents[w.at[i].document].ids;
    st = sequences_add(out, ids->at + w.at[i].first, (size_t)draw->length, err);
  }
  windows_free(&w);
  return st;
}

const struct sampler sampler_random_window = {.name = "random_window", .draw = random_window_draw};
