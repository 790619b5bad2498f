#include "attribution/witness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/evalset.h"

static bool same_context(const struct requests *r, const struct request *a,
                         const struct request *b) {
  return a->context_count == b->context_count &&
         memcmp(r->pool.at + a->context, r->pool.at + b->context,
                (size_t)a->context_count * sizeof *r->pool.at) == 0;
}

static const struct request *gold_request(const struct evalset *e, size_t item) {
  int32_t gold = e->gold[item] > 0 ? e->gold[item] : 0;
  return &e->requests.at[e->first[item] + (size_t)gold];
}

/* Equal contexts of an item are computed once, under whichever request comes first. */
static void find_homes(struct witness *w) {
  const struct evalset *e = w->set;
  const struct requests *r = &e->requests;
  for (size_t i = 0; i < r->pool.count; i++) {
    w->home[i] = SIZE_MAX;
  }
  for (size_t i = 0; i < e->items; i++) {
    const struct request *gold = gold_request(e, i);
    for (size_t k = e->first[i]; k < e->first[i + 1]; k++) {
      const struct request *q = &r->at[k];
      for (int j = 0; same_context(r, q, gold) && j < q->context_count; j++) {
        w->home[q->context + (size_t)j] = gold->context + (size_t)j;
      }
    }
  }
}

static bool opens(const struct witness *w, const struct word_use *use) {
  return use->first == gold_request(w->set, (size_t)use->item)->context;
}

static void place_slots(struct witness *w, const struct words *words) {
  for (size_t i = 0; i < w->set->requests.pool.count; i++) {
    w->slot[i] = -1;
  }
  for (size_t i = 0; i < words->use_count; i++) {
    const struct word_use *use = &words->uses[i];
    for (int k = 0; !opens(w, use) && k < use->count; k++) {
      size_t at = use->first + (size_t)k;
      if (w->slot[at] < 0) {
        w->slot[at] = (int32_t)w->slots;
        w->word[w->slots++] = use->word;
        w->tokens[use->word]++;
      }
    }
  }
}

status witness_open(struct witness *out, const struct units *u, const struct passages *p,
                    const struct words *words, struct error *err) {
  struct witness w = {.units = *u, .set = p->set, .words = words->count};
  size_t pool = p->set->requests.pool.count, tokens = 0, cells = words->count * u->count;
  status st;
  for (size_t i = 0; i < words->use_count; i++) {
    tokens += (size_t)words->uses[i].count;
  }
  TRY_GOTO(st, failed, mem_alloc(&w.home, pool, sizeof *w.home, err));
  TRY_GOTO(st, failed, mem_alloc(&w.slot, pool, sizeof *w.slot, err));
  TRY_GOTO(st, failed, mem_alloc(&w.word, tokens, sizeof *w.word, err));
  TRY_GOTO(st, failed, mem_alloc(&w.reach, tokens, sizeof *w.reach, err));
  TRY_GOTO(st, failed, mem_alloc(&w.tokens, words->count, sizeof *w.tokens, err));
  TRY_GOTO(st, failed, mem_alloc(&w.sums, cells, sizeof *w.sums, err));
  find_homes(&w);
  place_slots(&w, words);
  *out = w;
  return STATUS_OK;
failed:
  witness_close(&w);
  return st;
}

void witness_close(struct witness *w) {
  free(w->home);
  free(w->slot);
  free(w->word);
  free(w->reach);
  free(w->tokens);
  free(w->sums);
  *w = (struct witness){0};
}

void witness_clear(struct witness *w) {
  memset(w->reach, 0, w->slots * sizeof *w->reach);
  memset(w->sums, 0, w->words * w->units.count * sizeof *w->sums);
}

static void add(const struct witness *w, int block, int32_t word, const float *x) {
  size_t at = (size_t)word * w->units.count + (size_t)block * (size_t)w->units.width;
  double *sums = w->sums + at;
  for (int i = 0; i < w->units.width; i++) {
    sums[i] += fabs((double)x[i]);
  }
}

static void follow_traces(const struct witness *w, int block, size_t home, const float *x) {
  for (size_t i = 0; i < w->trace_count; i++) {
    const struct trace *t = &w->traces[i];
    if (t->block == block && home >= t->first && home - t->first < (size_t)t->tokens) {
      t->activation[home - t->first] = x[t->unit];
    }
  }
}

static status see(void *user, int block, int input, float *x, int rows, const struct work *work,
                  struct error *err) {
  struct witness *w = user;
  (void)err;
  if (input != w->units.input || !work->origin) {
    return STATUS_OK;
  }
  for (int i = 0; i < rows; i++) {
    size_t home = w->home[work->origin[i]];
    const float *row = x + (size_t)i * (size_t)w->units.width;
    if (home == SIZE_MAX) {
      continue;
    }
    int32_t slot = w->slot[home];
    if (slot >= 0 && w->reach[slot] == block) {
      w->reach[slot]++;
      add(w, block, w->word[slot], row);
    }
    follow_traces(w, block, home, row);
  }
  return STATUS_OK;
}

struct probe witness_probe(struct witness *w) {
  return (struct probe){w, see};
}
