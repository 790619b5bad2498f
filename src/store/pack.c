#include "store/pack.h"

#include <string.h>

static status put(struct str *to, uint64_t value, size_t width, struct error *err) {
  char bytes[8];
  for (size_t i = 0; i < width; i++) {
    bytes[i] = (char)(value >> (8 * i) & 0xff);
  }
  return str_add(to, bytes, width, err);
}

status pack_u8(struct str *to, uint8_t value, struct error *err) {
  return put(to, value, 1, err);
}

status pack_u32(struct str *to, uint32_t value, struct error *err) {
  return put(to, value, 4, err);
}

status pack_u64(struct str *to, uint64_t value, struct error *err) {
  return put(to, value, 8, err);
}

status pack_f64(struct str *to, double value, struct error *err) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return put(to, bits, 8, err);
}

status pack_text(struct str *to, const char *field, size_t size, struct error *err) {
  size_t n = strnlen(field, size);
  TRY(put(to, n, 4, err));
  return str_add(to, field, n, err);
}

/* Byte order of elements is turned around on a big-endian machine, both ways alike. */
static void little_endian(unsigned char *at, size_t count, size_t width) {
  if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
    return;
  }
  for (size_t i = 0; i < count; i++, at += width) {
    for (size_t low = 0, high = width - 1; low < high; low++, high--) {
      unsigned char kept = at[low];
      at[low] = at[high];
      at[high] = kept;
    }
  }
}

status pack_array(struct str *to, const void *from, size_t count, size_t width, struct error *err) {
  TRY(str_add(to, from, count * width, err));
  little_endian((unsigned char *)to->at + to->count - count * width, count, width);
  return STATUS_OK;
}

static status take(struct unpack *from, size_t n, const unsigned char **out, struct error *err) {
  if (n > from->left) {
    return err_set(err, STATUS_INPUT, "record: %zu bytes left where a field takes %zu", from->left,
                   n);
  }
  *out = from->at;
  from->at += n;
  from->left -= n;
  return STATUS_OK;
}

static status get(struct unpack *from, uint64_t *out, size_t width, struct error *err) {
  const unsigned char *bytes = NULL;
  TRY(take(from, width, &bytes, err));
  uint64_t value = 0;
  for (size_t i = 0; i < width; i++) {
    value |= (uint64_t)bytes[i] << (8 * i);
  }
  *out = value;
  return STATUS_OK;
}

status unpack_u8(struct unpack *from, uint8_t *out, struct error *err) {
  uint64_t value;
  TRY(get(from, &value, 1, err));
  *out = (uint8_t)value;
  return STATUS_OK;
}

status unpack_u32(struct unpack *from, uint32_t *out, struct error *err) {
  uint64_t value;
  TRY(get(from, &value, 4, err));
  *out = (uint32_t)value;
  return STATUS_OK;
}

status unpack_u64(struct unpack *from, uint64_t *out, struct error *err) {
  return get(from, out, 8, err);
}

status unpack_f64(struct unpack *from, double *out, struct error *err) {
  uint64_t bits;
  TRY(get(from, &bits, 8, err));
  memcpy(out, &bits, sizeof *out);
  return STATUS_OK;
}

status unpack_text(struct unpack *from, char *field, size_t size, struct error *err) {
  uint32_t n;
  TRY(unpack_u32(from, &n, err));
  if (n >= size) {
    return err_set(err, STATUS_INPUT, "record: a text of %lu bytes (at most %zu)", (unsigned long)n,
                   size - 1);
  }
  const unsigned char *bytes = NULL;
  TRY(take(from, n, &bytes, err));
  if (memchr(bytes, '\0', n)) {
    return err_set(err, STATUS_INPUT, "record: a text with a NUL inside");
  }
  memcpy(field, bytes, n);
  field[n] = '\0';
  return STATUS_OK;
}

status unpack_array(struct unpack *from, void *out, size_t count, size_t width, struct error *err) {
  TRY(unpack_fits(from, count, width, err));
  const unsigned char *bytes = NULL;
  TRY(take(from, count * width, &bytes, err));
  if (count) {
    memcpy(out, bytes, count * width);
  }
  little_endian(out, count, width);
  return STATUS_OK;
}

status unpack_fits(const struct unpack *from, uint64_t count, size_t width, struct error *err) {
  if (count > from->left / width) {
    return err_set(err, STATUS_INPUT, "record: a count of %llu with %zu bytes left",
                   (unsigned long long)count, from->left);
  }
  return STATUS_OK;
}
