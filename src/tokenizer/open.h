/* The parts of a tokenizer, private to this room. */
#ifndef ESPALIER_TOKENIZER_OPEN_H
#define ESPALIER_TOKENIZER_OPEN_H

#include <cjson/cJSON.h>

#include "base/digest.h"
#include "tokenizer/added.h"
#include "tokenizer/bpe.h"
#include "tokenizer/normalize.h"
#include "tokenizer/pretokenize.h"
#include "tokenizer/template.h"
#include "tokenizer/tokenizer.h"

struct tokenizer {
  cJSON *tree; /* owns the tokens' texts */
  struct normalizer normalizer;
  struct pretokenizer pretokenizer;
  struct bpe bpe;
  struct added added;
  struct template template;
  int bos, eos, size;
  char digest[DIGEST_TEXT];
};

#endif
