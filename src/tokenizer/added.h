/* Added tokens: texts that are cut out before the model sees anything, special ones or not. */
#ifndef ESPALIER_TOKENIZER_ADDED_H
#define ESPALIER_TOKENIZER_ADDED_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tokenizer/normalize.h"
#include "tokenizer/vocab.h"

struct added_token {
  const char *text; /* as the file has it; stays with the tree */
  char *match;      /* [bytes] what is looked for: text, or its normal form */
  size_t bytes;
  int32_t id;
  bool normalized;  /* looked for in normalised text */
  bool single_word; /* only where no letter or digit touches it */
  bool left, right; /* takes the white space before, behind */
};

/* Tokens to look for in one pass, ordered by first byte and then by length, longest first. */
struct added_set {
  struct added_token *tokens; /* [first[256]] copies; their texts belong to struct added */
  size_t first[257];          /* those that begin with byte c: first[c] to first[c + 1] */
};

struct added {
  struct added_token *tokens; /* [count] */
  size_t count;
  struct vocab names;            /* all of them, by text and by id */
  struct added_set raw, normals; /* without and with normalized */
};

/* Zero-initialise. list may be NULL. Refuses an id or a text that stands twice, also against the
 * model's vocabulary. */
status added_read(struct added *a, const cJSON *list, const struct normalizer *normalizer,
                  const struct vocab *vocab, const char *file, struct error *err);
void added_free(struct added *a);

/* A part of a text: a token, or what lies between tokens. */
struct part {
  size_t start, end;
  int32_t id; /* -1: text */
};

struct parts {
  struct part *at; /* [count], none empty */
  size_t count, cap;
};

/* Cuts text [bytes] into *out (emptied first): leftmost token first, the longest of those that
 * begin there. */
status added_cut(const struct added_set *set, const char *text, size_t bytes, struct parts *out,
                 struct error *err);

#endif
