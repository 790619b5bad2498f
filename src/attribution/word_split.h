/* Words of a text: maximal runs of letters, marks and digits, with apostrophes between them and
 * not hyphens. */
#ifndef ESPALIER_ATTRIBUTION_WORD_SPLIT_H
#define ESPALIER_ATTRIBUTION_WORD_SPLIT_H

#include <stdbool.h>
#include <stddef.h>

struct text_word {
  size_t first, bytes; /* of the text */
};

/* The first word of text [n], valid UTF-8, that begins at or behind *at, which moves behind it.
 * False: there is none. */
bool word_next(const char *text, size_t n, size_t *at, struct text_word *out);

/* A word [bytes] in lower case, its apostrophes all ', NUL-terminated, into out [bytes + 1]; it
 * never grows. Returns its length. */
size_t word_lower(const char *word, size_t bytes, char *out);

/* What is left of text [n] without one of its words and one space beside it: the one before it,
 * else the one behind. out [n + 1]; returns its length. */
size_t word_remove(const char *text, size_t n, struct text_word word, char *out);

#endif
