#include "model/attention.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "linalg/matmul.h"
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

size_t attention_scratch(const struct batch *batch) {
  size_t keys = 0;
  for (int32_t s = 0; s < batch->count; s++) {
    size_t n = (size_t)batch->spans[s].prefix_length + (size_t)batch->spans[s].length;
    keys = n > keys ? n : keys;
  }
  return (keys + 15) / 16 * 16 * ATTENTION_QUERIES;
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

/* One head of one tile. Keys are the prefix's rows, then the span's own up to the last query. */
static status one_head(const struct attention *a, const struct span *s, int first, int head,
                       float *q, const float *k, const float *v, float *scores) {
  int left = s->length - first, rows = left < ATTENTION_QUERIES ? left : ATTENTION_QUERIES;
  int before = s->prefix_length, own = first + rows, keys = before + own, d = a->head_dim;
  int ldq = a->heads * d, ldk = a->kv_heads * d, shared = head / (a->heads / a->kv_heads);
  float *mine = q + (size_t)(s->first + first) * ldq + (size_t)head * d;
  size_t past = (size_t)s->prefix_first * ldk + (size_t)shared * d;
  size_t present = (size_t)s->first * ldk + (size_t)shared * d;
  float sums[ATTENTION_QUERIES];
  if (before > 0) {
    TRY(matmul(false, true, rows, before, d, a->scale, mine, ldq, k + past, ldk, 0, scores, keys,
               NULL));
  }
  TRY(matmul(false, true, rows, own, d, a->scale, mine, ldq, k + present, ldk, 0, scores + before,
             keys, NULL));
  soften(a, head, scores, rows, keys, before + first + 1, sums);
  if (before > 0) {
    TRY(matmul(false, false, rows, d, before, 1, scores, keys, v + past, ldk, 0, mine, ldq, NULL));
  }
  TRY(matmul(false, false, rows, d, own, 1, scores + before, keys, v + present, ldk,
             before > 0 ? 1.0F : 0.0F, mine, ldq, NULL));
  for (int i = 0; i < rows; i++) {
    float scale = 1.0F / sums[i];
    for (int j = 0; j < d; j++) {
      mine[(size_t)i * ldq + j] *= scale;
    }
  }
  return STATUS_OK;
}

status attention_apply(const struct attention *a, const struct batch *batch,
                       const struct attention_tile *tiles, size_t count, float *q, const float *k,
                       const float *v, float *scratch, struct error *err) {
  size_t work = count * (size_t)a->heads, stride = attention_scratch(batch);
  int worst = STATUS_OK;
#pragma omp parallel for schedule(dynamic, 1) reduction(max : worst)
  for (size_t t = 0; t < work; t++) {
    const struct attention_tile *tile = tiles + t / (size_t)a->heads;
    int st = (int)one_head(a, batch->spans + tile->span, tile->first, (int)(t % (size_t)a->heads),
                           q, k, v, scratch + stride * (size_t)omp_get_thread_num());
    worst = st > worst ? st : worst;
  }
  return worst == STATUS_OK ? STATUS_OK
                            : err_set(err, (status)worst, "attention: a product was refused");
}
