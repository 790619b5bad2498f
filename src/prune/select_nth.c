#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prune/select.h"

/* Numbers >= 0 are ordered as their bits are, so the k-th smallest is found digit by digit: count
 * how often each value of the top bits occurs, go into the bin that holds rank k, repeat. The first
 * digit is long, so that neighbouring scores seldom count in the same place and few remain for the
 * others; its table still fits into the nearest cache. */
enum { DIGITS = 3, RADIX = 1 << 13, TOGETHER = 16, PART = 1 << 13, PARALLEL_FROM = 1 << 17 };
static const int SHIFTS[DIGITS] = {18, 9, 0};
static const int WIDTHS[DIGITS] = {13, 9, 9};

/* Scores in parts: as they stand, or made from weights. */
struct list {
  const float *at;               /* scores, or weights */
  size_t n, part;                /* of all, of one part */
  const struct scoring *scoring; /* NULL: `at` holds scores */
  float *room;                   /* [threads][part], for made scores */
  const struct group *group;     /* whose ranks hold the others; NULL: none */
};

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits & 0x7fffffffU; /* −0 is 0 */
}

static void count_first(const float *scores, size_t n, size_t *counts) {
  for (size_t i = 0; i < n; i++) {
    counts[bits_of(scores[i]) >> SHIFTS[0]]++;
  }
}

/* Whether any of some scores has the prefix above its digit; in vectors, as hardly any has. */
static int any_has(const float *scores, size_t n, int above, uint32_t prefix) {
  int any = 0;
  for (size_t i = 0; i < n; i++) {
    any |= bits_of(scores[i]) >> above == prefix;
  }
  return any;
}

/* Counts a later digit of the scores whose bits above it are `prefix`. */
static void count_digit(const float *scores, size_t n, int digit, uint32_t prefix, size_t *counts) {
  int shift = SHIFTS[digit], above = shift + WIDTHS[digit];
  uint32_t mask = (1U << WIDTHS[digit]) - 1;
  for (size_t first = 0; first < n; first += TOGETHER) {
    size_t width = n - first < TOGETHER ? n - first : TOGETHER;
    const float *some = scores + first;
    if (width == TOGETHER ? any_has(some, TOGETHER, above, prefix) : 1) {
      for (size_t i = 0; i < width; i++) {
        uint32_t bits = bits_of(some[i]);
        if (bits >> above == prefix) {
          counts[bits >> shift & mask]++;
        }
      }
    }
  }
}

static const float *list_part(const struct list *l, size_t part, size_t *n) {
  size_t first = part * l->part;
  *n = l->n - first < l->part ? l->n - first : l->part;
  if (!l->scoring) {
    return l->at + first;
  }
  float *made = l->room + (size_t)omp_get_thread_num() * l->part;
  l->scoring->row(l->scoring->user, (int)part, l->at + first, made);
  return made;
}

static void count_all(const struct list *l, int digit, uint32_t prefix, size_t counts[RADIX]) {
  size_t parts = (l->n + l->part - 1) / l->part;
  memset(counts, 0, RADIX * sizeof *counts);
#pragma omp parallel for schedule(static) reduction(+ : counts[:RADIX]) if (l->n >= PARALLEL_FROM)
  for (size_t part = 0; part < parts; part++) {
    size_t n;
    const float *scores = list_part(l, part, &n);
    if (digit == 0) {
      count_first(scores, n, counts);
    } else {
      count_digit(scores, n, digit, prefix, counts);
    }
  }
}

static status list_nth(const struct list *l, size_t k, float *out, struct error *err) {
  uint32_t prefix = 0;
  size_t counts[RADIX];
  for (int d = 0; d < DIGITS; d++) {
    count_all(l, d, prefix, counts);
    if (l->group) {
      TRY(group_sum_int64(l->group, (int64_t *)counts, (size_t)1 << WIDTHS[d], err));
    }
    uint32_t digit = 0;
    while (k >= counts[digit]) {
      k -= counts[digit++];
    }
    prefix = prefix << WIDTHS[d] | digit;
  }
  memcpy(out, &prefix, sizeof *out);
  return STATUS_OK;
}

float select_nth(const float *scores, size_t n, size_t k) {
  float value = 0;
  (void)select_nth_among(NULL, scores, n, k, &value, NULL); /* cannot fail without a group */
  return value;
}

status select_nth_among(const struct group *group, const float *scores, size_t n, size_t k,
                        float *out, struct error *err) {
  struct list l = {.at = scores, .n = n, .part = PART, .group = group};
  return list_nth(&l, k, out, err);
}

status select_nth_of(const struct scoring *scoring, const float *weights, int rows, int cols,
                     size_t k, float *out, struct error *err) {
  struct list l = {.at = weights,
                   .n = (size_t)rows * (size_t)cols,
                   .part = (size_t)cols,
                   .scoring = scoring,
                   .group = scoring->group};
  status st = mem_alloc_raw(&l.room, (size_t)omp_get_max_threads() * l.part, sizeof *l.room, err);
  st = l.group ? group_agree(l.group, st, err) : st;
  if (st == STATUS_OK) {
    st = list_nth(&l, k, out, err);
  }
  free(l.room);
  return st;
}
