/* UTF-8, and what the tokenizers library knows of Unicode where that differs from the tables of
 * Debian's libraries: its expressions use Unicode 16 (libonig 6.9.8 has 14), its normal forms
 * Unicode 9 (utf8proc 2.8 has 15), its punctuation Unicode 8. */
#ifndef ESPALIER_TOKENIZER_UNICODE_H
#define ESPALIER_TOKENIZER_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct code_range {
  uint32_t first, last; /* both included */
};

struct code_category {
  uint32_t first, last;
  const char *category; /* general category: "Lu" */
};

/* What Unicode 15 to 16 assigned or moved to another category. Sorted, as all tables are. */
extern const struct code_category unicode_newer[];
extern const size_t unicode_newer_count;

/* Newer than Unicode 9, so that its normal forms neither reorder nor change nor join them. */
extern const struct code_range unicode_inert[];
extern const size_t unicode_inert_count;

/* What the Punctuation pre-tokeniser splits at. */
extern const struct code_range unicode_punctuation[];
extern const size_t unicode_punctuation_count;

/* What the StripAccents normaliser removes. */
extern const struct code_range unicode_marks[];
extern const size_t unicode_marks_count;

/* Whether a sorted table has the code point. */
bool unicode_in(const struct code_range *table, size_t count, uint32_t code);

/* White_Space. */
bool unicode_is_space(uint32_t code);

/* Letters, marks, decimal digits, connectors and joiners: \w of Unicode's regular expressions
 * (Unicode Technical Standard 18, annex C). */
bool unicode_is_word(uint32_t code);

/* Offset of the first byte that does not belong to well-formed UTF-8 (RFC 3629: no surrogates, no
 * overlong forms), or bytes when there is none. */
size_t utf8_check(const char *text, size_t bytes);

/* The code point at well-formed text and the number of its bytes. */
uint32_t utf8_decode(const char *at, size_t *bytes);

/* The first byte of the last code point of text [bytes]; bytes >= 1. */
size_t utf8_last(const char *text, size_t bytes);

/* Writes a code point and returns the number of its bytes, 1 to 4. */
size_t utf8_encode(uint32_t code, char out[4]);

#endif
