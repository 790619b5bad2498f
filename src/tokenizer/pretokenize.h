/* The pre-tokeniser of tokenizer.json: text to pieces, each of which BPE takes as one word. */
#ifndef ESPALIER_TOKENIZER_PRETOKENIZE_H
#define ESPALIER_TOKENIZER_PRETOKENIZE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "tokenizer/pattern.h"
#include "tokenizer/traced.h"

struct piece {
  size_t start, end; /* bytes of the text */
  bool first;        /* begins where the whole original text begins */
};

struct pieces {
  struct traced text;
  struct piece *at; /* [count], none empty */
  size_t count, cap;
};

struct pre_step;

/* Steps in order, with components flattened to splits and rewrites; none: the text is one piece. */
struct pretokenizer {
  struct pre_step *steps; /* [count] */
  size_t count, cap;
};

/* Zero-initialise. node may be NULL. A type that is not known here is refused by its name. */
status pretokenizer_read(struct pretokenizer *p, const cJSON *node, const char *file,
                         struct error *err);
void pretokenizer_free(struct pretokenizer *p);

/* A span of a text and whether a pattern matched it. */
struct span {
  size_t start, end;
  bool match;
};

/* What one call needs and the next can use again; zero-initialise. */
struct pre_work {
  struct pieces pieces, spare;
  struct span *spans;
  size_t count, cap;
};

void pre_work_free(struct pre_work *w);

/* The pieces of bytes [start, start + n) of a text in w->pieces, with their origins when the text
 * keeps its own. */
status pretokenizer_apply(const struct pretokenizer *p, const struct traced *text, size_t start,
                          size_t n, bool first, struct pre_work *w, struct scan *scan,
                          struct error *err);

#endif
