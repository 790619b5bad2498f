/* A tokenizer.json and, behind a zero byte, a text for it: ids lie in the vocabulary, the same text
 * has the same ids with spans and without, and spans lie in the text. */
#include "fuzz.h"

#include "base/mem.h"
#include "tokenizer/tokenizer.h"

static void encode(const struct tokenizer *t, const char *text, size_t n, bool special) {
  struct error err = {0};
  struct ids first = {0}, second = {0};
  struct token_spans spans = {0};
  status st = tokenizer_encode(t, text, n, special, &first, &err);
  FUZZ_CHECK(st == STATUS_OK || err.text[0]);
  FUZZ_CHECK(tokenizer_encode_spans(t, text, n, special, &second, &spans, &err) == st);
  FUZZ_CHECK(first.count == second.count && spans.count == second.count);
  for (size_t i = 0; st == STATUS_OK && i < first.count; i++) {
    FUZZ_CHECK(first.at[i] >= 0 && first.at[i] < tokenizer_size(t));
    FUZZ_CHECK(first.at[i] == second.at[i]);
    FUZZ_CHECK(spans.at[i].start <= spans.at[i].end && spans.at[i].end <= n);
  }
  ids_free(&first);
  ids_free(&second);
  token_spans_free(&spans);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char common[] = "Don't  stop: caf\xc3\xa9 \xe4\xbd\xa0 12345\n\n x<s>_\xef\xbc\xa1";
  struct error err = {0};
  const uint8_t *text;
  size_t rest, first = fuzz_split(data, size, &text, &rest);
  (void)fuzz_file(0, "tokenizer.json", data, first);
  struct tokenizer *t;
  status st = tokenizer_open(&t, fuzz_folder(), &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    encode(t, common, sizeof common - 1, true);
    encode(t, (const char *)text, rest, false);
    tokenizer_close(t);
  }
  return 0;
}
