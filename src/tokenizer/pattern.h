/* What a Replace or a Split looks for: a regular expression of Oniguruma (the engine and the syntax
 * that Hugging Face's library uses) or a plain text. */
#ifndef ESPALIER_TOKENIZER_PATTERN_H
#define ESPALIER_TOKENIZER_PATTERN_H

#include <cjson/cJSON.h>
#include <oniguruma.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct pattern {
  regex_t *regex; /* NULL: the plain text */
  char *text;
  size_t bytes; /* of text, at least 1 */
};

/* Compiles an expression after pattern_widen. Messages: "file: what: ...". */
status pattern_regex(struct pattern *out, const char *source, const char *file, const char *what,
                     struct error *err);
status pattern_plain(struct pattern *out, const char *text, const char *file, const char *what,
                     struct error *err);

/* {"Regex": "..."} or {"String": "..."} behind the component's key "pattern". */
status pattern_read(struct pattern *out, const cJSON *component, const char *file, const char *what,
                    struct error *err);
void pattern_free(struct pattern *p);

/* The expression with \p{..} of general categories, \p{Han}, \w and \d spelled out as Unicode 16
 * has them, whatever tables the installed libonig carries. The caller frees *out. */
status pattern_widen(char **out, const char *source, struct error *err);

/* A walk over all matches, left to right and never overlapping. Zero-initialise; one scan serves
 * many texts one after the other. */
struct scan {
  const struct pattern *pattern;
  const char *text;
  size_t bytes, at;
  size_t last; /* end of the last match, or SIZE_MAX */
  OnigRegion *region;
};

void scan_start(struct scan *s, const struct pattern *pattern, const char *text, size_t bytes);

/* *found says whether text[*start] up to text[*end] is the next match. An empty match that touches
 * the one before is passed over. Text of 2^31 bytes or more is the caller's to refuse. */
status scan_next(struct scan *s, bool *found, size_t *start, size_t *end, struct error *err);
void scan_free(struct scan *s);

#endif
