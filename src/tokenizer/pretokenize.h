/* The pre-tokeniser of tokenizer.json: text to pieces, each of which BPE takes as one word. */
#ifndef ESPALIER_TOKENIZER_PRETOKENIZE_H
#define ESPALIER_TOKENIZER_PRETOKENIZE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"
#include "tokenizer/pattern.h"

struct piece {
  size_t start, end; /* bytes of the text */
  bool first;        /* begins where the whole original text begins */
};

struct pieces {
  struct str text;
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

/* The pieces of text [bytes] in w->pieces. */
status pretokenizer_apply(const struct pretokenizer *p, const char *text, size_t bytes, bool first,
                          struct pre_work *w, struct scan *scan, struct error *err);

#endif
