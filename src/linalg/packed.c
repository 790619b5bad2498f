#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/matmul.h"
#include "linalg/tile.h"

/* Row-major as it comes: oneDNN's product with w transposed runs as fast on it as on its own
 * blocked layout in float32, and copies no matrix twice. */
struct packed {
  int n, k;
  float *w; /* [n][k] */
};

status packed_create(struct packed **out, int n, int k, struct error *err) {
  if (n < 1 || k < 1) {
    return err_set(err, STATUS_BUG, "packed: %d x %d weights", n, k);
  }
  struct packed *p;
  TRY(mem_alloc(&p, 1, sizeof *p, err));
  p->n = n;
  p->k = k;
  status st = mem_alloc_raw(&p->w, (size_t)n * (size_t)k, sizeof *p->w, err);
  if (st != STATUS_OK) {
    free(p);
    return st;
  }
  *out = p;
  return STATUS_OK;
}

void packed_fill(struct packed *p, const float *w) {
#pragma omp parallel for schedule(static)
  for (int j = 0; j < p->n; j++) {
    memcpy(p->w + (size_t)j * p->k, w + (size_t)j * p->k, (size_t)p->k * sizeof *w);
  }
}

void packed_free(struct packed *p) {
  if (p) {
    free(p->w);
    free(p);
  }
}

static void add_bias(const struct tile *t, const float *bias) {
  for (int i = 0; i < t->m; i++) {
    float *row = t->c + (size_t)i * t->ldc;
    for (int j = 0; j < t->n; j++) {
      row[j] += bias[j];
    }
  }
}

status packed_multiply(const struct packed *p, const float *x, int m, const float *bias, float *y,
                       int ldy, bool accumulate, struct error *err) {
  if (m < 0 || ldy < p->n) {
    return err_set(err, STATUS_BUG, "packed: %d rows of %d numbers, %d apart", m, p->n, ldy);
  }
  int across = tile_count(p->n), tiles = tile_count(m) * across, worst = 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int t = 0; t < tiles; t++) {
    int i = t / across * TILE_EDGE, j = t % across * TILE_EDGE;
    struct tile tile = {.tb = true,
                        .m = tile_size(m, i),
                        .n = tile_size(p->n, j),
                        .k = p->k,
                        .alpha = 1,
                        .beta = accumulate ? 1.0F : 0.0F,
                        .a = x + (size_t)i * p->k,
                        .lda = p->k,
                        .b = p->w + (size_t)j * p->k,
                        .ldb = p->k,
                        .c = y + (size_t)i * ldy + j,
                        .ldc = ldy};
    int st = tile_multiply(&tile);
    if (st == 0 && bias) {
      add_bias(&tile, bias + j);
    }
    worst = st > worst ? st : worst;
  }
  return tile_check(worst, "packed", err);
}
