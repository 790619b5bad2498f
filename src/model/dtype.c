#include "model/dtype.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors bytes are little-endian");

static const struct {
  const char *name;
  unsigned bits;
} types[DTYPE_COUNT] = {
#define X(name, bits) [DTYPE_##name] = {#name, bits},
    DTYPE_LIST(X)
#undef X
};

const char *dtype_name(enum dtype type) {
  return types[type].name;
}

unsigned dtype_bits(enum dtype type) {
  return types[type].bits;
}

enum dtype dtype_named(const char *name) {
  int i = 0;
  while (i < DTYPE_COUNT && strcmp(types[i].name, name) != 0) {
    i++;
  }
  return (enum dtype)i;
}

bool dtype_is_weight(enum dtype type) {
  return type == DTYPE_F32 || type == DTYPE_F16 || type == DTYPE_BF16;
}

static inline uint32_t bits_of(float x) {
  uint32_t u;
  memcpy(&u, &x, sizeof u);
  return u;
}

static inline float float_of(uint32_t u) {
  float x;
  memcpy(&x, &u, sizeof x);
  return x;
}

/* The conversions below are integer arithmetic and selects only, so that the compiler vectorises
 * them on any processor; no payload of a NaN is lost on the way to float32 and back. */

static inline float half_to_float(uint16_t h) {
  uint32_t sign = (uint32_t)(h & 0x8000u) << 16, body = (uint32_t)(h & 0x7fffu) << 13;
  /* binary16's exponents are 112 below binary32's; the all-ones exponent is 112 lower again. */
  uint32_t normal = body + (112u << 23) + (body >= (31u << 23) ? 112u << 23 : 0);
  /* A subnormal is put behind an implicit one of weight 2^-14, which is taken away again. */
  uint32_t subnormal = bits_of(float_of(body + (113u << 23)) - float_of(113u << 23));
  return float_of(sign | (body < (1u << 23) ? subnormal : normal));
}

static inline uint16_t float_to_half(float x) {
  uint32_t u = bits_of(x), sign = u >> 16 & 0x8000u, body = u & 0x7fffffffu;
  uint32_t normal = (body - (112u << 23) + 0xfffu + (body >> 13 & 1u)) >> 13;
  /* Adding 0.5 makes the processor round to a multiple of 2^-24, binary16's smallest number. */
  uint32_t subnormal = bits_of(float_of(body) + 0.5f) - bits_of(0.5f);
  uint32_t payload = body >> 13 & 0x3ffu;
  uint32_t nan = 0x7c00u | (payload ? payload : 0x200u);
  uint32_t h = body < (113u << 23) ? subnormal : normal;
  h = body >= (143u << 23) ? 0x7c00u : h;
  h = body > (255u << 23) ? nan : h;
  return (uint16_t)(sign | h);
}

static inline uint16_t float_to_bfloat(float x) {
  uint32_t u = bits_of(x);
  uint32_t rounded = (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
  uint32_t nan = u >> 16 | ((u >> 16 & 0x7fu) ? 0 : 0x40u);
  return (uint16_t)((u & 0x7fffffffu) > (255u << 23) ? nan : rounded);
}

static void decode_half(const unsigned char *restrict from, size_t count, float *restrict to) {
  for (size_t i = 0; i < count; i++) {
    uint16_t h;
    memcpy(&h, from + 2 * i, sizeof h);
    to[i] = half_to_float(h);
  }
}

static void decode_bfloat(const unsigned char *restrict from, size_t count, float *restrict to) {
  for (size_t i = 0; i < count; i++) {
    uint16_t h;
    memcpy(&h, from + 2 * i, sizeof h);
    to[i] = float_of((uint32_t)h << 16);
  }
}

void dtype_decode(enum dtype type, const void *from, size_t count, float *to) {
  assert(dtype_is_weight(type));
  if (count == 0) {
    return;
  }
  if (type == DTYPE_F32) {
    memcpy(to, from, count * sizeof *to);
  } else if (type == DTYPE_F16) {
    decode_half(from, count, to);
  } else {
    decode_bfloat(from, count, to);
  }
}

static void encode_half(const float *restrict from, size_t count, unsigned char *restrict to) {
  for (size_t i = 0; i < count; i++) {
    uint16_t h = float_to_half(from[i]);
    memcpy(to + 2 * i, &h, sizeof h);
  }
}

static void encode_bfloat(const float *restrict from, size_t count, unsigned char *restrict to) {
  for (size_t i = 0; i < count; i++) {
    uint16_t h = float_to_bfloat(from[i]);
    memcpy(to + 2 * i, &h, sizeof h);
  }
}

void dtype_encode(enum dtype type, const float *from, size_t count, void *to) {
  assert(dtype_is_weight(type));
  if (count == 0) {
    return;
  }
  if (type == DTYPE_F32) {
    memcpy(to, from, count * sizeof *from);
  } else if (type == DTYPE_F16) {
    encode_half(from, count, to);
  } else {
    encode_bfloat(from, count, to);
  }
}

size_t dtype_first_nonfinite(const float *values, size_t count) {
  uint32_t bad = 0;
  for (size_t i = 0; i < count; i++) {
    bad |= (bits_of(values[i]) & 0x7f800000u) == 0x7f800000u;
  }
  if (!bad) {
    return count;
  }
  size_t i = 0;
  while ((bits_of(values[i]) & 0x7f800000u) != 0x7f800000u) {
    i++;
  }
  return i;
}
