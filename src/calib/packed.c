/* Documents end to end, cut into disjoint windows, the windows shuffled: uses short documents to
 * the last token and makes draws disjoint without rejection. A document carries the special tokens
 * that its tokenizer's template gives it (LLaMA: BOS in front); a tokenizer without a template
 * separates documents by EOS, as packed pre-training data does. The tail shorter than a window is
 * dropped. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "calib/set.h"

/* Whether the template adds anything to a text. */
static status has_template(const struct tokenizer *t, bool *out, struct error *err) {
  struct ids ids = {0};
  status st = tokenizer_encode(t, "", 0, true, &ids, err);
  *out = ids.count > 0;
  ids_free(&ids);
  return st;
}

static status join(struct pool *pool, struct error *err) {
  bool separated = true;
  int eos = -1;
  if (pool->tokenizer && pool->set->source != SOURCE_IDS) {
    TRY(has_template(pool->tokenizer, &separated, err));
    eos = tokenizer_eos(pool->tokenizer);
  }
  for (size_t i = 0; i < pool->count; i++) {
    if (pool->documents[i].text && pool->documents[i].text[0] == '\0') {
      continue;
    }
    const struct ids *ids;
    TRY(pool_document(pool, i, &ids, err));
    TRY(ids_append(&pool->all, ids->at, ids->count, err));
    if (!separated && eos >= 0) {
      TRY(ids_push(&pool->all, eos, err));
    }
    ids_free(&pool->documents[i].ids);
    pool->documents[i].tokenised = false;
  }
  pool->joined = true;
  return STATUS_OK;
}

static status packed_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                          struct error *err) {
  if (!pool->joined) {
    TRY(join(pool, err));
  }
  size_t length = (size_t)draw->length, windows = pool->all.count / length;
  if (windows / (size_t)draw->draws < (size_t)draw->most) {
    return pool_too_small(pool, draw, pool->all.count, windows, err);
  }
  size_t *order;
  TRY(mem_alloc(&order, windows, sizeof *order, err));
  for (size_t i = 0; i < windows; i++) {
    order[i] = i;
  }
  struct rng rng;
  rng_seed(&rng, draw->seed);
  rng_shuffle(&rng, windows, order);
  const size_t *mine = order + (size_t)draw->draw * (size_t)draw->most;
  status st = STATUS_OK;
  for (int i = 0; i < draw->samples && st == STATUS_OK; i++) {
    st = sequences_add(out, pool->all.at + mine[i] * length, length, err);
  }
  free(order);
  return st;
}

const struct sampler sampler_packed = {.name = "packed", .draw = packed_draw};
