/* Every word of the contexts that a model reads of a data set, and where it stands. */
#ifndef ESPALIER_ATTRIBUTION_VOCABULARY_H
#define ESPALIER_ATTRIBUTION_VOCABULARY_H

#include "attribution/word_split.h"
#include "attribution/words.h"

/* A word's place in an item's context. */
struct place {
  const char *text; /* of the word, lower case */
  int32_t item;
  struct text_word word; /* bytes of the context */
  size_t token;          /* the first of the pool that shares a byte with it */
  int32_t tokens;        /* 0: none does, the context was cut off on its left */
};

struct term {
  const char *text;    /* lower case, shorter than ATTRIBUTION_WORD */
  size_t first, count; /* places that the model reads */
  int32_t documents;   /* items in whose contexts it stands, read or not */
};

struct vocabulary {
  struct place *places; /* [place_count], by word, item, place */
  size_t place_count, place_cap;
  struct term *terms; /* [count], in the order of their bytes; none without places */
  size_t count;
  void *arena;   /* owns the texts */
  int32_t items; /* of the data set */
};

/* Zero-initialise; free with vocabulary_free, also after a failure. */
status vocabulary_make(struct vocabulary *v, const struct passages *p, struct error *err);
void vocabulary_free(struct vocabulary *v);

/* Whether every item has the word: then it is the template's. */
static inline bool vocabulary_is_template(const struct vocabulary *v, const struct term *t) {
  return t->documents == v->items;
}
/* Index of a term, or v->count. */
size_t vocabulary_find(const struct vocabulary *v, const char *text);

/* What an item is read with: the choice that is right, the first where none is. */
static inline int passage_choice(const struct passages *p, size_t item) {
  int gold = p->items->at[item].gold;
  return gold < 0 ? 0 : gold;
}

#endif
