/* SHA-256 (FIPS 180-4): the digest that the reference files carry. */
#ifndef ESPALIER_TESTS_TOKENIZER_SHA256_H
#define ESPALIER_TESTS_TOKENIZER_SHA256_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sha256 {
  uint32_t h[8], k[64];
};

/* The constants are the fractions of the square and cube roots of the first primes. */
static inline void sha256_start(struct sha256 *s) {
  int n = 0;
  for (int p = 2; n < 64; p++) {
    int d = 2;
    while (d * d <= p && p % d != 0) {
      d++;
    }
    if (d * d > p) {
      long double square = sqrtl(p), cube = cbrtl(p);
      if (n < 8) {
        s->h[n] = (uint32_t)((square - floorl(square)) * 4294967296.0L);
      }
      s->k[n++] = (uint32_t)((cube - floorl(cube)) * 4294967296.0L);
    }
  }
}

static inline uint32_t sha256_turn(uint32_t x, int n) {
  return x >> n | x << (32 - n);
}

static inline void sha256_block(struct sha256 *s, const unsigned char *p) {
  uint32_t w[64], v[8];
  for (int i = 0; i < 64; i++) {
    if (i < 16) {
      w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 |
             p[4 * i + 3];
    } else {
      uint32_t a = w[i - 15], b = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + (sha256_turn(a, 7) ^ sha256_turn(a, 18) ^ a >> 3) +
             (sha256_turn(b, 17) ^ sha256_turn(b, 19) ^ b >> 10);
    }
  }
  memcpy(v, s->h, sizeof v);
  for (int i = 0; i < 64; i++) {
    uint32_t e = v[4], a = v[0];
    uint32_t one = v[7] + (sha256_turn(e, 6) ^ sha256_turn(e, 11) ^ sha256_turn(e, 25)) +
                   ((e & v[5]) ^ (~e & v[6])) + s->k[i] + w[i];
    uint32_t two = (sha256_turn(a, 2) ^ sha256_turn(a, 13) ^ sha256_turn(a, 22)) +
                   ((a & v[1]) ^ (a & v[2]) ^ (v[1] & v[2]));
    memmove(v + 1, v, 7 * sizeof *v);
    v[4] += one;
    v[0] = one + two;
  }
  for (int i = 0; i < 8; i++) {
    s->h[i] += v[i];
  }
}

/* Hexadecimal digest of a buffer into out. */
static inline void sha256_hex(const void *from, size_t bytes, char out[65]) {
  struct sha256 s;
  unsigned char tail[128] = {0};
  const unsigned char *p = from;
  size_t left = bytes % 64, whole = bytes - left, padded = left < 56 ? 64 : 128;
  sha256_start(&s);
  for (size_t i = 0; i < whole; i += 64) {
    sha256_block(&s, p + i);
  }
  if (left) {
    memcpy(tail, p + whole, left);
  }
  tail[left] = 0x80;
  for (int i = 0; i < 8; i++) {
    tail[padded - 1 - (size_t)i] = (unsigned char)((uint64_t)bytes * 8 >> (8 * i));
  }
  for (size_t i = 0; i < padded; i += 64) {
    sha256_block(&s, tail + i);
  }
  for (int i = 0; i < 8; i++) {
    (void)snprintf(out + (size_t)8 * i, 9, "%08x", s.h[i]);
  }
}

#endif
