/* Numbers as products read them: float, or bfloat16 held in uint16_t. */
#ifndef ESPALIER_LINALG_OPERAND_H
#define ESPALIER_LINALG_OPERAND_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "linalg/precision.h"

/* Bytes of one number. */
static inline size_t operand_bytes(enum precision p) {
  return p == PRECISION_BFLOAT16 ? sizeof(uint16_t) : sizeof(float);
}

/* The number at place i of an array of operands. */
static inline void *operand_at(enum precision p, void *at, size_t i) {
  return (char *)at + i * operand_bytes(p);
}

static inline const void *operand_from(enum precision p, const void *at, size_t i) {
  return (const char *)at + i * operand_bytes(p);
}

/* To nearest, ties to even; NaN stays NaN. */
static inline uint16_t bfloat16_round(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return (uint16_t)(x != x ? (bits >> 16 | 0x40) : rounded);
}

static inline float bfloat16_value(uint16_t x) {
  uint32_t bits = (uint32_t)x << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* float32 to operands, in the calling thread. to may be from when the precision is float32. */
static inline void operand_narrow(enum precision p, const float *from, size_t count, void *to) {
  if (p == PRECISION_BFLOAT16) {
    uint16_t *out = to;
    for (size_t i = 0; i < count; i++) {
      out[i] = bfloat16_round(from[i]);
    }
  } else if (to != (const void *)from && count > 0) {
    memcpy(to, from, count * sizeof *from);
  }
}

/* Operands to float32, in the calling thread; exact. */
static inline void operand_widen(enum precision p, const void *from, size_t count, float *to) {
  if (p == PRECISION_BFLOAT16) {
    const uint16_t *in = from;
    for (size_t i = 0; i < count; i++) {
      to[i] = bfloat16_value(in[i]);
    }
  } else if (from != (const void *)to && count > 0) {
    memcpy(to, from, count * sizeof *to);
  }
}

#endif
