#include "prune/stats_kept.h"

#include <string.h>

#include "base/mem.h"
#include "prune/triangle.h"

static size_t rounded(size_t bytes) {
  return (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
}

static size_t vector_bytes(int cols, unsigned has, unsigned part) {
  return has & part ? rounded((size_t)cols * sizeof(double)) : 0;
}

size_t stats_kept_bytes(int cols, unsigned has) {
  size_t gram = has & STATS_GRAM ? rounded(triangle_before((size_t)cols) * sizeof(float)) : 0;
  return vector_bytes(cols, has, STATS_SQUARES) + vector_bytes(cols, has, STATS_SUMS) + gram;
}

void stats_kept_place(struct stats_kept *k, int cols, unsigned has, void *at) {
  unsigned char *from = at;
  *k = (struct stats_kept){.cols = cols, .has = has};
  if (has & STATS_SQUARES) {
    k->squares = (void *)from;
    from += vector_bytes(cols, has, STATS_SQUARES);
  }
  if (has & STATS_SUMS) {
    k->sums = (void *)from;
    from += vector_bytes(cols, has, STATS_SUMS);
  }
  if (has & STATS_GRAM) {
    k->gram = (void *)from;
  }
}

/* Of an input that no token reached: see stats_reduce. */
static void keep_units(struct stats_kept *k) {
  k->samples = 1;
  for (size_t j = 0; j < (size_t)k->cols; j++) {
    if (k->squares) {
      k->squares[j] = 1;
    }
    if (k->gram) {
      k->gram[triangle_before(j) + j] = 1;
    }
  }
}

void stats_keep(struct stats_kept *to, const struct stats *from) {
  size_t n = (size_t)to->cols;
  to->samples = from->samples;
  to->tokens = from->tokens;
  if (to->squares) {
    memcpy(to->squares, from->squares, n * sizeof *to->squares);
  }
  if (to->sums) {
    memcpy(to->sums, from->sums, n * sizeof *to->sums);
  }
  for (size_t i = 0; to->gram && i < triangle_before(n); i++) {
    to->gram[i] = (float)from->gram_sums[i];
  }
  if (to->tokens == 0) {
    keep_units(to);
  }
}

static void unpack(const struct stats_kept *k, float *gram) {
  size_t n = (size_t)k->cols;
#pragma omp parallel for schedule(dynamic, 16)
  for (size_t i = 0; i < n; i++) {
    const float *from = k->gram + triangle_before(i);
    for (size_t j = 0; j <= i; j++) {
      gram[i * n + j] = gram[j * n + i] = from[j];
    }
  }
}

void stats_recall(const struct stats_kept *k, unsigned needs, float *gram, struct stats *out) {
  *out = (struct stats){
      .cols = k->cols, .has = needs & k->has, .samples = k->samples, .tokens = k->tokens};
  out->squares = out->has & STATS_SQUARES ? k->squares : NULL;
  out->sums = out->has & STATS_SUMS ? k->sums : NULL;
  if (out->has & STATS_GRAM) {
    unpack(k, gram);
    out->gram = gram;
  }
}
