/* BPE's merges: which pair of neighbouring tokens becomes which token, and which goes first. */
#ifndef ESPALIER_TOKENIZER_MERGES_H
#define ESPALIER_TOKENIZER_MERGES_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tokenizer/vocab.h"

struct merge {
  uint64_t pair; /* left id << 32 | right id, or MERGE_FREE */
  int32_t rank;  /* lowest first */
  int32_t id;    /* of the product */
};

#define MERGE_FREE UINT64_MAX

/* Several pairs may have one product. */
struct merges {
  struct merge *slots; /* [mask + 1] hash table */
  size_t mask;
};

/* Reads a list of "left right" or ["left", "right"]. prefix [bytes] is what continuing tokens carry
 * in front and lose in a product. A token that the vocabulary lacks is refused. */
status merges_read(struct merges *m, const cJSON *list, const struct vocab *vocab,
                   size_t prefix_bytes, const char *file, struct error *err);
void merges_free(struct merges *m);

/* The merge of a pair, or NULL. */
const struct merge *merges_find(const struct merges *m, int32_t left, int32_t right);

#endif
