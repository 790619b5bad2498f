/* Fields in bytes: little-endian numbers and length-prefixed text, written into a growing buffer
 * and read back with every length checked against what is left. */
#ifndef ESPALIER_STORE_PACK_H
#define ESPALIER_STORE_PACK_H

#include "base/str.h"

#include <stdint.h>

/* All of them append to *to, which the caller frees with str_free. */
status pack_u8(struct str *to, uint8_t value, struct error *err);
status pack_u32(struct str *to, uint32_t value, struct error *err);
status pack_u64(struct str *to, uint64_t value, struct error *err);
status pack_f64(struct str *to, double value, struct error *err);
/* The text in field [size], up to its NUL. */
status pack_text(struct str *to, const char *field, size_t size, struct error *err);
/* count elements of width bytes (1, 4 or 8), without their count. */
status pack_array(struct str *to, const void *from, size_t count, size_t width, struct error *err);

/* What is left of a buffer that is being read. */
struct unpack {
  const unsigned char *at;
  size_t left; /* bytes */
};

/* STATUS_INPUT when the bytes end too early. */
status unpack_u8(struct unpack *from, uint8_t *out, struct error *err);
status unpack_u32(struct unpack *from, uint32_t *out, struct error *err);
status unpack_u64(struct unpack *from, uint64_t *out, struct error *err);
status unpack_f64(struct unpack *from, double *out, struct error *err);
/* Into field [size]; refuses text that does not fit with its NUL or that has a NUL inside. */
status unpack_text(struct unpack *from, char *field, size_t size, struct error *err);
/* Into memory that the caller has allocated after checking the count with unpack_fits. */
status unpack_array(struct unpack *from, void *out, size_t count, size_t width, struct error *err);
/* Refuses a count of elements that take at least width bytes each when fewer bytes are left: a
 * corrupt count never becomes an allocation. */
status unpack_fits(const struct unpack *from, uint64_t count, size_t width, struct error *err);

#endif
