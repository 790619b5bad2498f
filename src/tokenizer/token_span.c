#include "tokenizer/token_span.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

status token_spans_append(struct token_spans *spans, const struct token_span *from, size_t count,
                          struct error *err) {
  TRY(mem_reserve(&spans->at, &spans->cap, spans->count + count, sizeof *spans->at, err));
  if (count) {
    memcpy(spans->at + spans->count, from, count * sizeof *from);
  }
  spans->count += count;
  return STATUS_OK;
}

status token_spans_push(struct token_spans *spans, struct token_span span, struct error *err) {
  return token_spans_append(spans, &span, 1, err);
}

void token_spans_free(struct token_spans *spans) {
  free(spans->at);
  *spans = (struct token_spans){0};
}

struct token_span token_spans_hull(const struct token_span *spans, size_t count) {
  struct token_span hull = spans[0];
  for (size_t i = 1; i < count; i++) {
    struct token_span s = spans[i];
    if (s.start == s.end) {
      continue;
    }
    bool none = hull.start == hull.end;
    hull.start = none || s.start < hull.start ? s.start : hull.start;
    hull.end = none || s.end > hull.end ? s.end : hull.end;
  }
  return hull;
}
