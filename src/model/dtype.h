/* Element types of safetensors files. Weights are read from F32, F16 and BF16; the other types are
 * known by size, so that files that carry them (masks, counters) validate and can be copied.
 * Source: safetensors "Format" (names, sizes), IEEE 754-2019 (binary16, round to nearest even). */
#ifndef ESPALIER_MODEL_DTYPE_H
#define ESPALIER_MODEL_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

/* name in the file, bits of an element */
#define DTYPE_LIST(X)                                                                              \
  X(F32, 32)                                                                                       \
  X(F16, 16)                                                                                       \
  X(BF16, 16)                                                                                      \
  X(F64, 64)                                                                                       \
  X(I64, 64)                                                                                       \
  X(U64, 64)                                                                                       \
  X(C64, 64)                                                                                       \
  X(I32, 32)                                                                                       \
  X(U32, 32)                                                                                       \
  X(I16, 16)                                                                                       \
  X(U16, 16)                                                                                       \
  X(I8, 8)                                                                                         \
  X(U8, 8)                                                                                         \
  X(BOOL, 8)                                                                                       \
  X(F8_E5M2, 8)                                                                                    \
  X(F8_E4M3, 8)                                                                                    \
  X(F8_E8M0, 8)                                                                                    \
  X(F6_E2M3, 6)                                                                                    \
  X(F6_E3M2, 6)                                                                                    \
  X(F4, 4)

enum dtype {
#define X(name, bits) DTYPE_##name,
  DTYPE_LIST(X)
#undef X
      DTYPE_COUNT
};

const char *dtype_name(enum dtype type);
unsigned dtype_bits(enum dtype type);

/* The type of that name; DTYPE_COUNT when there is none. */
enum dtype dtype_named(const char *name);

/* Whether dtype_decode and dtype_encode take it: F32, F16, BF16. */
bool dtype_is_weight(enum dtype type);

/* count elements, little-endian and at any alignment, as float32; exact. */
void dtype_decode(enum dtype type, const void *from, size_t count, float *to);

/* float32 to count elements, rounded to nearest even; NaN stays NaN, overflow becomes infinite. */
void dtype_encode(enum dtype type, const float *from, size_t count, void *to);

/* Index of the first NaN or infinity, or count. */
size_t dtype_first_nonfinite(const float *values, size_t count);

#endif
