/* NFC, NFD, NFKC and NFKD as Unicode 9 defines them (Unicode Standard Annex 15): what came later
 * is left alone. */
#ifndef ESPALIER_TOKENIZER_NORMAL_FORM_H
#define ESPALIER_TOKENIZER_NORMAL_FORM_H

#include <stdbool.h>

#include "base/error.h"
#include "tokenizer/traced.h"

/* Appends the normal form of a text to *out: composed (C) or decomposed (D), with compatibility
 * mappings (K) or without. A character made of several comes from all of them. */
status normal_form(struct traced *out, const struct traced *in, bool compose, bool compatible,
                   struct error *err);

#endif
