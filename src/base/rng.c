#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { N = 624, M = 397 };

static void init_state(struct rng *r, uint32_t s) {
  r->state[0] = s;
  for (uint32_t i = 1; i < N; i++) {
    r->state[i] = 1812433253U * (r->state[i - 1] ^ (r->state[i - 1] >> 30)) + i;
  }
  r->at = N;
}

void rng_seed(struct rng *r, uint64_t seed) {
  uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  uint32_t length = key[1] ? 2 : 1;
  init_state(r, 19650218U);
  uint32_t *mt = r->state, i = 1, j = 0;
  for (int k = N; k > 0; k--) {
    mt[i] = (mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * 1664525U)) + key[j] + j;
    j = j + 1 == length ? 0 : j + 1;
    if (++i == N) {
      mt[0] = mt[N - 1];
      i = 1;
    }
  }
  for (int k = N - 1; k > 0; k--) {
    mt[i] = (mt[i] ^ ((mt[i - 1] ^ (mt[i - 1] >> 30)) * 1566083941U)) - i;
    if (++i == N) {
      mt[0] = mt[N - 1];
      i = 1;
    }
  }
  mt[0] = 0x80000000U;
}

static uint32_t twist(uint32_t here, uint32_t next, uint32_t far) {
  uint32_t y = (here & 0x80000000U) | (next & 0x7fffffffU);
  return far ^ (y >> 1) ^ (0x9908b0dfU & -(y & 1));
}

/* In stretches without wrap-around, which compilers turn into vector code. */
static void refill(struct rng *r) {
  uint32_t *mt = r->state;
  for (int i = 0; i < N - M; i++) {
    mt[i] = twist(mt[i], mt[i + 1], mt[i + M]);
  }
  for (int i = N - M; i < N - 1; i++) {
    mt[i] = twist(mt[i], mt[i + 1], mt[i + M - N]);
  }
  mt[N - 1] = twist(mt[N - 1], mt[0], mt[M - 1]);
  r->at = 0;
}

static uint32_t temper(uint32_t y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680U;
  y ^= (y << 15) & 0xefc60000U;
  return y ^ (y >> 18);
}

uint32_t rng_u32(struct rng *r) {
  if (r->at >= N) {
    refill(r);
  }
  return temper(r->state[r->at++]);
}

/* The next `count` of getrandbits(32). */
static void take(struct rng *r, uint32_t *out, int count) {
  while (count) {
    if (r->at >= N) {
      refill(r);
    }
    int here = N - r->at < count ? N - r->at : count;
    const uint32_t *from = r->state + r->at;
    for (int i = 0; i < here; i++) {
      out[i] = temper(from[i]);
    }
    r->at += here;
    out += here;
    count -= here;
  }
}

void rng_choices(struct rng *r, uint32_t n, size_t count, uint32_t *out) {
  uint32_t words[N] = {0};
  double scale = n;
  while (count) {
    int here = count < N / 2 ? (int)count : N / 2;
    take(r, words, 2 * here);
    for (int i = 0; i < here; i++) { /* through int32_t: as fast as vectors go */
      double a = (int32_t)(words[2 * i] >> 5), b = (int32_t)(words[2 * i + 1] >> 6);
      out[i] = (uint32_t)(int32_t)((a * 67108864.0 + b) / 9007199254740992.0 * scale);
    }
    out += here;
    count -= (size_t)here;
  }
}

double rng_double(struct rng *r) {
  uint32_t a = rng_u32(r) >> 5, b = rng_u32(r) >> 6;
  return (a * 67108864.0 + b) / 9007199254740992.0;
}

uint64_t rng_below(struct rng *r, uint64_t n) {
  int bits = 64 - __builtin_clzll(n);
  uint64_t x;
  do {
    if (bits <= 32) {
      x = rng_u32(r) >> (32 - bits);
    } else {
      uint64_t low = rng_u32(r);
      x = low | (uint64_t)(rng_u32(r) >> (64 - bits)) << 32;
    }
  } while (x >= n);
  return x;
}

int64_t rng_int(struct rng *r, int64_t low, int64_t high) {
  return low + (int64_t)rng_below(r, (uint64_t)(high - low) + 1);
}

status rng_sample(struct rng *r, size_t n, size_t k, size_t *out, struct error *err) {
  double setsize = 21;
  if (k > 5) {
    setsize += pow(4, ceil(log((double)k * 3) / log(4)));
  }
  if ((double)n <= setsize) {
    size_t *pool;
    TRY(mem_alloc(&pool, n, sizeof *pool, err));
    for (size_t i = 0; i < n; i++) {
      pool[i] = i;
    }
    for (size_t i = 0; i < k; i++) {
      size_t j = rng_below(r, n - i);
      out[i] = pool[j];
      pool[j] = pool[n - i - 1];
    }
    free(pool);
    return STATUS_OK;
  }
  unsigned char *taken;
  TRY(mem_alloc(&taken, n, 1, err));
  for (size_t i = 0; i < k; i++) {
    size_t j;
    do {
      j = rng_below(r, n);
    } while (taken[j]);
    taken[j] = 1;
    out[i] = j;
  }
  free(taken);
  return STATUS_OK;
}

void rng_shuffle(struct rng *r, size_t n, size_t *out) {
  for (size_t i = n; i-- > 1;) {
    size_t j = rng_below(r, i + 1), kept = out[i];
    out[i] = out[j];
    out[j] = kept;
  }
}
