#include "linalg/ceiling.h"

#include <dnnl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"

enum { POOL = 4099 /* random numbers that repeat: a prime, so that rows differ */ };

struct ceiling {
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  float *x;           /* [x_cap] */
  uint16_t *x_halves; /* [x_halves_cap]: bfloat16 */
  unsigned char *y;   /* [y_cap] */
  size_t x_cap, x_halves_cap, y_cap;
};

struct ceiling_product {
  struct ceiling *ceiling;
  enum ceiling_form form;
  dnnl_primitive_t primitive;
  dnnl_memory_t x, w, y; /* x and y get their bytes at each run */
};

static status check(dnnl_status_t st, const char *what, struct error *err) {
  if (st == dnnl_success) {
    return STATUS_OK;
  }
  return err_set(err, st == dnnl_out_of_memory ? STATUS_MEMORY : STATUS_BUG,
                 "oneDNN refused %s (status %d)", what, (int)st);
}

status ceiling_open(struct ceiling **out, struct error *err) {
  struct ceiling *c;
  TRY(mem_alloc(&c, 1, sizeof *c, err));
  status st = check(dnnl_engine_create(&c->engine, dnnl_cpu, 0), "an engine", err);
  if (st == STATUS_OK) {
    st = check(dnnl_stream_create(&c->stream, c->engine, dnnl_stream_default_flags), "a stream",
               err);
  }
  if (st != STATUS_OK) {
    ceiling_close(c);
    return st;
  }
  *out = c;
  return STATUS_OK;
}

void ceiling_close(struct ceiling *c) {
  if (!c) {
    return;
  }
  if (c->stream) {
    (void)dnnl_stream_destroy(c->stream);
  }
  if (c->engine) {
    (void)dnnl_engine_destroy(c->engine);
  }
  free(c->x);
  free(c->x_halves);
  free(c->y);
  free(c);
}

/* Numbers in [-1, 1): zeros would be multiplied with less power, and so at a higher clock. */
static void fill(float *out, size_t count) {
  float pool[POOL];
  struct rng r;
  rng_seed(&r, 0);
  for (int i = 0; i < POOL; i++) {
    pool[i] = (float)(2 * rng_double(&r) - 1);
  }
  for (size_t i = 0; i < count; i += POOL) {
    size_t run = count - i < POOL ? count - i : POOL;
    memcpy(out + i, pool, run * sizeof *out);
  }
}

static status fit_x(struct ceiling *c, size_t count, struct error *err) {
  if (count > c->x_cap) {
    free(c->x);
    c->x = NULL;
    c->x_cap = 0;
    TRY(mem_alloc_raw(&c->x, count, sizeof *c->x, err));
    c->x_cap = count;
    fill(c->x, count);
  }
  return STATUS_OK;
}

static status fit_halves(struct ceiling *c, size_t count, struct error *err) {
  if (count <= c->x_halves_cap) {
    return STATUS_OK;
  }
  float *full;
  free(c->x_halves);
  c->x_halves = NULL;
  c->x_halves_cap = 0;
  TRY(mem_alloc_raw(&c->x_halves, count, sizeof *c->x_halves, err));
  TRY(mem_alloc_raw(&full, count, sizeof *full, err));
  fill(full, count);
  for (size_t i = 0; i < count; i++) {
    uint32_t bits;
    memcpy(&bits, full + i, sizeof bits);
    c->x_halves[i] = (uint16_t)(bits >> 16);
  }
  free(full);
  c->x_halves_cap = count;
  return STATUS_OK;
}

static status fit_y(struct ceiling *c, size_t bytes, struct error *err) {
  if (bytes > c->y_cap) {
    free(c->y);
    c->y = NULL;
    c->y_cap = 0;
    TRY(mem_alloc(&c->y, bytes, 1, err));
    c->y_cap = bytes;
  }
  return STATUS_OK;
}

/* A matrix as the library knows it; tag any leaves the layout to it. */
static status describe(dnnl_memory_desc_t *out, int rows, int cols, dnnl_data_type_t type,
                       dnnl_format_tag_t tag, struct error *err) {
  const dnnl_dims_t dims = {rows, cols};
  return check(dnnl_memory_desc_init_by_tag(out, 2, dims, type, tag), "a matrix", err);
}

static status make_primitive(struct ceiling_product *p, const dnnl_memory_desc_t mds[3],
                             const dnnl_memory_desc_t **packed, dnnl_primitive_desc_t *desc,
                             struct error *err) {
  dnnl_matmul_desc_t matmul;
  TRY(check(dnnl_matmul_desc_init(&matmul, &mds[0], &mds[1], NULL, &mds[2]), "a product", err));
  dnnl_status_t st = dnnl_primitive_desc_create(desc, &matmul, NULL, p->ceiling->engine, NULL);
  if (st == dnnl_unimplemented) {
    return err_set(err, STATUS_UNSUPPORTED, "oneDNN has no such product on this processor");
  }
  TRY(check(st, "a product", err));
  *packed = dnnl_primitive_desc_query_md(*desc, dnnl_query_weights_md, 0);
  return check(dnnl_primitive_create(&p->primitive, *desc), "a product", err);
}

static status reorder(const struct ceiling *c, dnnl_memory_t from, dnnl_memory_t to,
                      const dnnl_memory_desc_t *from_desc, const dnnl_memory_desc_t *to_desc,
                      struct error *err) {
  dnnl_primitive_desc_t desc;
  dnnl_primitive_t primitive;
  TRY(check(
      dnnl_reorder_primitive_desc_create(&desc, from_desc, c->engine, to_desc, c->engine, NULL),
      "to pack weights", err));
  dnnl_status_t st = dnnl_primitive_create(&primitive, desc);
  (void)dnnl_primitive_desc_destroy(desc);
  TRY(check(st, "to pack weights", err));
  dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  st = dnnl_primitive_execute(primitive, c->stream, 2, args);
  if (st == dnnl_success) {
    st = dnnl_stream_wait(c->stream);
  }
  (void)dnnl_primitive_destroy(primitive);
  return check(st, "to pack weights", err);
}

/* Random weights [n][k] in the layout that the product asked for. */
static status pack_weights(struct ceiling_product *p, const dnnl_memory_desc_t *packed, int n,
                           int k, struct error *err) {
  const struct ceiling *c = p->ceiling;
  dnnl_memory_desc_t plain;
  dnnl_memory_t from = NULL;
  float *w;
  TRY(describe(&plain, k, n, dnnl_f32, dnnl_ba, err));
  TRY(mem_alloc_raw(&w, (size_t)n * (size_t)k, sizeof *w, err));
  fill(w, (size_t)n * (size_t)k);
  status st = check(dnnl_memory_create(&from, &plain, c->engine, w), "weights", err);
  if (st == STATUS_OK) {
    st = check(dnnl_memory_create(&p->w, packed, c->engine, DNNL_MEMORY_ALLOCATE), "weights", err);
  }
  if (st == STATUS_OK) {
    st = reorder(c, from, p->w, &plain, packed, err);
  }
  if (from) {
    (void)dnnl_memory_destroy(from);
  }
  free(w);
  return st;
}

static status prepare(struct ceiling_product *p, int m, int n, int k, struct error *err) {
  struct ceiling *c = p->ceiling;
  dnnl_data_type_t in = p->form == CEILING_FLOAT32 ? dnnl_f32 : dnnl_bf16;
  dnnl_data_type_t out = p->form == CEILING_BFLOAT16_ONLY ? dnnl_bf16 : dnnl_f32;
  size_t out_size = out == dnnl_f32 ? 4 : 2, x_count = (size_t)m * (size_t)k;
  dnnl_memory_desc_t mds[3];
  const dnnl_memory_desc_t *packed;
  dnnl_primitive_desc_t desc = NULL;
  TRY(describe(&mds[0], m, k, in, dnnl_ab, err));
  TRY(describe(&mds[1], k, n, in, dnnl_format_tag_any, err));
  TRY(describe(&mds[2], m, n, out, dnnl_ab, err));
  TRY(in == dnnl_f32 ? fit_x(c, x_count, err) : fit_halves(c, x_count, err));
  TRY(fit_y(c, (size_t)m * (size_t)n * out_size, err));
  status st = make_primitive(p, mds, &packed, &desc, err);
  if (st == STATUS_OK) {
    st = pack_weights(p, packed, n, k, err);
  }
  if (desc) {
    (void)dnnl_primitive_desc_destroy(desc);
  }
  TRY(st);
  TRY(check(dnnl_memory_create(&p->x, &mds[0], c->engine, DNNL_MEMORY_NONE), "an input", err));
  return check(dnnl_memory_create(&p->y, &mds[2], c->engine, DNNL_MEMORY_NONE), "an output", err);
}

status ceiling_product_open(struct ceiling_product **out, struct ceiling *c, enum ceiling_form form,
                            int m, int n, int k, struct error *err) {
  if (m < 1 || n < 1 || k < 1) {
    return err_set(err, STATUS_BUG, "ceiling: %d x %d x %d", m, n, k);
  }
  struct ceiling_product *p;
  TRY(mem_alloc(&p, 1, sizeof *p, err));
  p->ceiling = c;
  p->form = form;
  status st = prepare(p, m, n, k, err);
  if (st != STATUS_OK) {
    ceiling_product_close(p);
    return st;
  }
  *out = p;
  return STATUS_OK;
}

void ceiling_product_close(struct ceiling_product *p) {
  if (!p) {
    return;
  }
  dnnl_memory_t memories[] = {p->x, p->w, p->y};
  for (int i = 0; i < 3; i++) {
    if (memories[i]) {
      (void)dnnl_memory_destroy(memories[i]);
    }
  }
  if (p->primitive) {
    (void)dnnl_primitive_destroy(p->primitive);
  }
  free(p);
}

status ceiling_product_run(struct ceiling_product *p, struct error *err) {
  struct ceiling *c = p->ceiling;
  void *x = p->form == CEILING_FLOAT32 ? (void *)c->x : (void *)c->x_halves;
  TRY(check(dnnl_memory_set_data_handle(p->x, x), "an input", err));
  TRY(check(dnnl_memory_set_data_handle(p->y, c->y), "an output", err));
  dnnl_exec_arg_t args[] = {{DNNL_ARG_SRC, p->x}, {DNNL_ARG_WEIGHTS, p->w}, {DNNL_ARG_DST, p->y}};
  TRY(check(dnnl_primitive_execute(p->primitive, c->stream, 3, args), "to multiply", err));
  return check(dnnl_stream_wait(c->stream), "to multiply", err);
}

void ceiling_triad(double *a, const double *b, const double *c, double s, size_t count) {
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < count; i++) {
    a[i] = b[i] + s * c[i];
  }
}
