#include "tokenizer/normalize.h"

#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/mem.h"
#include "tokenizer/bytelevel.h"
#include "tokenizer/json.h"
#include "tokenizer/normal_form.h"
#include "tokenizer/unicode.h"

enum normal_kind {
  NORMAL_SEQUENCE,
  NORMAL_PREPEND,
  NORMAL_REPLACE,
  NORMAL_NFC,
  NORMAL_NFD,
  NORMAL_NFKC,
  NORMAL_NFKD,
  NORMAL_LOWERCASE,
  NORMAL_STRIP,
  NORMAL_STRIP_ACCENTS,
  NORMAL_BYTE_LEVEL,
  NORMAL_KINDS
};

static const char *const names[NORMAL_KINDS] = {"Sequence", "Prepend",      "Replace",  "NFC",
                                                "NFD",      "NFKC",         "NFKD",     "Lowercase",
                                                "Strip",    "StripAccents", "ByteLevel"};

struct normal_step {
  enum normal_kind kind;
  struct pattern pattern; /* Replace */
  char *content;          /* Replace, Prepend */
  bool left, right;       /* Strip */
};

static status read_step(struct normal_step *step, const cJSON *node, const char *file,
                        struct error *err) {
  const char *content;
  switch (step->kind) {
  case NORMAL_PREPEND:
    TRY(json_need_text(file, "normalizer Prepend", node, "prepend", &content, err));
    return mem_dup(&step->content, content, strlen(content), err);
  case NORMAL_REPLACE:
    TRY(json_need_text(file, "normalizer Replace", node, "content", &content, err));
    TRY(pattern_read(&step->pattern, node, file, "normalizer Replace", err));
    return mem_dup(&step->content, content, strlen(content), err);
  case NORMAL_STRIP:
    step->left = step->right = true;
    TRY(json_bool(file, "normalizer Strip", node, "strip_left", &step->left, err));
    return json_bool(file, "normalizer Strip", node, "strip_right", &step->right, err);
  default:
    return STATUS_OK;
  }
}

status normalizer_read(struct normalizer *n, const cJSON *node, const char *file,
                       struct error *err) {
  if (!node) {
    return STATUS_OK;
  }
  int kind;
  TRY(json_type(file, "normalizer", node, names, NORMAL_KINDS, &kind, err));
  if (kind == NORMAL_SEQUENCE) {
    const cJSON *list, *one;
    TRY(json_need_array(file, "normalizer Sequence", node, "normalizers", &list, err));
    cJSON_ArrayForEach(one, list) {
      TRY(normalizer_read(n, one, file, err));
    }
    return STATUS_OK;
  }
  TRY(mem_reserve(&n->steps, &n->cap, n->count + 1, sizeof *n->steps, err));
  struct normal_step *step = &n->steps[n->count++];
  *step = (struct normal_step){.kind = (enum normal_kind)kind};
  return read_step(step, node, file, err);
}

void normalizer_free(struct normalizer *n) {
  for (size_t i = 0; i < n->count; i++) {
    pattern_free(&n->steps[i].pattern);
    free(n->steps[i].content);
  }
  free(n->steps);
  *n = (struct normalizer){0};
}

static status replace(const struct normal_step *step, const struct traced *in, struct traced *out,
                      struct scan *scan, bool *first, struct error *err) {
  size_t at = 0, start, end, content = strlen(step->content);
  bool found;
  scan_start(scan, &step->pattern, in->text.at, in->text.count);
  for (;;) {
    TRY(scan_next(scan, &found, &start, &end, err));
    if (!found) {
      return traced_copy(out, in, at, in->text.count - at, err);
    }
    *first = *first && (start > 0 || end == 0 || content > 0);
    TRY(traced_copy(out, in, at, start - at, err));
    TRY(traced_put(out, in, start, end - start, step->content, content, err));
    at = end;
  }
}

/* Simple mappings that utf8proc 2.8 (Unicode 15) does not have yet, up to Unicode 17. */
static uint32_t lower(uint32_t code) {
  static const struct {
    uint32_t first, last, lower;
  } newer[] = {{0x1C89, 0x1C89, 0x1C8A},   {0xA7CB, 0xA7CB, 0x264},  {0xA7CC, 0xA7CC, 0xA7CD},
               {0xA7CE, 0xA7CE, 0xA7CF},   {0xA7D2, 0xA7D2, 0xA7D3}, {0xA7D4, 0xA7D4, 0xA7D5},
               {0xA7DA, 0xA7DA, 0xA7DB},   {0xA7DC, 0xA7DC, 0x19B},  {0x10D50, 0x10D65, 0x10D70},
               {0x16EA0, 0x16EB8, 0x16EBB}};
  for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
    if (code >= newer[i].first && code <= newer[i].last) {
      return newer[i].lower + (code - newer[i].first);
    }
  }
  return (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
}

static status lowercase(const struct traced *in, struct traced *out, struct error *err) {
  for (size_t at = 0, length; at < in->text.count; at += length) {
    uint32_t code = utf8_decode(in->text.at + at, &length);
    bool two = code == 0x130; /* the one letter whose lower case is two code points */
    char letter[6];
    size_t n = utf8_encode(two ? 'i' : lower(code), letter);
    n += two ? utf8_encode(0x307, letter + n) : 0;
    TRY(traced_put(out, in, at, length, letter, n, err));
  }
  return STATUS_OK;
}

static status strip(const struct normal_step *step, const struct traced *in, struct traced *out,
                    bool *first, struct error *err) {
  const char *text = in->text.at;
  size_t from = 0, to = in->text.count, length;
  while (step->left && from < to && unicode_is_space(utf8_decode(text + from, &length))) {
    from += length;
  }
  while (step->right && from < to) {
    size_t last = utf8_last(text, to);
    if (!unicode_is_space(utf8_decode(text + last, &length))) {
      break;
    }
    to = last;
  }
  *first = *first && from == 0;
  return traced_copy(out, in, from, to - from, err);
}

static status strip_accents(const struct traced *in, struct traced *out, bool *first,
                            struct error *err) {
  for (size_t at = 0, length; at < in->text.count; at += length) {
    uint32_t code = utf8_decode(in->text.at + at, &length);
    if (!unicode_in(unicode_marks, unicode_marks_count, code)) {
      TRY(traced_copy(out, in, at, length, err));
    } else if (at == 0) {
      *first = false;
    }
  }
  return STATUS_OK;
}

static status apply(const struct normal_step *step, const struct traced *in, struct traced *out,
                    struct scan *scan, bool *first, struct error *err) {
  bool compatible = step->kind == NORMAL_NFKC || step->kind == NORMAL_NFKD;
  switch (step->kind) {
  case NORMAL_PREPEND:
    TRY(traced_put(out, in, 0, 0, step->content, strlen(step->content), err));
    return traced_copy(out, in, 0, in->text.count, err);
  case NORMAL_REPLACE:
    return replace(step, in, out, scan, first, err);
  case NORMAL_NFC:
  case NORMAL_NFKC:
    return normal_form(out, in, true, compatible, err);
  case NORMAL_NFD:
  case NORMAL_NFKD:
    return normal_form(out, in, false, compatible, err);
  case NORMAL_LOWERCASE:
    return lowercase(in, out, err);
  case NORMAL_STRIP:
    return strip(step, in, out, first, err);
  case NORMAL_STRIP_ACCENTS:
    return strip_accents(in, out, first, err);
  case NORMAL_BYTE_LEVEL:
    return bytelevel_add(out, in, 0, in->text.count, err);
  default:
    return err_set(err, STATUS_BUG, "normaliser %d", (int)step->kind);
  }
}

status normalizer_apply(const struct normalizer *n, struct traced *text, struct traced *spare,
                        struct scan *scan, bool *first, struct error *err) {
  for (size_t i = 0; i < n->count && text->text.count > 0; i++) {
    TRY(traced_start(spare, text->kept, err));
    TRY(apply(&n->steps[i], text, spare, scan, first, err));
    struct traced swap = *text;
    *text = *spare;
    *spare = swap;
  }
  return STATUS_OK;
}
