/* The normaliser of tokenizer.json: text to text, before the pre-tokeniser. */
#ifndef ESPALIER_TOKENIZER_NORMALIZE_H
#define ESPALIER_TOKENIZER_NORMALIZE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "tokenizer/pattern.h"
#include "tokenizer/traced.h"

struct normal_step;

/* Steps in order, with sequences within sequences flattened; none: text stays as it is. */
struct normalizer {
  struct normal_step *steps; /* [count] */
  size_t count, cap;
};

/* Zero-initialise. node may be NULL. A type that is not known here is refused by its name. */
status normalizer_read(struct normalizer *n, const cJSON *node, const char *file,
                       struct error *err);
void normalizer_free(struct normalizer *n);

/* Replaces text by its normal form, using spare as the second buffer. *first is set to false when
 * what stood at the beginning was removed. */
status normalizer_apply(const struct normalizer *n, struct traced *text, struct traced *spare,
                        struct scan *scan, bool *first, struct error *err);

#endif
