/* Influential words from a file: UTF-8, a word a line, a tab and a weight behind it or not; lines
 * that begin with # are comments. */
#ifndef ESPALIER_ATTRIBUTION_LEXICON_H
#define ESPALIER_ATTRIBUTION_LEXICON_H

#include "attribution/words.h"

struct lexicon_word {
  char text[ATTRIBUTION_WORD]; /* lower case */
  double weight;               /* NaN: none in the file */
  long line;
};

struct lexicon {
  struct lexicon_word *at; /* [count], in the file's order */
  size_t count, cap;
};

/* Zero-initialise; free with lexicon_free, also after a failure. Refuses, with file and line, what
 * is not UTF-8 or not one word, a word that stands twice, a weight that is no number above 0, and
 * weights behind some words only; a file without words. */
status lexicon_read(struct lexicon *l, const char *path, struct error *err);
void lexicon_free(struct lexicon *l);

#endif
