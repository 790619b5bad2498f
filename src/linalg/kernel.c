#include "linalg/kernel.h"

#include <dnnl.h>
#include <stdlib.h>

#include "base/mem.h"

struct kernel {
  struct kernel_form form;
  dnnl_data_type_t type; /* of a and b */
  dnnl_engine_t engine;
  dnnl_stream_t stream;
  dnnl_primitive_t primitive;
};

/* A matrix whose rows, or columns when transposed, are `stride` apart. */
static dnnl_status_t describe(dnnl_memory_desc_t *out, dnnl_dim_t rows, dnnl_dim_t cols,
                              dnnl_dim_t stride, bool transposed, dnnl_data_type_t type) {
  dnnl_dims_t dims = {rows, cols};
  dnnl_dims_t strides = {transposed ? 1 : stride, transposed ? stride : 1};
  return dnnl_memory_desc_init_by_strides(out, 2, dims, type, strides);
}

static dnnl_status_t append_sum(dnnl_primitive_attr_t attributes) {
  dnnl_post_ops_t after = NULL;
  dnnl_status_t st = dnnl_post_ops_create(&after);
  st = st ? st : dnnl_post_ops_append_sum(after, 1);
  st = st ? st : dnnl_primitive_attr_set_post_ops(attributes, after);
  if (after) {
    (void)dnnl_post_ops_destroy(after);
  }
  return st;
}

/* All sizes stay open until the product runs. */
static dnnl_status_t build(struct kernel *r) {
  const dnnl_dim_t open = DNNL_RUNTIME_DIM_VAL;
  dnnl_memory_desc_t a, b, c;
  dnnl_matmul_desc_t product;
  dnnl_primitive_desc_t described = NULL;
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_status_t st = dnnl_engine_create(&r->engine, dnnl_cpu, 0);
  st = st ? st : dnnl_stream_create(&r->stream, r->engine, dnnl_stream_default_flags);
  st = st ? st : describe(&a, open, open, open, false, r->type);
  st = st ? st : describe(&b, open, open, open, r->form.transposed, r->type);
  st = st ? st : describe(&c, open, open, open, false, dnnl_f32);
  st = st ? st : dnnl_matmul_desc_init(&product, &a, &b, NULL, &c);
  st = st ? st : dnnl_primitive_attr_create(&attributes);
  st = st || !r->form.add ? st : append_sum(attributes);
  st = st ? st : dnnl_primitive_desc_create(&described, &product, attributes, r->engine, NULL);
  st = st ? st : dnnl_primitive_create(&r->primitive, described);
  if (described) {
    (void)dnnl_primitive_desc_destroy(described);
  }
  if (attributes) {
    (void)dnnl_primitive_attr_destroy(attributes);
  }
  return st;
}

status kernel_create(struct kernel **out, struct kernel_form form, struct error *err) {
  struct kernel *r;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  r->form = form;
  r->type = form.precision == PRECISION_BFLOAT16 ? dnnl_bf16 : dnnl_f32;
  dnnl_status_t st = build(r);
  if (st == dnnl_success) {
    *out = r;
    return STATUS_OK;
  }
  kernel_free(r);
  const char *name = precision_name(form.precision);
  switch (st) {
  case dnnl_out_of_memory:
    return err_set(err, STATUS_MEMORY, "out of memory for a product in %s", name);
  case dnnl_unimplemented:
    return err_set(err, STATUS_UNSUPPORTED,
                   "precision %s: oneDNN has no such product for this processor", name);
  default:
    return err_set(err, STATUS_BUG, "a product in %s: oneDNN's status %d", name, (int)st);
  }
}

void kernel_free(struct kernel *r) {
  if (!r) {
    return;
  }
  if (r->primitive) {
    (void)dnnl_primitive_destroy(r->primitive);
  }
  if (r->stream) {
    (void)dnnl_stream_destroy(r->stream);
  }
  if (r->engine) {
    (void)dnnl_engine_destroy(r->engine);
  }
  free(r);
}

/* The library's handles are not const, but it only reads from a and b. */
static dnnl_status_t wrap(dnnl_memory_t *out, const dnnl_memory_desc_t *desc,
                          const struct kernel *r, const void *at) {
  union {
    const void *in;
    void *out;
  } handle = {at};
  return dnnl_memory_create(out, desc, r->engine, handle.out);
}

int kernel_run(const struct kernel *r, const struct kernel_call *call) {
  enum { A, B, C, PARTS };
  dnnl_memory_t parts[PARTS] = {NULL, NULL, NULL};
  dnnl_memory_desc_t a, b, c;
  dnnl_status_t st = describe(&a, call->m, call->k, call->lda, false, r->type);
  st = st ? st : describe(&b, call->k, call->n, call->ldb, r->form.transposed, r->type);
  st = st ? st : describe(&c, call->m, call->n, call->ldc, false, dnnl_f32);
  st = st ? st : wrap(&parts[A], &a, r, call->a);
  st = st ? st : wrap(&parts[B], &b, r, call->b);
  st = st ? st : wrap(&parts[C], &c, r, call->c);
  if (st == dnnl_success) {
    dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, parts[A]}, {DNNL_ARG_WEIGHTS, parts[B]}, {DNNL_ARG_DST, parts[C]}};
    st = dnnl_primitive_execute(r->primitive, r->stream, PARTS, arguments);
  }
  for (int i = 0; i < PARTS; i++) {
    if (parts[i]) {
      (void)dnnl_memory_destroy(parts[i]);
    }
  }
  return (int)st;
}
