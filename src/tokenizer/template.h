/* The post-processor of tokenizer.json for one text: which ids stand around it. */
#ifndef ESPALIER_TOKENIZER_TEMPLATE_H
#define ESPALIER_TOKENIZER_TEMPLATE_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/mem.h"
#include "tokenizer/token_span.h"

enum { TEMPLATE_TEXT = -1, TEMPLATE_END = -2 };

/* One or more templates one behind the other, each ended by TEMPLATE_END: ids, and TEMPLATE_TEXT
 * for what the template before made of the text. */
struct template {
  struct ids items;
};

/* Zero-initialise. node may be NULL. A type that is not known here is refused by its name. */
status template_read(struct template *t, const cJSON *node, const char *file, struct error *err);
void template_free(struct template *t);

/* Puts the special ids around those of *out behind the first `from`, and empty spans around those
 * of *spans behind the first `spans_from`; spans may be NULL. */
status template_apply(const struct template *t, struct ids *out, size_t from,
                      struct token_spans *spans, size_t spans_from, struct error *err);

#endif
