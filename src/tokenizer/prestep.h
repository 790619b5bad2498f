/* What the components of a pre-tokeniser come down to: splits at a pattern and rewrites of pieces.
 */
#ifndef ESPALIER_TOKENIZER_PRESTEP_H
#define ESPALIER_TOKENIZER_PRESTEP_H

#include "tokenizer/split.h"

enum pre_kind {
  PRE_SPLIT,
  PRE_SPACE,     /* a space in front of a piece that has none */
  PRE_BYTES,     /* byte-level letters */
  PRE_METASPACE, /* a sign for every space, and in front */
};

enum prepend_scheme { PREPEND_ALWAYS, PREPEND_FIRST, PREPEND_NEVER, PREPEND_SCHEMES };

struct pre_step {
  enum pre_kind kind;
  struct pattern pattern; /* PRE_SPLIT */
  enum split_behavior behavior;
  bool invert;
  char sign[8]; /* PRE_METASPACE: one code point, usually U+2581 */
  enum prepend_scheme scheme;
};

#endif
