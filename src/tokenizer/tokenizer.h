/* Hugging Face tokenizer.json, exactly: added tokens, normaliser, pre-tokeniser, BPE, template.
 * What the file asks for and this code does not know is refused by name, never guessed. */
#ifndef ESPALIER_TOKENIZER_TOKENIZER_H
#define ESPALIER_TOKENIZER_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/mem.h"
#include "tokenizer/token_span.h"

struct tokenizer;

/* Opens folder/tokenizer.json (and tokenizer_config.json for the names of BOS and EOS, when there).
 * Immutable afterwards; any thread may encode. */
status tokenizer_open(struct tokenizer **out, const char *folder, struct error *err);
void tokenizer_close(struct tokenizer *t);

/* Appends the ids of text [bytes] (UTF-8; invalid bytes are refused with their offset) to *out;
 * special adds the template's tokens, as add_special_tokens=True does. */
status tokenizer_encode(const struct tokenizer *t, const char *text, size_t bytes, bool special,
                        struct ids *out, struct error *err);

/* As tokenizer_encode, and appends to *spans (may be NULL) one span for every id: the bytes of the
 * text that the token comes from, in whole characters, a space that it begins with included. A
 * token of a piece of a character has the whole character; one that stands for no text (the
 * template's: 0, 0; a space put in front: where it was put) has start == end. Between what is not
 * empty, neither starts nor ends fall (but where the library swaps an unknown character with bytes
 * behind it).
 * Where these are not the library's offsets in bytes: offsets are never trimmed; an inserted space
 * alone is empty (there: the character behind it); what several characters became together, by
 * composing, ordering marks or Replace, comes from all of them (there: from one of them);
 * characters that vanish for want of a token move nothing behind them. */
status tokenizer_encode_spans(const struct tokenizer *t, const char *text, size_t bytes,
                              bool special, struct ids *out, struct token_spans *spans,
                              struct error *err);

/* Ids of the tokens that tokenizer_config.json calls bos_token and eos_token, or -1. */
int tokenizer_bos(const struct tokenizer *t);
int tokenizer_eos(const struct tokenizer *t);

/* Number of ids: the largest id and one. */
int tokenizer_size(const struct tokenizer *t);

/* The token's text as the vocabulary has it (byte-level letters, ▁ and all), or NULL. */
const char *tokenizer_token(const struct tokenizer *t, int32_t id);

/* Identity: digest of tokenizer.json. */
const char *tokenizer_digest(const struct tokenizer *t);

#endif
