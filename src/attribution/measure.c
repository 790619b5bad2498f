#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribution/attribution_parts.h"
#include "base/mem.h"

static status alloc_loss(const struct attribution *a, struct attribution_loss *l,
                         struct error *err) {
  const struct attribution_base *b = &a->base;
  size_t blocks = (size_t)b->blocks;
  TRY(mem_alloc(&l->word_loss, b->word_count, sizeof *l->word_loss, err));
  l->word_count = b->word_count;
  TRY(mem_alloc(&l->activation, b->match_count, sizeof *l->activation, err));
  l->match_count = b->match_count;
  TRY(mem_alloc(&l->block_loss, blocks, sizeof *l->block_loss, err));
  TRY(mem_alloc(&l->dead, blocks, sizeof *l->dead, err));
  l->block_count = blocks;
  TRY(mem_alloc(&l->examples, b->example_count, sizeof *l->examples, err));
  for (size_t i = 0; i < b->example_count; i++) {
    struct attribution_trace *t = &l->examples[i];
    t->tokens = b->examples[i].tokens;
    l->example_count++;
    TRY(mem_alloc(&t->activation, (size_t)t->tokens, sizeof *t->activation, err));
    memcpy(t->activation, a->traces[i].activation, (size_t)t->tokens * sizeof *t->activation);
  }
  return STATUS_OK;
}

/* R(w) = sum of max(0, A - A') / sum of A over the word's units; NaN for words without any. */
static void lose_words(const struct attribution *a, struct attribution_loss *l) {
  const struct attribution_base *b = &a->base;
  double loss = 0, weights = 0;
  for (size_t w = 0; w < b->word_count; w++) {
    double lost = 0, all = 0;
    for (size_t m = 0; m < b->match_count; m++) {
      if (b->matches[m].word == (int32_t)w) {
        double fall = b->matches[m].activation - l->activation[m];
        lost += fall > 0 ? fall : 0;
        all += b->matches[m].activation;
      }
    }
    l->word_loss[w] = all > 0 ? lost / all : NAN;
    if (all > 0) {
      loss += a->weights[w] * l->word_loss[w];
      weights += a->weights[w];
    }
  }
  l->loss = weights > 0 ? loss / weights : NAN;
}

static void lose_blocks(const struct attribution *a, struct attribution_loss *l) {
  const struct attribution_base *b = &a->base;
  for (int block = 0; block < b->blocks; block++) {
    double lost = 0, all = 0;
    for (size_t m = 0; m < b->match_count; m++) {
      const struct attribution_match *match = &b->matches[m];
      if (b->units[match->unit].block == block) {
        double fall = match->activation - l->activation[m], weight = a->weights[match->word];
        lost += weight * (fall > 0 ? fall : 0);
        all += weight * match->activation;
      }
    }
    l->block_loss[block] = all > 0 ? lost / all : NAN;
  }
}

/* Activations of the matches in the evaluation that the witness saw last. */
static void read_witness(const struct attribution *a, struct attribution_loss *l) {
  for (size_t m = 0; m < a->base.match_count; m++) {
    const struct attribution_match *match = &a->matches.at[m]; /* unit is its number */
    size_t word = (size_t)match->word;
    l->activation[m] = a->witness.sums[word * a->units.count + (size_t)match->unit] /
                       (double)a->witness.tokens[word];
  }
}

static status patch(struct attribution *a, struct runner *runner, const struct watcher *watcher,
                    const struct eval_result *result, struct attribution_loss *l,
                    struct error *err) {
  l->patched_accuracy = l->patched_gold = l->restored = l->restored_low = l->restored_high = NAN;
  if (!a->o.patch) {
    return STATUS_OK;
  }
  struct probe probe = tape_play(&a->tape);
  struct eval_result r = {0};
  struct interval interval = {NAN, NAN};
  status st = attribution_evaluate(a, runner, &probe, watcher, &r, err);
  if (st == STATUS_OK) {
    l->patched_accuracy = attribution_accuracy(&r);
    l->patched_gold = attribution_gold(&r);
    st = changes_restored(&a->dense, result, &r, (unsigned)a->o.seed, &l->restored, &interval, err);
    l->restored_low = interval.low;
    l->restored_high = interval.high;
  }
  eval_result_free(&r);
  return st;
}

static status measure(struct attribution *a, struct runner *runner, const struct background *pruned,
                      const struct watcher *watcher, struct eval_result *result,
                      struct attribution_loss *l, struct error *err) {
  struct probe probe = witness_probe(&a->witness);
  witness_clear(&a->witness);
  TRY(attribution_evaluate(a, runner, &probe, watcher, result, err));
  TRY(alloc_loss(a, l, err));
  read_witness(a, l);
  lose_words(a, l);
  lose_blocks(a, l);
  background_dead(pruned, l->dead);
  l->accuracy = attribution_accuracy(result);
  l->gold = attribution_gold(result);
  l->layer_error = background_error(a->s.background, pruned);
  l->perplexity = pruned->perplexity;
  return patch(a, runner, watcher, result, l, err);
}

status attribution_measure(struct attribution *a, struct runner *runner,
                           const struct background *pruned, const struct watcher *watcher,
                           struct eval_result *result, struct attribution_loss *out,
                           struct error *err) {
  *out = (struct attribution_loss){0};
  return measure(a, runner, pruned, watcher, result, out, err);
}
