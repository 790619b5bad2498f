/* Tokens and their ids, both ways. */
#ifndef ESPALIER_TOKENIZER_VOCAB_H
#define ESPALIER_TOKENIZER_VOCAB_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct token {
  const char *text; /* [bytes], NUL-terminated */
  uint32_t bytes;
  int32_t id;
};

struct vocab {
  struct token *tokens; /* [count] by id */
  size_t count;
  uint32_t *slots; /* [mask + 1] hash table of texts: 1 + index into tokens, or 0 */
  size_t mask;
};

/* An empty vocabulary for up to `capacity` tokens; then vocab_add them and vocab_index. */
status vocab_start(struct vocab *v, size_t capacity, struct error *err);
void vocab_add(struct vocab *v, const char *text, int32_t id);

/* Sorts and indexes. A text or an id that stands twice is refused, naming the file. Texts must
 * live as long as the vocabulary. */
status vocab_index(struct vocab *v, const char *file, struct error *err);
void vocab_free(struct vocab *v);

/* The id of a text, or -1. */
int32_t vocab_id(const struct vocab *v, const char *text, size_t bytes);

/* The text of an id, or NULL. */
const char *vocab_text(const struct vocab *v, int32_t id);

#endif
