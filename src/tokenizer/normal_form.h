/* NFC, NFD, NFKC and NFKD as Unicode 9 defines them (Unicode Standard Annex 15): what came later
 * is left alone. */
#ifndef ESPALIER_TOKENIZER_NORMAL_FORM_H
#define ESPALIER_TOKENIZER_NORMAL_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

/* Appends the normal form of text [bytes] to *out: composed (C) or decomposed (D), with
 * compatibility mappings (K) or without. */
status normal_form(struct str *out, const char *text, size_t bytes, bool compose, bool compatible,
                   struct error *err);

#endif
