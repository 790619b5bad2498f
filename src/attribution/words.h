/* Influential words of a data set: which words of its items' texts decide the answers. A word is a
 * maximal run of letters, digits and inner apostrophes, in lower case. Words that stand in every
 * item are the template's, and never chosen. */
#ifndef ESPALIER_ATTRIBUTION_WORDS_H
#define ESPALIER_ATTRIBUTION_WORDS_H

#include "attribution/options.h"
#include "data/task.h"
#include "eval/evaluate.h"
#include "store/attribution.h"

/* One place where a chosen word stands: tokens first .. first + count - 1 of the evalset's pool,
 * all that share a byte with the word. */
struct word_use {
  int32_t word, item;
  size_t first;
  int32_t count;
};

struct words {
  struct attribution_word *at; /* [count], most influential first */
  size_t count;
  struct word_use *uses; /* [use_count], by word, then by place */
  size_t use_count, use_cap;
};

/* What words are looked for in: a task's items and their requests, made with spans
 * (evalset_options.spans), the dense model and its tokenizer. */
struct passages {
  const struct items *items;
  const struct evalset *set;
  const struct tokenizer *tokenizer;
  const struct model *model;
  bool bos; /* as in evalset_options */
};

/* Chooses words and finds their uses in the contexts of the items' gold requests (the first where
 * an item has no gold). STATUS_INPUT: a task of texts, a data set without gold labels where the
 * influence needs them, no word that occurs often enough, a lexicon none of whose words occurs. */
status words_choose(struct words *out, const struct passages *p,
                    const struct attribution_options *o, struct runner *dense,
                    status (*progress)(void *user, double done, struct error *err),
                    void *progress_user, struct error *err);
/* As words_choose for words [count] that are already known. */
status words_place(struct words *out, const struct passages *p,
                   const struct attribution_word *words, size_t count, struct error *err);
void words_free(struct words *w);

#endif
