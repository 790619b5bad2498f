/* SparseGPT against its formulas written down plainly: column after column, without blocks of rows
 * or batches of columns. Shapes are such that every one of those is cut short somewhere. */
#include <math.h>
#include <stdint.h>

#include "linalg/matmul.h"
#include "prune/method.h"
#include "prune/select.h"
#include "support.h"

enum { ROWS = 37, COLS = 1164, TOKENS = 1500, COUNT = ROWS * COLS };

struct layer {
  float *weights; /* [ROWS][COLS] */
  float *factor;  /* [COLS][COLS] */
  struct stats stats;
};

static uint64_t seed = 11;

static float draw(void) {
  seed = seed * 6364136223846793005U + 1442695040888963407U;
  return (float)(seed >> 40) / (1 << 24) - 0.5F;
}

/* Neighbouring inputs go together, and one is always zero. */
static void open_layer(struct layer *l) {
  struct error err;
  const struct group alone = group_single();
  float *x = malloc(sizeof *x * TOKENS * COLS);
  double used;
  for (size_t t = 0; t < TOKENS; t++) {
    float before = 0;
    for (size_t j = 0; j < COLS; j++) {
      before = x[t * COLS + j] = j == 5 ? 0 : 0.6F * before + draw() * (j % 9 == 1 ? 4 : 1);
    }
  }
  assert_ok(stats_create(&l->stats, COLS, STATS_GRAM, &err));
  assert_ok(stats_add(&l->stats, x, TOKENS, 1, &err));
  assert_ok(stats_reduce(&l->stats, &alone, &err));
  free(x);
  l->weights = malloc(sizeof *l->weights * COUNT);
  for (size_t i = 0; i < COUNT; i++) {
    l->weights[i] = draw();
  }
  l->factor = malloc(sizeof *l->factor * COLS * COLS);
  memcpy(l->factor, l->stats.gram, sizeof *l->factor * COLS * COLS);
  l->factor[5 * COLS + 5] = 1;
  assert_ok(factor_inverse_upper(l->factor, COLS, 0.01, FACTOR_LOCAL, &alone, &used, &err));
}

static void close_layer(struct layer *l) {
  free(l->weights);
  free(l->factor);
  stats_free(&l->stats);
}

static float score(const struct layer *l, const double *w, size_t r, size_t j) {
  float u = l->factor[j * (COLS + 1)], value = (float)w[r * COLS + j];
  return value * value / (u * u);
}

/* Which weights of the columns [first, end) go, by their scores now. */
static void mark(const struct layer *l, const double *w, size_t first, size_t end,
                 const struct sparsity *sparsity, bool *gone) {
  size_t width = end - first, n = 0;
  float *scores = malloc(sizeof *scores * ROWS * width);
  for (size_t r = 0; r < ROWS; r++) {
    for (size_t j = first; j < end; j++) {
      scores[n++] = score(l, w, r, j);
    }
  }
  float threshold = sparsity->m ? 0 : select_threshold(scores, n, sparsity->ratio);
  for (size_t i = 0; i < n; i++) {
    const float *row = scores + i / width * width;
    size_t before = 0, me = i % width;
    for (size_t j = 0; sparsity->m && j < width; j++) {
      before += row[j] < row[me] || (row[j] == row[me] && j < me);
    }
    gone[i / width * COLS + first + me] =
        sparsity->m ? before < (size_t)sparsity->n : scores[i] <= threshold;
  }
  free(scores);
}

/* In float64, every column's error spread over all columns behind it at once. */
static void prune_plainly(const struct layer *l, size_t blocksize, const struct sparsity *sparsity,
                          double *w) {
  bool *gone = malloc(sizeof *gone * COUNT);
  size_t step = sparsity->m ? (size_t)sparsity->m : blocksize;
  for (size_t i = 0; i < COUNT; i++) {
    w[i] = i % COLS == 5 ? 0 : (double)l->weights[i];
  }
  for (size_t j = 0; j < COLS; j++) {
    if (j % step == 0) {
      mark(l, w, j, j + step < COLS ? j + step : COLS, sparsity, gone);
    }
    const float *u = l->factor + j * COLS;
    for (size_t r = 0; r < ROWS; r++) {
      double *row = w + r * COLS, e = gone[r * COLS + j] ? row[j] / (double)u[j] : 0;
      for (size_t k = j; k < COLS; k++) {
        row[k] = gone[r * COLS + j] && k == j ? 0 : row[k] - e * (double)u[k];
      }
    }
  }
  free(gone);
}

static float *prune(const struct layer *l, const char *blocksize, const struct sparsity *sparsity) {
  const struct method *m = method_find("sparsegpt");
  struct params params = method_defaults(m);
  struct error err;
  float *w = malloc(sizeof *w * COUNT);
  memcpy(w, l->weights, sizeof *w * COUNT);
  assert_ok(method_param_set(m, &params, "blocksize", blocksize, &err));
  struct prune_task task = {.weights = w,
                            .rows = ROWS,
                            .cols = COLS,
                            .stats = &l->stats,
                            .factor = l->factor,
                            .sparsity = *sparsity,
                            .params = &params};
  assert_ok(method_prune(m, &task, &err));
  return w;
}

static const struct sparsity sparsities[] = {{.ratio = 0.5}, {.n = 2, .m = 4}, {.n = 1, .m = 2}};
static const char *const blocksizes[] = {"128", "100", "1000", "4096", "4"};

static void blocks_and_batches_change_nothing_but_rounding(void **state) {
  (void)state;
  struct layer l;
  open_layer(&l);
  double *want = malloc(sizeof *want * COUNT);
  for (size_t b = 0; b < sizeof blocksizes / sizeof *blocksizes; b++) {
    for (size_t s = 0; s < sizeof sparsities / sizeof *sparsities; s++) {
      float *got = prune(&l, blocksizes[b], &sparsities[s]);
      prune_plainly(&l, strtoul(blocksizes[b], NULL, 10), &sparsities[s], want);
      for (size_t i = 0; i < COUNT; i++) {
        assert_true((got[i] == 0) == (want[i] == 0));
        assert_true(fabs((double)got[i] - want[i]) < 1e-5);
      }
      free(got);
    }
  }
  free(want);
  close_layer(&l);
}

static void bits_do_not_depend_on_the_number_of_threads(void **state) {
  (void)state;
  struct layer l;
  int before = linalg_threads();
  open_layer(&l);
  for (size_t s = 0; s < sizeof sparsities / sizeof *sparsities; s++) {
    linalg_set_threads(1);
    float *one = prune(&l, "128", &sparsities[s]);
    linalg_set_threads(3);
    float *three = prune(&l, "128", &sparsities[s]);
    assert_memory_equal(one, three, sizeof *one * COUNT);
    free(one);
    free(three);
  }
  linalg_set_threads(before);
  close_layer(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_and_batches_change_nothing_but_rounding),
      cmocka_unit_test(bits_do_not_depend_on_the_number_of_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
