/* The WikiText-2 and PTB loader of the pruning papers (SparseGPT's get_wikitext2): all texts joined
 * into one, tokenised at once, one random window per sample. Draws as in random_window.c. */
#include "base/rng.h"
#include "base/str.h"
#include "calib/set.h"
#include "calib/windows.h"

enum { PATIENCE = 4096 };

static status join(struct pool *pool, struct error *err) {
  struct str text = {0};
  status st = STATUS_OK;
  for (size_t i = 0; i < pool->count && st == STATUS_OK; i++) {
    st = str_addf(&text, err, "%s%s", i ? pool->set->join : "", pool->documents[i].text);
  }
  if (st == STATUS_OK) {
    st = tokenizer_encode(pool->tokenizer, text.at ? text.at : "", text.count, true, &pool->all,
                          err);
    if (st != STATUS_OK) {
      st = err_prefix(err, "%s", pool->set->data);
    }
  }
  str_free(&text);
  TRY(st);
  TRY(ids_check(&pool->all, pool->vocab, pool->set->data, 0, err));
  pool->joined = true;
  return STATUS_OK;
}

static status concatenate_draw(struct pool *pool, const struct draw *draw, struct sequences *out,
                               struct error *err) {
  if (!pool->joined) {
    TRY(join(pool, err));
  }
  size_t length = (size_t)draw->length, tokens = pool->all.count;
  if (tokens <= length) {
    return pool_too_small(pool, draw, tokens, tokens / length, err);
  }
  struct rng rng;
  rng_seed(&rng, draw->seed);
  struct windows w = {0};
  status st = STATUS_OK;
  size_t before = (size_t)draw->draw * (size_t)draw->most, starts = tokens - length, tries = 0;
  while (st == STATUS_OK && w.count < before + (size_t)draw->samples) {
    if (w.count % (size_t)draw->most == 0) {
      w.earlier = w.count;
    }
    size_t first = (size_t)rng_int(&rng, 0, (int64_t)starts - 1);
    if (!windows_taken(&w, 0, first, length)) {
      tries = 0;
      st = windows_add(&w, 0, first, err);
    } else if (++tries == PATIENCE) {
      size_t free_starts = 0;
      st = windows_free_starts(&w, 0, starts, length, &free_starts, err);
      if (st == STATUS_OK && free_starts == 0) {
        st = pool_too_small(pool, draw, tokens, tokens / length, err);
      }
    }
  }
  for (size_t i = before; st == STATUS_OK && i < w.count; i++) {
    st = sequences_add(out, pool->all.at + w.at[i].first, length, err);
  }
  windows_free(&w);
  return st;
}

const struct sampler sampler_concatenate = {
    .name = "concatenate", .joins = true, .join = " ", .draw = concatenate_draw};
