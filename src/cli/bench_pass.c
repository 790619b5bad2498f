#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "linalg/matmul.h"

enum {
  FORMS = 2, /* of a precision's products, at most */
  OUTPUT_MOST =
      1 << 28 /* numbers of one product's output: larger ones are measured on fewer rows */
};

/* Linears of one shape. */
struct pass_shape {
  struct bench_layer size;
  int rows;     /* that are measured, of the batch's */
  double times; /* such a product per pass */
  struct ceiling_product *products[FORMS];
  size_t cases[FORMS];
};

struct bench_pass {
  const struct bench_series *series;
  struct pass_shape *shapes; /* [count] */
  int count, forms, rows;
  bool supported;
};

static void note(struct bench_pass *p, int rows, int cols, double times) {
  int i = 0;
  while (i < p->count && (p->shapes[i].size.rows != rows || p->shapes[i].size.cols != cols)) {
    i++;
  }
  if (i == p->count) {
    int measured = p->rows;
    while ((double)measured * rows > OUTPUT_MOST) {
      measured = (measured + 1) / 2;
    }
    p->shapes[p->count++] = (struct pass_shape){.size = {rows, cols}, .rows = measured};
  }
  p->shapes[i].times += times;
}

static status run(void *user, struct error *err) {
  return ceiling_product_run(user, err);
}

static status open_shape(struct bench_pass *p, struct pass_shape *s, struct ceiling *ceiling,
                         enum ceiling_form first, int threads, struct bench_series *series,
                         struct error *err) {
  for (int f = 0; f < p->forms; f++) {
    status st = ceiling_product_open(&s->products[f], ceiling, first + (enum ceiling_form)f,
                                     s->rows, s->size.rows, s->size.cols, err);
    if (st == STATUS_UNSUPPORTED) {
      p->supported = false;
      return STATUS_OK;
    }
    TRY(st);
    struct bench_case c = {.run = run, .user = s->products[f], .threads = threads};
    TRY(bench_series_add(series, c, &s->cases[f], err));
  }
  return STATUS_OK;
}

/* A processor has all products of a precision or none: the first refusal ends it. */
static status open_products(struct bench_pass *p, struct ceiling *ceiling, enum precision precision,
                            int threads, struct bench_series *series, struct error *err) {
  enum ceiling_form first = precision == PRECISION_BFLOAT16 ? CEILING_BFLOAT16 : CEILING_FLOAT32;
  int before = linalg_threads();
  status st = STATUS_OK;
  linalg_set_threads(threads);
  for (int i = 0; i < p->count && st == STATUS_OK && p->supported; i++) {
    st = open_shape(p, &p->shapes[i], ceiling, first, threads, series, err);
  }
  linalg_set_threads(before);
  return st;
}

static status fill(struct bench_pass *p, struct ceiling *ceiling, const struct model *m,
                   enum precision precision, int threads, struct bench_series *series,
                   struct error *err) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  TRY(mem_alloc(&p->shapes, (size_t)count + 1, sizeof *p->shapes, err));
  for (int i = 0; i < count; i++) {
    note(p, linears[i].rows, linears[i].cols, model_blocks(m));
  }
  int width = (int)(model_head_flops(m) / 2 / model_vocab(m) + 0.5);
  note(p, model_vocab(m), width, 1);
  return open_products(p, ceiling, precision, threads, series, err);
}

status bench_pass_open(struct bench_pass **out, struct ceiling *ceiling, const struct model *m,
                       int rows, enum precision precision, int threads, struct bench_series *series,
                       struct error *err) {
  struct bench_pass *p;
  TRY(mem_alloc(&p, 1, sizeof *p, err));
  p->series = series;
  p->forms = precision == PRECISION_BFLOAT16 ? 2 : 1;
  p->rows = rows;
  p->supported = true;
  status st = fill(p, ceiling, m, precision, threads, series, err);
  if (st != STATUS_OK) {
    bench_pass_close(p);
    return st;
  }
  *out = p;
  return STATUS_OK;
}

void bench_pass_close(struct bench_pass *p) {
  if (!p) {
    return;
  }
  for (int i = 0; i < p->count; i++) {
    for (int f = 0; f < FORMS; f++) {
      ceiling_product_close(p->shapes[i].products[f]);
    }
  }
  free(p->shapes);
  free(p);
}

bool bench_pass_supported(const struct bench_pass *p) {
  return p->supported;
}

int bench_pass_shapes(const struct bench_pass *p) {
  return p->count;
}

struct bench_layer bench_pass_shape(const struct bench_pass *p, int shape) {
  return p->shapes[shape].size;
}

static double flops_of(const struct pass_shape *s) {
  return 2.0 * s->rows * s->size.rows * s->size.cols;
}

double bench_pass_shape_rate(const struct bench_pass *p, int shape, int repeat) {
  const struct pass_shape *s = &p->shapes[shape];
  if (!p->supported) {
    return NAN;
  }
  double seconds = INFINITY;
  for (int f = 0; f < p->forms; f++) {
    seconds = fmin(seconds, p->series->at[s->cases[f]].seconds[repeat]);
  }
  return flops_of(s) / seconds;
}

double bench_pass_rate(const struct bench_pass *p, int repeat) {
  double flops = 0, seconds = 0;
  for (int i = 0; i < p->count; i++) {
    const struct pass_shape *s = &p->shapes[i];
    double all = flops_of(s) * s->times * p->rows / s->rows;
    flops += all;
    seconds += all / bench_pass_shape_rate(p, i, repeat);
  }
  return flops / seconds;
}
