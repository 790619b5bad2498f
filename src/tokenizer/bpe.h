/* The BPE model of tokenizer.json: a word's characters, merged pair by pair. Source: Sennrich,
 * Haddow, Birch (2016), with Hugging Face's unknown tokens, byte fallback and ignore_merges. */
#ifndef ESPALIER_TOKENIZER_BPE_H
#define ESPALIER_TOKENIZER_BPE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "tokenizer/merges.h"
#include "tokenizer/token_span.h"
#include "tokenizer/vocab.h"

struct bpe {
  struct vocab vocab;
  struct merges merges;
  const char *prefix; /* of every character but a word's first, or "" */
  const char *suffix; /* of a word's last character, or "" */
  int32_t unknown;    /* id, or -1: characters outside the vocabulary vanish */
  bool fuse_unknown;  /* neighbouring unknown characters are one token */
  bool byte_fallback; /* such characters become the tokens <0xNN> of their bytes */
  bool ignore_merges; /* a word that is a token stays whole */
  int32_t bytes[256]; /* ids of <0xNN>, or -1 */
};

/* Zero-initialise. Reads the file's "model"; texts stay with the tree. */
status bpe_read(struct bpe *b, const cJSON *model, const char *file, struct error *err);
void bpe_free(struct bpe *b);

struct bpe_symbol {
  int32_t id;             /* -1: merged into its left neighbour */
  int32_t previous, next; /* symbols, or -1 */
};

struct bpe_candidate {
  uint64_t order; /* rank << 32 | position: lowest first, ties leftmost */
  int32_t id;     /* of the product */
};

/* What one call needs and the next can use again; zero-initialise. */
struct bpe_work {
  struct bpe_symbol *symbols; /* [count] */
  size_t count, cap;
  struct token_spans letters; /* [count] bytes of the word, when kept: of symbols before merges */
  bool kept;
  struct bpe_candidate *heap; /* [heap_count] */
  size_t heap_count, heap_cap;
  struct str dressed; /* a character with prefix and suffix */
};

void bpe_work_free(struct bpe_work *w);

/* Appends the ids of a word [bytes < 2^31] of well-formed UTF-8 and, unless spans is NULL, the
 * bytes of the word that each of them is made of. */
status bpe_encode(const struct bpe *b, const char *word, size_t bytes, struct bpe_work *w,
                  struct ids *out, struct token_spans *spans, struct error *err);

#endif
