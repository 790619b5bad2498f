/* Seconds of pruning one linear, for tests/bench/peer_prune.py and by hand:
 *   bench_prune ROWS COLS METHOD SPARSITY [WEIGHTS GRAM [PRUNED]]
 * The files hold float32 without a header: WEIGHTS [ROWS][COLS], GRAM [COLS][COLS]; without them,
 * reproducible numbers. PRUNED is written. Reads commands from standard input, one a line: "run"
 * prunes a fresh copy and prints one line of JSON, anything else ends, so that two programs can
 * take turns in one run. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "linalg/matmul.h"
#include "prune/hessian.h"
#include "prune/method.h"

struct layer {
  int rows, cols;
  float *weights; /* [rows][cols] */
  float *pruned;  /* [rows][cols] */
  float *factor;  /* [cols][cols], or NULL */
  struct stats stats;
};

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Of all threads: what to look at on a machine that does other work too. */
static double processor_time(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Sums of four uniform numbers: near enough to a normal distribution. */
static void fill(float *to, size_t count, uint64_t seed) {
  for (size_t i = 0; i < count; i++) {
    double sum = 0;
    for (int k = 0; k < 4; k++) {
      seed = seed * 6364136223846793005U + 1442695040888963407U;
      sum += (double)(seed >> 40) / (1 << 24) - 0.5;
    }
    to[i] = (float)sum;
  }
}

static status read_floats(float *to, size_t count, const char *path, struct error *err) {
  FILE *f = fopen(path, "rb");
  size_t got = f ? fread(to, sizeof *to, count, f) : 0;
  if (f) {
    (void)fclose(f);
  }
  return got == count ? STATUS_OK
                      : err_set(err, STATUS_INPUT, "%s: not %zu float32 numbers", path, count);
}

/* Of n/4 tokens, which the damping makes definite. */
static status make_gram(float *gram, int n, struct error *err) {
  float *x;
  int tokens = n / 4;
  TRY(mem_alloc_raw(&x, (size_t)tokens * (size_t)n, sizeof *x, err));
  fill(x, (size_t)tokens * (size_t)n, 2);
  status st = gram_add(gram, x, tokens, n, err);
  free(x);
  return st;
}

static status open_layer(struct layer *l, const struct method *m, int files, char **paths,
                         struct error *err) {
  size_t rows = (size_t)l->rows, n = (size_t)l->cols;
  TRY(mem_alloc_raw(&l->weights, rows * n, sizeof *l->weights, err));
  TRY(mem_alloc_raw(&l->pruned, rows * n, sizeof *l->pruned, err));
  TRY(stats_create(&l->stats, l->cols, STATS_GRAM | STATS_SQUARES, err));
  if (files >= 2) {
    TRY(read_floats(l->weights, rows * n, paths[0], err));
    TRY(read_floats(l->stats.gram, n * n, paths[1], err));
  } else {
    fill(l->weights, rows * n, 1);
    TRY(make_gram(l->stats.gram, l->cols, err));
  }
  for (size_t j = 0; j < n; j++) {
    l->stats.squares[j] = (double)l->stats.gram[j * n + j];
  }
  l->stats.samples = l->stats.tokens = 1;
  return m->needs_factor ? mem_alloc_raw(&l->factor, n * n, sizeof *l->factor, err) : STATUS_OK;
}

static void close_layer(struct layer *l) {
  free(l->weights);
  free(l->pruned);
  free(l->factor);
  stats_free(&l->stats);
}

static status run(struct layer *l, const struct method *m, const struct sparsity *sparsity,
                  struct error *err) {
  size_t count = (size_t)l->rows * (size_t)l->cols, zeros = 0;
  struct params params = method_defaults(m);
  struct prune_task task = {.weights = l->pruned,
                            .rows = l->rows,
                            .cols = l->cols,
                            .stats = &l->stats,
                            .factor = l->factor,
                            .sparsity = *sparsity,
                            .params = &params};
  memcpy(l->pruned, l->weights, count * sizeof *l->pruned);
  double start = now(), busy = processor_time(), damp = 0;
  if (m->needs_factor) {
    const struct group alone = group_single();
    hessian_fill(&l->stats, l->factor);
    TRY(factor_inverse_upper(l->factor, l->cols, params.value[method_param_index(m, "damp")],
                             FACTOR_LOCAL, &alone, &damp, err));
  }
  double factored = now();
  TRY(method_prune(m, &task, err));
  double end = now();
  busy = processor_time() - busy;
  for (size_t i = 0; i < count; i++) {
    zeros += l->pruned[i] == 0;
  }
  printf("{\"method\": \"%s\", \"rows\": %d, \"cols\": %d, \"threads\": %d, \"seconds\": %.6f, "
         "\"factor_seconds\": %.6f, \"prune_seconds\": %.6f, \"processor_seconds\": %.6f, "
         "\"sparsity\": %.6f}\n",
         m->name, l->rows, l->cols, linalg_threads(), end - start, factored - start, end - factored,
         busy, (double)zeros / (double)count);
  (void)fflush(stdout);
  return STATUS_OK;
}

static status take_turns(struct layer *l, const struct method *m, const struct sparsity *sparsity,
                         struct error *err) {
  char line[64];
  while (fgets(line, sizeof line, stdin) && strcmp(line, "run\n") == 0) {
    TRY(run(l, m, sparsity, err));
  }
  return STATUS_OK;
}

static status write_floats(const float *from, size_t count, const char *path, struct error *err) {
  FILE *f = fopen(path, "wb");
  bool good = f && fwrite(from, sizeof *from, count, f) == count;
  good = f && fclose(f) == 0 && good;
  return good ? STATUS_OK : err_set(err, STATUS_IO, "%s: cannot be written", path);
}

int main(int argc, char **argv) {
  const struct method *m = argc >= 5 ? method_find(argv[3]) : NULL;
  struct sparsity sparsity;
  struct error err = {0};
  if (!m || (argc != 5 && argc != 7 && argc != 8)) {
    (void)fprintf(
        stderr,
        "usage: bench_prune ROWS COLS METHOD SPARSITY [WEIGHTS GRAM [PRUNED]] < COMMANDS\n");
    return 2;
  }
  struct layer l = {.rows = (int)strtol(argv[1], NULL, 10), .cols = (int)strtol(argv[2], NULL, 10)};
  status st = sparsity_parse(&sparsity, argv[4], &err);
  st = st == STATUS_OK ? open_layer(&l, m, argc - 5, argv + 5, &err) : st;
  st = st == STATUS_OK ? take_turns(&l, m, &sparsity, &err) : st;
  if (st == STATUS_OK && argc == 8) {
    st = write_floats(l.pruned, (size_t)l.rows * (size_t)l.cols, argv[7], &err);
  }
  if (st != STATUS_OK) {
    (void)fprintf(stderr, "bench_prune: %s\n", err.text);
  }
  close_layer(&l);
  return st != STATUS_OK;
}
