#include "linalg/matmul.h"

#include <string.h>

#include "linalg/tile.h"

/* An empty sum leaves beta·c, which the library's entry would refuse to compute. */
static void scale_only(int m, int n, float beta, float *c, int ldc) {
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      float *at = c + (size_t)i * ldc + j;
      *at = beta == 0 ? 0.0F : beta * *at;
    }
  }
}

status matmul(bool ta, bool tb, int m, int n, int k, float alpha, const float *a, int lda,
              const float *b, int ldb, float beta, float *c, int ldc, struct error *err) {
  if (m < 0 || n < 0 || k < 0 || lda < (ta ? m : k) || ldb < (tb ? k : n) || ldc < n) {
    return err_set(err, STATUS_BUG, "matmul: %d x %d x %d with strides %d, %d, %d", m, n, k, lda,
                   ldb, ldc);
  }
  if (k == 0) {
    scale_only(m, n, beta, c, ldc);
    return STATUS_OK;
  }
  int across = tile_count(n), tiles = tile_count(m) * across, worst = 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (int t = 0; t < tiles; t++) {
    int i = t / across * TILE_EDGE, j = t % across * TILE_EDGE;
    struct tile tile = {.ta = ta,
                        .tb = tb,
                        .m = tile_size(m, i),
                        .n = tile_size(n, j),
                        .k = k,
                        .alpha = alpha,
                        .beta = beta,
                        .a = a + (ta ? (size_t)i : (size_t)i * lda),
                        .lda = lda,
                        .b = b + (tb ? (size_t)j * ldb : (size_t)j),
                        .ldb = ldb,
                        .c = c + (size_t)i * ldc + j,
                        .ldc = ldc};
    int st = tile_multiply(&tile);
    worst = st > worst ? st : worst;
  }
  return tile_check(worst, "matmul", err);
}
