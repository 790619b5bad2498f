/* Documents end to end, cut into disjoint windows, the windows shuffled: uses short documents to
 * the last token and makes draws disjoint without rejection. A document carries the special tokens
 * that its tokenizer's template gives it (LLaMA: BOS in front); a tokenizer without a template
 * separates documents by EOS, as packed pre-training data does. The tail shorter than a window is
 * dropped. */
#include <stdlib.h>
#include <string.h>

#include "calib/set.h"

/* Whether the template adds anything to a text. */
static status has_template(const struct tokenizer *t, bool *out, struct error *err) {
  struct ids ids = {0};
  status st = tokenizer_encode(t, "", 0, true, &ids, err);
  *out = ids.count > 0;
  ids_free(&ids);
  return st;
}

status pool_pack(struct pool *pool, struct error *err) {
  if (pool->joined) {
    return STATUS_OK;
  }
  bool separated = true;
  int eos = -1;
  if (pool->tokenizer && pool->set->source != SOURCE_IDS) {
    TRY(has_template(pool->tokenizer, &separated, err));
    eos = tokenizer_eos(pool->tokenizer);
  }
  for (size_t i = 0; i < pool->count; i++) {
    struct document *d = &pool->documents[i];
    d->first = pool->all.count;
    if (d->text && d->text[0] == '\0') {
      continue;
    }
    const struct ids *ids;
    TRY(pool_document(pool, i, &ids, err));
    TRY(ids_append(&pool->all, ids->at, ids->count, err));
    if (!separated && eos >= 0) {
      TRY(ids_push(&pool->all, eos, err));
    }
    ids_free(&d->ids);
    d->tokenised = false;
  }
  pool->joined = true;
  return STATUS_OK;
}

void pool_mark(struct pool *pool, size_t first, size_t length) {
  size_t low = 0, high = pool->count; /* the last document that begins at or before `first` */
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    *(pool->documents[middle].first <= first ? &low : &high) = middle;
  }
  for (size_t i = low; i < pool->count && pool->documents[i].first < first + length; i++) {
    size_t end = i + 1 < pool->count ? pool->documents[i + 1].first : pool->all.count;
    pool->documents[i].used |= end > pool->documents[i].first;
  }
}

static status packed_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                          struct error *err) {
  TRY(pool_pack(pool, err));
  size_t length = (size_t)draw->length, windows = pool->all.count / length;
  if (windows / (size_t)draw->draws < (size_t)draw->most) {
    return pool_too_small(pool, draw, pool->all.count, windows, err);
  }
  size_t *order;
  TRY(shuffled(&order, windows, draw->seed, err));
  const size_t *mine = order + (size_t)draw->draw * (size_t)draw->most;
  status st = STATUS_OK;
  for (int i = 0; i < draw->samples && st == STATUS_OK; i++) {
    pool_mark(pool, mine[i] * length, length);
    st = sequences_add(out, pool->all.at + mine[i] * length, length, err);
  }
  free(order);
  return st;
}

const struct sampler sampler_packed = {.name = "packed", .draw = packed_draw};
