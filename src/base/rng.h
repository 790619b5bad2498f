/* Random numbers: CPython's random.Random, bit for bit, because the pruning papers' calibration
 * loaders and lm-evaluation-harness's few-shot draws are defined by it. Source: CPython 3.11's
 * documentation of the Mersenne Twister and Matsumoto & Nishimura, MT19937 (2002). */
#ifndef ESPALIER_BASE_RNG_H
#define ESPALIER_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct rng {
  uint32_t state[624];
  int at;
};

/* random.seed(seed) for a non-negative integer. */
void rng_seed(struct rng *r, uint64_t seed);

/* getrandbits(32) */
uint32_t rng_u32(struct rng *r);

/* random(): 53 bits in [0, 1) */
double rng_double(struct rng *r);

/* _randbelow(n): 0 <= x < n; n >= 1 */
uint64_t rng_below(struct rng *r, uint64_t n);

/* randint(low, high): both ends included */
int64_t rng_int(struct rng *r, int64_t low, int64_t high);

/* sample(range(n), k): k distinct numbers into out [k]; k <= n */
status rng_sample(struct rng *r, size_t n, size_t k, size_t *out, struct error *err);

/* choices(range(n), k=count) into out [count]; 1 <= n < 2^31 */
void rng_choices(struct rng *r, uint32_t n, size_t count, uint32_t *out);

/* shuffle() of out [n] */
void rng_shuffle(struct rng *r, size_t n, size_t *out);

#endif
