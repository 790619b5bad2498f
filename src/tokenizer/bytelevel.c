#include "tokenizer/bytelevel.h"

#include "tokenizer/unicode.h"

uint32_t bytelevel_letter(unsigned char byte) {
  if (byte < 33) {
    return 256U + byte;
  }
  if (byte >= 127 && byte <= 160) {
    return 256U + 33 + (byte - 127U);
  }
  return byte == 173 ? 256U + 33 + 34 : byte;
}

status bytelevel_add(struct str *out, const char *text, size_t bytes, struct error *err) {
  char part[512];
  size_t n = 0;
  for (size_t i = 0; i < bytes; i++) {
    n += utf8_encode(bytelevel_letter((unsigned char)text[i]), part + n);
    if (n > sizeof part - 4) {
      TRY(str_add(out, part, n, err));
      n = 0;
    }
  }
  return str_add(out, part, n, err);
}
