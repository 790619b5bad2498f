#include "prune/select.h"

#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

size_t select_count(size_t n, double ratio) {
  size_t count = (size_t)((double)n * ratio);
  /* A ratio within rounding of 1 must not run off the end. */
  return count < n ? count : n - 1;
}

float select_threshold(const float *scores, size_t n, double ratio) {
  return ratio > 0 ? select_nth(scores, n, select_count(n, ratio)) : -1;
}

status select_threshold_among(const struct group *group, const float *scores, size_t n, size_t all,
                              double ratio, float *out, struct error *err) {
  *out = -1;
  return ratio > 0 ? select_nth_among(group, scores, n, select_count(all, ratio), out, err)
                   : STATUS_OK;
}

static size_t count_below(const float *scores, size_t n, float limit) {
  enum { PART = 1 << 16 }; /* counts of 32 bits fill vectors of scores' width */
  size_t below = 0;
  for (size_t first = 0; first < n; first += PART) {
    int32_t some = 0;
    size_t end = n - first < PART ? n : first + PART;
    for (size_t i = first; i < end; i++) {
      some += scores[i] < limit;
    }
    below += (size_t)some;
  }
  return below;
}

/* Everything below *limit goes, and the first *ties of those that equal it. Found by bisecting the
 * bits of the limit, which have the order of the numbers: a row fits into the nearest cache, where
 * counting all of it in vectors some 20 times is faster than sorting digits once. */
static void find_limit(const float *scores, size_t n, size_t count, float *limit, size_t *ties) {
  const uint32_t infinity = 0x7f800000U;
  uint32_t low = 0,
           high = infinity + 1; /* fewer than count are below low, count or more below high */
  size_t below_low = 0;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    memcpy(limit, &middle, sizeof middle);
    size_t below = count_below(scores, n, *limit);
    if (below == count) {
      *ties = 0;
      return;
    }
    if (below < count) {
      low = middle;
      below_low = below;
    } else {
      high = middle;
    }
  }
  memcpy(limit, &low, sizeof low);
  *ties = count - below_low;
}

void select_smallest(const float *scores, float *restrict weights, size_t n, size_t count) {
  if (count == 0) {
    return;
  }
  float limit;
  size_t ties;
  find_limit(scores, n, count, &limit, &ties);
  for (size_t i = 0; i < n; i++) {
    weights[i] = scores[i] < limit ? 0 : weights[i];
  }
  for (size_t i = 0; i < n && ties > 0; i++) {
    if (scores[i] == limit) {
      weights[i] = 0;
      ties--;
    }
  }
}

/* Whether the element `i` of one group is among its n smallest: fewer than n stand before it. */
static int stands_before(const float *scores, int m, int i) {
  int before = 0;
  for (int j = 0; j < m; j++) {
    before += scores[j] < scores[i] || (scores[j] == scores[i] && j < i);
  }
  return before;
}

void select_groups(const float *scores, float *weights, int cols, int n, int m) {
  for (int first = 0; first + m <= cols; first += m) {
    for (int i = 0; i < m; i++) {
      if (stands_before(scores + first, m, i) < n) {
        weights[first + i] = 0;
      }
    }
  }
}

static void select_row(const float *scores, float *weights, size_t n,
                       const struct sparsity *sparsity) {
  if (sparsity->m) {
    select_groups(scores, weights, (int)n, sparsity->n, sparsity->m);
  } else {
    select_smallest(scores, weights, n, select_count(n, sparsity->ratio));
  }
}

static void drop_up_to(const float *scores, float *restrict weights, size_t n, float threshold) {
  for (size_t i = 0; i < n; i++) {
    weights[i] = scores[i] <= threshold ? 0 : weights[i];
  }
}

/* Each row by itself; with a threshold, what is up to that, else by the sparsity. */
static status select_each(const struct scoring *scoring, float *weights, int rows, int cols,
                          const struct sparsity *sparsity, const float *threshold,
                          struct error *err) {
  size_t width = (size_t)cols;
  float *room;
  TRY(mem_alloc_raw(&room, (size_t)omp_get_max_threads() * width, sizeof *room, err));
#pragma omp parallel for schedule(static)
  for (int r = 0; r < rows; r++) {
    float *scores = room + (size_t)omp_get_thread_num() * width;
    float *w = weights + (size_t)r * width;
    scoring->row(scoring->user, r, w, scores);
    if (threshold) {
      drop_up_to(scores, w, width, *threshold);
    } else {
      select_row(scores, w, width, sparsity);
    }
  }
  free(room);
  return STATUS_OK;
}

status select_rows(const struct scoring *scoring, float *weights, int rows, int cols,
                   const struct sparsity *sparsity, struct error *err) {
  return select_each(scoring, weights, rows, cols, sparsity, NULL, err);
}

status select_matrix(const struct scoring *scoring, float *weights, int rows, int cols,
                     const struct sparsity *sparsity, struct error *err) {
  if (sparsity->m) {
    return select_rows(scoring, weights, rows, cols, sparsity, err);
  }
  if (sparsity->ratio <= 0) {
    return STATUS_OK;
  }
  float threshold;
  size_t n = (size_t)(scoring->group ? scoring->all_rows : rows) * (size_t)cols;
  TRY(select_nth_of(scoring, weights, rows, cols, select_count(n, sparsity->ratio), &threshold,
                    err));
  return select_each(scoring, weights, rows, cols, sparsity, &threshold, err);
}
