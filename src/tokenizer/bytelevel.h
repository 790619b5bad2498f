/* Byte-level text: every byte as a printable letter, as GPT-2 has it. Bytes 33-126, 161-172 and
 * 174-255 are the code points of the same number, the others 256 and up in order. */
#ifndef ESPALIER_TOKENIZER_BYTELEVEL_H
#define ESPALIER_TOKENIZER_BYTELEVEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "tokenizer/traced.h"

uint32_t bytelevel_letter(unsigned char byte);

/* Appends the letters of bytes [start, start + n) of `in`. */
status bytelevel_add(struct traced *out, const struct traced *in, size_t start, size_t n,
                     struct error *err);

#endif
