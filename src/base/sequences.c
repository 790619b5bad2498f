#include "base/sequences.h"

#include <stdlib.h>

status sequences_add(struct sequences *s, const int32_t *ids, size_t count, struct error *err) {
  TRY(mem_reserve(&s->first, &s->cap, s->count + 2, sizeof *s->first, err));
  TRY(ids_append(&s->ids, ids, count, err));
  s->first[0] = 0;
  s->first[++s->count] = s->ids.count;
  return STATUS_OK;
}

void sequences_free(struct sequences *s) {
  ids_free(&s->ids);
  free(s->first);
  *s = (struct sequences){0};
}

status sequences_digest(const struct sequences *s, char out[DIGEST_TEXT], struct error *err) {
  struct digest d = {0};
  for (size_t i = 0; i < s->count; i++) {
    TRY(digest_feed(&d, sequences_at(s, i), sequences_length(s, i) * sizeof(int32_t), err));
  }
  digest_finish(&d, out);
  return STATUS_OK;
}
