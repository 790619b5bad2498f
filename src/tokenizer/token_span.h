/* Where a token comes from in the text. */
#ifndef ESPALIER_TOKENIZER_TOKEN_SPAN_H
#define ESPALIER_TOKENIZER_TOKEN_SPAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Bytes of a text, in whole characters; start == end: none of them. */
struct token_span {
  uint32_t start, end;
};

/* Zero-initialise. */
struct token_spans {
  struct token_span *at; /* [count] */
  size_t count, cap;
};

status token_spans_push(struct token_spans *spans, struct token_span span, struct error *err);
status token_spans_append(struct token_spans *spans, const struct token_span *from, size_t count,
                          struct error *err);
void token_spans_free(struct token_spans *spans);

/* The smallest span over all bytes of spans [count >= 1]; the first one when all are empty. */
struct token_span token_spans_hull(const struct token_span *spans, size_t count);

#endif
