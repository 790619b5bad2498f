#include "store/record_parts.h"

#include <string.h>

/* The second byte is no letter of UTF-8 text, so that what a caller puts into a journal beside
 * records is not taken for one. */
static const unsigned char mark[2] = {'e', 0xf8};
enum { RECORD_VERSION = 1, RECORD_HEAD = 4 };

static const char *const kind_names[] = {
    [RECORD_VARIANT] = "variant",
    [RECORD_CELL] = "cell",
    [RECORD_MASKS] = "part of masks",
    [RECORD_DISTANCE] = "distance",
    [RECORD_ATTRIBUTION_BASE] = "dense model's attribution",
    [RECORD_ATTRIBUTION_LOSS] = "variant's attribution",
};
enum { KINDS = sizeof kind_names / sizeof kind_names[0] };

status record_pack_head(struct str *to, enum record_kind kind, struct error *err) {
  TRY(str_add(to, (const char *)mark, sizeof mark, err));
  TRY(pack_u8(to, RECORD_VERSION, err));
  return pack_u8(to, (uint8_t)kind, err);
}

enum record_kind record_kind(const unsigned char *from, size_t size) {
  if (size < RECORD_HEAD || memcmp(from, mark, sizeof mark) != 0 || from[2] != RECORD_VERSION) {
    return 0;
  }
  return from[3] > 0 && from[3] < KINDS ? (enum record_kind)from[3] : 0;
}

status record_open(struct unpack *from, const unsigned char *at, size_t size, enum record_kind kind,
                   struct error *err) {
  if (record_kind(at, size) != kind) {
    return err_set(err, STATUS_INPUT, "record: not a %s of this version", kind_names[kind]);
  }
  *from = (struct unpack){at + RECORD_HEAD, size - RECORD_HEAD};
  return STATUS_OK;
}

status record_flag(struct unpack *from, bool *out, struct error *err) {
  uint8_t value;
  TRY(unpack_u8(from, &value, err));
  if (value > 1) {
    return err_set(err, STATUS_INPUT, "record: a flag of %d (expected 0 or 1)", value);
  }
  *out = value;
  return STATUS_OK;
}

status record_count(struct unpack *from, size_t width, size_t *out, struct error *err) {
  uint64_t count;
  TRY(unpack_u64(from, &count, err));
  TRY(unpack_fits(from, count, width, err));
  *out = (size_t)count;
  return STATUS_OK;
}

status record_i32(struct unpack *from, int32_t *out, struct error *err) {
  uint32_t value;
  TRY(unpack_u32(from, &value, err));
  memcpy(out, &value, sizeof *out);
  return STATUS_OK;
}

status record_end(const struct unpack *from, struct error *err) {
  if (from->left) {
    return err_set(err, STATUS_INPUT, "record: %zu bytes behind its last field", from->left);
  }
  return STATUS_OK;
}

status record_finish(status st, struct str *s, unsigned char **out, size_t *size) {
  if (st != STATUS_OK) {
    str_free(s);
    return st;
  }
  *out = (unsigned char *)s->at;
  *size = s->count;
  return STATUS_OK;
}
