#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "grid/cost.h"
#include "linalg/operand.h"
#include "linalg/packed.h"

/* Of the product's rate what a whole run reaches: attention, norms, selection and waiting count
 * towards its time and not towards its operations. Measured on experiments/demo.yaml, smollm2.yaml,
 * calibration-smollm2.yaml and nsa.yaml. */
static const double SHARE_FLOAT32 = 0.7, SHARE_BFLOAT16 = 0.4;
static const double LONG_ENOUGH = 0.05; /* seconds */

enum { ROWS = 2 * PRODUCT_TILE, WIDEST = 4096 };

static double now(void) {
  struct timespec t;
  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const struct model *busiest(const struct plan *p) {
  size_t best = 0;
  double most = -1;
  for (size_t m = 0; m < p->model_count; m++) {
    double flops = 0;
    for (size_t i = 0; i < p->variant_count; i++) {
      const struct variant *v = &p->variants[i];
      flops += (size_t)v->model == m ? v->prune_flops + v->eval_flops : 0;
    }
    if (flops > most) {
      most = flops;
      best = m;
    }
  }
  return p->models[best].model;
}

static const struct linear *largest(const struct model *m) {
  int count;
  const struct linear *l = model_linears(m, &count), *best = l;
  for (int i = 1; i < count; i++) {
    if ((double)l[i].rows * l[i].cols > (double)best->rows * best->cols) {
      best = &l[i];
    }
  }
  return best;
}

static int at_most(int n) {
  return n < WIDEST ? n : WIDEST;
}

/* Once to warm up, then for LONG_ENOUGH. */
static status repeat(const struct packed *w, const struct product *q, double *rate, double flops,
                     struct error *err) {
  TRY(packed_multiply(w, q, err));
  double start = now(), end;
  int times = 0;
  do {
    TRY(packed_multiply(w, q, err));
    times++;
    end = now();
  } while (end - start < LONG_ENOUGH);
  *rate = flops * times / (end - start);
  return STATUS_OK;
}

status cost_measure_rate(const struct plan *p, double *rate, struct error *err) {
  const struct model *m = busiest(p);
  const struct linear *l = largest(m);
  enum precision precision = model_precision(m);
  int n = at_most(l->rows), k = at_most(l->cols);
  struct packed *w = NULL;
  float *weights = NULL, *y = NULL;
  void *x = NULL;
  status st;
  TRY_GOTO(st, done, packed_create(&w, n, k, precision, err));
  TRY_GOTO(st, done, mem_alloc(&weights, (size_t)n * (size_t)k, sizeof *weights, err));
  TRY_GOTO(st, done, mem_alloc(&x, (size_t)ROWS * (size_t)k, operand_bytes(precision), err));
  TRY_GOTO(st, done, mem_alloc(&y, (size_t)ROWS * (size_t)n, sizeof *y, err));
  packed_fill(w, weights);
  struct product q = {.x = x, .m = ROWS, .output = PRODUCT_SET, .y = y, .ldy = n};
  TRY_GOTO(st, done, repeat(w, &q, rate, 2.0 * ROWS * n * k, err));
  *rate *= precision == PRECISION_BFLOAT16 ? SHARE_BFLOAT16 : SHARE_FLOAT32;
done:
  packed_free(w);
  free(weights);
  free(x);
  free(y);
  return st;
}

status cost_set_rate(struct plan *p, int gflops, struct error *err) {
  double rate = 1e9 * gflops;
  if (gflops == 0) {
    TRY(cost_measure_rate(p, &rate, err));
  }
  plan_set_rate(p, rate);
  return STATUS_OK;
}
