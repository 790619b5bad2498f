#include "model/attention.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "linalg/operand.h"
#include "model/vector.h"

size_t attention_tiles(const struct batch *batch, struct attention_tile *out) {
  size_t count = 0;
  for (int32_t s = 0; s < batch->count; s++) {
    for (int32_t i = 0; i < batch->spans[s].length; i += ATTENTION_QUERIES) {
      if (out) {
        out[count] = (struct attention_tile){s, i};
      }
      count++;
    }
  }
  return count;
}

/* Of one tile: scores, the weights as operands where those are not float32, and the result. */
struct scratch {
  float *scores; /* [rows][keys] */
  void *weights; /* [rows][keys]: operands */
  float *mixed;  /* [rows][head_dim] */
};

static size_t most_keys(const struct batch *batch) {
  size_t keys = 0;
  for (int32_t s = 0; s < batch->count; s++) {
    size_t n = (size_t)batch->spans[s].prefix_length + (size_t)batch->spans[s].length;
    keys = n > keys ? n : keys;
  }
  return (keys + 15) / 16 * 16;
}

size_t attention_scratch(const struct batch *batch, int head_dim, enum precision precision) {
  size_t keys = most_keys(batch), both = precision == PRECISION_FLOAT32 ? keys : keys + keys / 2;
  return (both + (size_t)head_dim) * ATTENTION_QUERIES;
}

static struct scratch lay_out(const struct attention *a, const struct batch *batch, float *at) {
  struct scratch s = {.mixed = at, .scores = at + (size_t)a->head_dim * ATTENTION_QUERIES};
  s.weights = a->precision == PRECISION_FLOAT32 ? s.scores
                                                : s.scores + most_keys(batch) * ATTENTION_QUERIES;
  return s;
}

status attention_kernels_create(struct attention_kernels *out, enum precision precision,
                                struct error *err) {
  struct kernel_form scores = {.precision = precision, .transposed = true};
  struct kernel_form mix = {.precision = precision},
                     mix_more = {.precision = precision, .add = true};
  TRY(kernel_create(&out->scores, scores, err));
  TRY(kernel_create(&out->mix, mix, err));
  return kernel_create(&out->mix_more, mix_more, err);
}

void attention_kernels_free(struct attention_kernels *kernels) {
  kernel_free(kernels->scores);
  kernel_free(kernels->mix);
  kernel_free(kernels->mix_more);
  *kernels = (struct attention_kernels){0};
}

/* Powers of 2^(-8/p), p the largest power of two within `heads`; heads beyond take every second
 * slope of the next finer series. */
void attention_slopes(int heads, float *out) {
  int power = 1;
  while (power * 2 <= heads) {
    power *= 2;
  }
  for (int h = 0; h < heads; h++) {
    double exponent = h < power ? -8.0 * (h + 1) / power : -4.0 * (2 * (h - power) + 1) / power;
    out[h] = (float)exp2(exponent);
  }
}

/* The nearest bfloat16, ties to even. */
static float round_bfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Of keys first .. n - 1 as the last of them sees them. */
static void add_slope(const struct attention *a, int head, float *row, int first, int n) {
  float slope = a->slopes[head];
  if (a->rounded) {
    slope = round_bfloat16(slope);
    for (int j = first; j < n; j++) {
      row[j] += a->scale * round_bfloat16(slope * round_bfloat16((float)j));
    }
    return;
  }
  for (int j = first; j < n; j++) {
    row[j] += slope * (float)(j - n + 1);
  }
}

/* scores [rows][keys] → weights that still lack the division by sums [rows]. Row i sees `seen + i`
 * keys, or the window's last of them; the rest of its row becomes 0. */
static void soften(const struct attention *a, int head, float *scores, int rows, int keys, int seen,
                   float *sums) {
  for (int i = 0; i < rows; i++) {
    float *row = scores + (size_t)i * keys;
    int n = seen + i, first = a->window && n > a->window ? n - a->window : 0;
    for (int j = first; j < n; j++) {
      row[j] *= a->scale;
    }
    if (a->cap > 0) {
      vector_cap(row + first, n - first, a->cap);
    }
    if (a->slopes) {
      add_slope(a, head, row, first, n);
    }
    sums[i] = vector_exp_sum(row + first, n - first, vector_max(row + first, n - first));
    for (int j = 0; j < first; j++) {
      row[j] = 0;
    }
    for (int j = n; j < keys; j++) {
      row[j] = 0;
    }
  }
}

/* The queries of one tile for one head, and the keys that they see: the prefix's rows, then the
 * span's own up to the last query. */
struct part {
  int rows, before, own; /* queries; keys of the prefix; keys of the span */
  size_t query;          /* places in q, and in k and v of the prefix and of the span */
  size_t past, present;
  int ldq, ldk;
};

static struct part find_part(const struct attention *a, const struct span *s, int first, int head) {
  int left = s->length - first, d = a->head_dim, shared = head / (a->heads / a->kv_heads);
  struct part p = {.rows = left < ATTENTION_QUERIES ? left : ATTENTION_QUERIES,
                   .before = s->prefix_length,
                   .ldq = a->heads * d,
                   .ldk = a->kv_heads * d};
  p.own = first + p.rows;
  p.query = (size_t)(s->first + first) * (size_t)p.ldq + (size_t)head * (size_t)d;
  p.past = (size_t)s->prefix_first * (size_t)p.ldk + (size_t)shared * (size_t)d;
  p.present = (size_t)s->first * (size_t)p.ldk + (size_t)shared * (size_t)d;
  return p;
}

/* scores = q·kᵀ */
static int compare(const struct attention *a, const struct part *p, const void *q, const void *k,
                   float *scores) {
  struct kernel_call call = {.m = p->rows,
                             .k = a->head_dim,
                             .a = operand_from(a->precision, q, p->query),
                             .lda = p->ldq,
                             .ldb = p->ldk,
                             .ldc = p->before + p->own};
  int st = 0;
  if (p->before > 0) {
    call.n = p->before;
    call.b = operand_from(a->precision, k, p->past);
    call.c = scores;
    st = kernel_run(a->kernels->scores, &call);
  }
  call.n = p->own;
  call.b = operand_from(a->precision, k, p->present);
  call.c = scores + p->before;
  return st ? st : kernel_run(a->kernels->scores, &call);
}

/* mixed = weights·v */
static int mix(const struct attention *a, const struct part *p, const void *weights, const void *v,
               float *mixed) {
  struct kernel_call call = {.m = p->rows,
                             .n = a->head_dim,
                             .lda = p->before + p->own,
                             .ldb = p->ldk,
                             .c = mixed,
                             .ldc = a->head_dim};
  int st = 0;
  if (p->before > 0) {
    call.k = p->before;
    call.a = weights;
    call.b = operand_from(a->precision, v, p->past);
    st = kernel_run(a->kernels->mix, &call);
  }
  call.k = p->own;
  call.a = operand_from(a->precision, weights, (size_t)p->before);
  call.b = operand_from(a->precision, v, p->present);
  return st ? st : kernel_run(p->before > 0 ? a->kernels->mix_more : a->kernels->mix, &call);
}

/* One head of one tile. Returns 0, or oneDNN's status. */
static int one_head(const struct attention *a, const struct span *s, int first, int head, void *q,
                    const void *k, const void *v, const struct scratch *scratch) {
  struct part p = find_part(a, s, first, head);
  int keys = p.before + p.own, d = a->head_dim;
  float sums[ATTENTION_QUERIES];
  int st = compare(a, &p, q, k, scratch->scores);
  if (st != 0) {
    return st;
  }
  soften(a, head, scratch->scores, p.rows, keys, p.before + first + 1, sums);
  if (a->precision != PRECISION_FLOAT32) {
    operand_narrow(a->precision, scratch->scores, (size_t)p.rows * (size_t)keys, scratch->weights);
  }
  st = mix(a, &p, scratch->weights, v, scratch->mixed);
  for (int i = 0; i < p.rows; i++) {
    float *row = scratch->mixed + (size_t)i * (size_t)d, scale = 1.0F / sums[i];
    for (int j = 0; j < d; j++) {
      row[j] *= scale;
    }
    operand_narrow(a->precision, row, (size_t)d,
                   operand_at(a->precision, q, p.query + (size_t)i * (size_t)p.ldq));
  }
  return st;
}

status attention_apply(const struct attention *a, const struct batch *batch,
                       const struct attention_tile *tiles, size_t count, void *q, const void *k,
                       const void *v, float *scratch, struct error *err) {
  size_t work = count * (size_t)a->heads;
  size_t stride = attention_scratch(batch, a->head_dim, a->precision);
  int worst = 0;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (size_t t = 0; t < work; t++) {
    const struct attention_tile *tile = tiles + t / (size_t)a->heads;
    struct scratch own = lay_out(a, batch, scratch + stride * (size_t)omp_get_thread_num());
    int st = one_head(a, batch->spans + tile->span, tile->first, (int)(t % (size_t)a->heads), q, k,
                      v, &own);
    worst = st > worst ? st : worst;
  }
  return worst == 0
             ? STATUS_OK
             : err_set(err, STATUS_BUG, "attention: oneDNN refused the product (status %d)", worst);
}
