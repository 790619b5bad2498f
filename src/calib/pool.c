/* The documents of a set under one tokenizer, tokenised when they are first asked for: the random
 * window loader touches few of many. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "calib/select.h"

status ids_check(const struct ids *ids, int vocab, const char *path, long line, struct error *err) {
  for (size_t i = 0; i < ids->count; i++) {
    if (ids->at[i] < 0 || ids->at[i] >= vocab) {
      return err_at(err, STATUS_INPUT, path, line,
                    "token id %" PRId32 " is outside of the model's vocabulary (0 to %d)",
                    ids->at[i], vocab - 1);
    }
  }
  return STATUS_OK;
}

status pool_document(struct pool *pool, size_t i, const struct ids **out, struct error *err) {
  struct document *d = &pool->documents[i];
  if (!d->tokenised) {
    const char *path = pool->set->data;
    if (d->text) {
      d->ids.count = 0;
      status st = tokenizer_encode(pool->tokenizer, d->text, strlen(d->text), true, &d->ids, err);
      if (st != STATUS_OK) {
        return err_prefix(err, "%s:%ld", path, d->line);
      }
    }
    TRY(ids_check(&d->ids, pool->vocab, path, d->line, err));
    d->tokenised = true;
  }
  *out = &d->ids;
  return STATUS_OK;
}

status shuffled(size_t **out, size_t count, uint64_t seed, struct error *err) {
  size_t *order;
  TRY(mem_alloc(&order, count, sizeof *order, err));
  for (size_t i = 0; i < count; i++) {
    order[i] = i;
  }
  struct rng rng;
  rng_seed(&rng, seed);
  rng_shuffle(&rng, count, order);
  *out = order;
  return STATUS_OK;
}

void draw_rng(struct rng *out, const struct draw *draw, uint64_t sequence) {
  const uint64_t what[] = {draw->seed, (uint64_t)draw->draw, sequence};
  rng_seed(out, digest_u64(what, sizeof what));
}

/* What the set's kind of source needs. */
static status open_source(struct pool *pool, struct error *err) {
  const struct calibration *set = pool->set;
  switch (set->source) {
  case SOURCE_MIXTURE:
    return mixture_open_parts(pool, err);
  case SOURCE_GENERATE:
    return set->generate.from
               ? pool_open(&pool->other, set->generate.from, pool->tokenizer, pool->model, err)
               : STATUS_OK;
  case SOURCE_FIELD:
  case SOURCE_TEMPLATE:
  case SOURCE_TASK:
    if (!pool->tokenizer) {
      return err_set(err, STATUS_INPUT,
                     "calibration set %s holds texts, and the model has no tokenizer", set->name);
    }
    break;
  case SOURCE_IDS:
    break;
  }
  TRY(documents_read(pool, err));
  return set->target ? pool_open(&pool->other, set->target, pool->tokenizer, pool->model, err)
                     : STATUS_OK;
}

status pool_open(struct pool **out, const struct calibration *c, const struct tokenizer *t,
                 const struct model *m, struct error *err) {
  struct pool *pool;
  TRY(mem_alloc(&pool, 1, sizeof *pool, err));
  pool->set = c;
  pool->tokenizer = t;
  pool->model = m;
  pool->vocab = model_vocab(m);
  pool->positions = model_positions(m);
  status st = open_source(pool, err);
  if (st != STATUS_OK) {
    pool_close(pool);
    return st;
  }
  *out = pool;
  return STATUS_OK;
}

void pool_close(struct pool *pool) {
  if (!pool) {
    return;
  }
  for (size_t i = 0; i < pool->count; i++) {
    free(pool->documents[i].text);
    ids_free(&pool->documents[i].ids);
  }
  free(pool->documents);
  for (size_t i = 0; pool->parts && i < pool->set->part_count; i++) {
    pool_close(pool->parts[i]);
  }
  free(pool->parts);
  pool_close(pool->other);
  ids_free(&pool->all);
  free(pool);
}

void pool_usage(const struct pool *pool, struct usage *out) {
  const struct calibration *set = pool->set;
  for (size_t i = 0; pool->parts && i < set->part_count; i++) {
    pool_usage(pool->parts[i], out);
  }
  out->documents += pool->count;
  out->joined = out->joined || (set->sampler && set->sampler->joins);
  for (size_t i = 0; i < pool->count; i++) {
    out->used += pool->documents[i].used;
  }
}

static status take(struct pool *pool, const struct draw *draw, struct sequences *out,
                   struct error *err) {
  const struct calibration *set = pool->set;
  if (set->source == SOURCE_MIXTURE) {
    return mixture_draw(pool, draw, out, err);
  }
  if (set->source == SOURCE_GENERATE) {
    return generate_draw(pool, draw, out, err);
  }
  return set->sampler->draw ? set->sampler->draw(pool, draw, out, err)
                            : select_draw(pool, draw, out, err);
}

status pool_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                 struct error *err) {
  if (draw->draw < 0 || draw->draw >= draw->draws || draw->samples < 1 ||
      draw->samples > draw->most || draw->length < 1) {
    return err_set(err, STATUS_BUG, "draw %d of %d, %d of %d samples, %d tokens", draw->draw,
                   draw->draws, draw->samples, draw->most, draw->length);
  }
  if (draw->length > pool->positions) {
    return err_set(err, STATUS_INPUT, "length %d is above the model's %d positions", draw->length,
                   pool->positions);
  }
  struct sequences drawn = {0};
  status st = take(pool, draw, &drawn, err);
  if (st != STATUS_OK) {
    sequences_free(&drawn);
    return st;
  }
  *out = drawn;
  return STATUS_OK;
}

status calibration_draw(const struct calibration *c, const struct tokenizer *t,
                        const struct model *m, const struct draw *draw, struct sequences *out,
                        struct error *err) {
  struct pool *pool;
  TRY(pool_open(&pool, c, t, m, err));
  status st = pool_draw(pool, draw, out, err);
  pool_close(pool);
  return st;
}
