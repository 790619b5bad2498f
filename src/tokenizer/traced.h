/* A text under rewriting that remembers, when it is asked to, which bytes of the original text each
 * of its bytes comes from. */
#ifndef ESPALIER_TOKENIZER_TRACED_H
#define ESPALIER_TOKENIZER_TRACED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "tokenizer/token_span.h"

/* Zero-initialise. */
struct traced {
  struct str text;
  struct token_span *origin; /* [text.count] when kept */
  size_t cap;                /* of origin */
  bool kept;
};

/* Empties a text; kept says whether origins are wanted from here on. */
status traced_start(struct traced *t, bool kept, struct error *err);
void traced_free(struct traced *t);

/* Appends original text [bytes], which stands at byte `at` of the whole: a byte of a character
 * comes from all of the character. */
status traced_original(struct traced *t, const char *text, size_t bytes, size_t at,
                       struct error *err);

/* Appends bytes [start, start + n) of `in`, or `content` [bytes] in their place: that comes from
 * all that they come from; where n is 0 it comes from nothing. `in` keeps origins when out does. */
status traced_copy(struct traced *out, const struct traced *in, size_t start, size_t n,
                   struct error *err);
status traced_put(struct traced *out, const struct traced *in, size_t start, size_t n,
                  const char *content, size_t bytes, struct error *err);

/* Where bytes [start, start + n) come from; n == 0: nothing, at the place of what follows. */
struct token_span traced_hull(const struct traced *t, size_t start, size_t n);

/* Gives the bytes from `first` to the end the origin of [start, start + n) of `in`. */
status traced_mark(struct traced *out, size_t first, const struct traced *in, size_t start,
                   size_t n, struct error *err);

#endif
