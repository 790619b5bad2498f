#include "tokenizer/bytelevel.h"

#include "base/mem.h"
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

/* As many letters as fit `part`; *taken says of how many bytes. */
static size_t letters(const char *text, size_t bytes, char *part, size_t room, size_t *taken) {
  size_t n = 0, i = 0;
  for (; i < bytes && n + 4 <= room; i++) {
    n += utf8_encode(bytelevel_letter((unsigned char)text[i]), part + n);
  }
  *taken = i;
  return n;
}

/* Gives each letter from byte `first` of out on the origin of its byte. */
static status trace(struct traced *out, size_t first, const struct traced *in, size_t start,
                    struct error *err) {
  TRY(mem_reserve(&out->origin, &out->cap, out->text.count, sizeof *out->origin, err));
  for (size_t at = first, length; at < out->text.count; at += length, start++) {
    (void)utf8_decode(out->text.at + at, &length);
    for (size_t i = 0; i < length; i++) {
      out->origin[at + i] = in->origin[start];
    }
  }
  return STATUS_OK;
}

status bytelevel_add(struct traced *out, const struct traced *in, size_t start, size_t n,
                     struct error *err) {
  char part[512];
  size_t first = out->text.count;
  for (size_t done = 0, taken; done < n; done += taken) {
    size_t bytes = letters(in->text.at + start + done, n - done, part, sizeof part, &taken);
    TRY(str_add(&out->text, part, bytes, err));
  }
  return out->kept ? trace(out, first, in, start, err) : STATUS_OK;
}
