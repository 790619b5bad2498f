#include "linalg/tile.h"

#include <dnnl.h>
#include <string.h>

/* The library picks the length of its own panels by the shape of the whole product, so that a row's
 * sum would depend on its neighbours' number; panels that are short enough come back undivided. */
static int multiply_panels(const struct tile *t) {
  for (int k = 0; k < t->k; k += TILE_PANEL) {
    int depth = t->k - k < TILE_PANEL ? t->k - k : TILE_PANEL;
    const float *a = t->a + (t->ta ? (size_t)k * t->lda : (size_t)k);
    const float *b = t->b + (t->tb ? (size_t)k : (size_t)k * t->ldb);
    dnnl_status_t st = dnnl_sgemm(t->ta ? 'T' : 'N', t->tb ? 'T' : 'N', t->m, t->n, depth, t->alpha,
                                  a, t->lda, b, t->ldb, k ? 1.0F : t->beta, t->c, t->ldc);
    if (st != dnnl_success) {
      return (int)st;
    }
  }
  return 0;
}

static void copy_rows(float *to, int ldto, const float *from, int ldfrom, int rows, int cols) {
  for (int i = 0; i < rows; i++) {
    memcpy(to + (size_t)i * ldto, from + (size_t)i * ldfrom, (size_t)cols * sizeof *to);
  }
}

/* All rows of the tile, with rows of zeros below to make `rows`, panel by panel. */
static int multiply_padded(const struct tile *t, int rows) {
  float a[TILE_ROWS * TILE_PANEL], c[TILE_ROWS * TILE_EDGE];
  memset(c, 0, sizeof c);
  if (t->beta != 0) {
    copy_rows(c, t->n, t->c, t->ldc, t->m, t->n);
  }
  for (int k = 0; k < t->k; k += TILE_PANEL) {
    int depth = t->k - k < TILE_PANEL ? t->k - k : TILE_PANEL;
    memset(a, 0, sizeof *a * TILE_ROWS * depth);
    for (int i = 0; i < t->m; i++) {
      for (int p = 0; p < depth; p++) {
        a[(size_t)i * depth + p] =
            t->ta ? t->a[(size_t)(k + p) * t->lda + i] : t->a[(size_t)i * t->lda + k + p];
      }
    }
    struct tile padded = *t;
    padded.ta = false;
    padded.m = rows;
    padded.k = depth;
    padded.beta = k ? 1.0F : t->beta;
    padded.a = a;
    padded.lda = depth;
    padded.b = t->b + (t->tb ? (size_t)k : (size_t)k * t->ldb);
    padded.c = c;
    padded.ldc = t->n;
    int st = multiply_panels(&padded);
    if (st != 0) {
      return st;
    }
  }
  copy_rows(t->c, t->ldc, c, t->n, t->m, t->n);
  return 0;
}

static bool has_avx512(void) {
  unsigned isa = (unsigned)dnnl_get_effective_cpu_isa(), wanted = dnnl_cpu_isa_avx512_core;
  return (isa & wanted) == wanted;
}

int tile_padded_rows(void) {
  return has_avx512() ? TILE_ROWS : TILE_GROUP;
}

int tile_direct_rows(int rows) {
  if (has_avx512()) {
    return rows < TILE_ROWS ? 0 : rows;
  }
  return rows / TILE_GROUP * TILE_GROUP;
}

int tile_multiply(const struct tile *t) {
  int rows = tile_padded_rows(), direct = tile_direct_rows(t->m);
  struct tile top = *t, rest = *t;
  top.m = direct;
  rest.m = t->m - direct;
  rest.a += t->ta ? (size_t)direct : (size_t)direct * t->lda;
  rest.c += (size_t)direct * t->ldc;
  int st = direct > 0 ? multiply_panels(&top) : 0;
  return st == 0 && rest.m > 0 ? multiply_padded(&rest, rows) : st;
}

status tile_check(int worst, const char *what, struct error *err) {
  if (worst == 0) {
    return STATUS_OK;
  }
  return err_set(err, worst == (int)dnnl_out_of_memory ? STATUS_MEMORY : STATUS_BUG,
                 "%s: oneDNN refused the product (status %d)", what, worst);
}
