/* The pieces of the forward pass against the same formulas in double. */
#include <math.h>
#include <stdlib.h>

#include "linalg/matmul.h"
#include "linalg/operand.h"
#include "model/activation.h"
#include "model/attention.h"
#include "model/norm.h"
#include "model/rope.h"
#include "model/vector.h"
#include "support.h"

static uint32_t random_state = 1;

static float uniform(float low, float high) {
  random_state = random_state * 1664525U + 1013904223U;
  return low + (high - low) * (float)(random_state >> 8) / 16777216.0F;
}

static void fill(float *x, size_t count, float low, float high) {
  for (size_t i = 0; i < count; i++) {
    x[i] = uniform(low, high);
  }
}

static void assert_close(double got, double want, double tolerance) {
  if (!(fabs(got - want) <= tolerance)) {
    fail_msg("%.9g, wanted %.9g within %g", got, want, tolerance);
  }
}

static void the_exponential_is_good_to_two_units_in_the_last_place(void **state) {
  (void)state;
  for (int i = 0; i <= 400000; i++) {
    float x = fminf(-87.0F + (float)i * (175.0F / 400000), 88.0F);
    double want = exp((double)x);
    assert_close(vector_exp(x), want, want * 2.4e-7);
  }
  assert_true(vector_exp(0) == 1);
  assert_close(vector_exp(-1000), 0, 2e-38);
  assert_close(vector_exp(-INFINITY), 0, 2e-38);
  assert_true(isfinite(vector_exp(1000)));
  assert_true(isnan(vector_exp(NAN)));
}

static void norms_agree_with_double_for_odd_widths_and_in_place(void **state) {
  (void)state;
  enum { ROWS = 5, WIDTH = 37 };
  float x[ROWS * WIDTH], y[ROWS * WIDTH], w[WIDTH], b[WIDTH];
  fill(x, ROWS * WIDTH, 2, 9);
  fill(w, WIDTH, -1, 1);
  fill(b, WIDTH, -1, 1);
  for (int form = 0; form < 3; form++) {
    enum norm_kind kind = form == 0 ? NORM_RMS : NORM_LAYER;
    const float *bias = form == 2 ? b : NULL;
    memcpy(y, x, sizeof y);
    norm_rows(kind, 0.05F, w, bias, y, y, ROWS, WIDTH);
    for (int r = 0; r < ROWS; r++) {
      double mean = 0, squares = 0;
      for (int i = 0; i < WIDTH; i++) {
        mean += (double)x[r * WIDTH + i] / WIDTH;
      }
      mean = kind == NORM_RMS ? 0 : mean;
      for (int i = 0; i < WIDTH; i++) {
        squares += pow((double)x[r * WIDTH + i] - mean, 2) / WIDTH;
      }
      for (int i = 0; i < WIDTH; i++) {
        double want = (x[r * WIDTH + i] - mean) / sqrt(squares + 0.05) * w[i];
        assert_close(y[r * WIDTH + i], want + (bias ? bias[i] : 0.0), 2e-6);
      }
    }
  }
}

static double exact_activation(enum activation kind, double x) {
  switch (kind) {
  case ACTIVATION_SILU:
    return x / (1 + exp(-x));
  case ACTIVATION_RELU:
    return fmax(x, 0);
  case ACTIVATION_GELU:
    return x * 0.5 * erfc(-x / sqrt(2.0));
  case ACTIVATION_GELU_TANH:
    return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }
  return NAN;
}

static void activations_agree_with_double_also_when_gated(void **state) {
  (void)state;
  enum { COUNT = 10007 };
  static float x[COUNT], y[COUNT], factor[COUNT];
  fill(x, COUNT, -12, 12);
  fill(factor, COUNT, -2, 2);
  x[0] = -500;
  x[1] = 500;
  for (int kind = ACTIVATION_SILU; kind <= ACTIVATION_GELU_TANH; kind++) {
    for (int gated = 0; gated < 2; gated++) {
      memcpy(y, x, sizeof y);
      activation_apply((enum activation)kind, PRECISION_FLOAT32, y, gated ? factor : NULL, COUNT);
      for (int i = 0; i < COUNT; i++) {
        double want = exact_activation((enum activation)kind, x[i]) * (gated ? factor[i] : 1.0);
        assert_close(y[i], want, 2e-6 * fmax(1, fabs(want)));
      }
    }
  }
}

static void rotary_pairs_turn_by_position_and_other_dimensions_pass(void **state) {
  (void)state;
  enum { ROWS = 4, HEADS = 3, DIM = 10 };
  const int32_t at[ROWS] = {0, 1, 17, 999};
  struct model_config c = {.rope_dims = 6, .rope_theta = 500};
  float x[ROWS * HEADS * DIM], y[ROWS * HEADS * DIM];
  struct rope rope = {0};
  struct error err;
  fill(x, ROWS * HEADS * DIM, -1, 1);
  assert_ok(rope_reserve(&rope, &c, ROPE_USUAL, 20, &err));
  assert_ok(rope_reserve(&rope, &c, ROPE_USUAL, 1000, &err));
  for (int kind = POSITION_ROPE_HALF; kind <= POSITION_ROPE_INTERLEAVED; kind++) {
    memcpy(y, x, sizeof y);
    rope_apply(&rope, (enum position_kind)kind, at, ROWS, y, HEADS, DIM);
    for (int i = 0; i < ROWS * HEADS; i++) {
      const float *from = x + (size_t)i * DIM, *to = y + (size_t)i * DIM;
      int position = at[i / HEADS];
      for (int p = 0; p < 3; p++) {
        int a = kind == POSITION_ROPE_HALF ? p : 2 * p,
            b = kind == POSITION_ROPE_HALF ? p + 3 : a + 1;
        double angle = position / pow(500, 2.0 * p / 6);
        assert_close(to[a], from[a] * cos(angle) - from[b] * sin(angle), 3e-7);
        assert_close(to[b], from[a] * sin(angle) + from[b] * cos(angle), 3e-7);
      }
      assert_memory_equal(to + 6, from + 6, 4 * sizeof *to);
    }
  }
  rope_free(&rope);
}

static void rotary_scaling_follows_its_published_bands(void **state) {
  (void)state;
  struct model_config c = {.rope_dims = 64,
                           .rope_theta = 500000,
                           .rope_scaling = ROPE_LLAMA3,
                           .rope_factor = 8,
                           .rope_low = 1,
                           .rope_high = 4,
                           .rope_original = 8192};
  double got[32];
  int kept = 0, divided = 0, between = 0;
  rope_frequencies(&c, ROPE_USUAL, got);
  for (int i = 0; i < 32; i++) {
    double plain = 1 / pow(500000, i / 32.0), turns = 8192 * plain / (2 * M_PI);
    if (turns > 4) {
      kept++;
      assert_close(got[i], plain, 1e-12);
    } else if (turns < 1) {
      divided++;
      assert_close(got[i], plain / 8, 1e-12);
    } else {
      between++;
      double t = (turns - 1) / 3;
      assert_close(got[i], plain * t + plain / 8 * (1 - t), 1e-12);
    }
  }
  assert_true(kept > 0 && divided > 0 && between > 0);
  c.rope_scaling = ROPE_LINEAR;
  rope_frequencies(&c, ROPE_USUAL, got);
  assert_close(got[0], 1.0 / 8, 1e-15);
}

static void slopes_of_alibi_are_the_published_ones(void **state) {
  (void)state;
  float eight[8], twelve[12];
  attention_slopes(8, eight);
  attention_slopes(12, twelve);
  for (int h = 0; h < 8; h++) {
    assert_true(eight[h] == exp2f((float)-(h + 1)) && twelve[h] == eight[h]);
  }
  for (int h = 0; h < 4; h++) { /* every second slope of sixteen heads */
    assert_close(twelve[8 + h], exp2(-0.5 * (2 * h + 1)), 1e-7);
  }
}

enum { KEYS_MAX = 400, DIM = 12 };

/* One query row of one head, in double: rows of k and v in the order of the sequence. */
static void exact_attention(const struct attention *a, const float *q, const int32_t *rows,
                            int keys, int head, const float *k, const float *v, double *out) {
  double scores[KEYS_MAX], max = -INFINITY, sum = 0;
  int shared = head / (a->heads / a->kv_heads);
  for (int j = 0; j < keys; j++) {
    scores[j] = 0;
    for (int i = 0; i < DIM; i++) {
      scores[j] += (double)q[i] * (double)k[(rows[j] * a->kv_heads + shared) * DIM + i];
    }
    scores[j] = scores[j] * a->scale + (a->slopes ? a->slopes[head] : 0.0) * j;
    max = fmax(max, scores[j]);
  }
  for (int j = 0; j < keys; j++) {
    scores[j] = exp(scores[j] - max);
    sum += scores[j];
  }
  for (int i = 0; i < DIM; i++) {
    out[i] = 0;
    for (int j = 0; j < keys; j++) {
      out[i] += scores[j] / sum * (double)v[(rows[j] * a->kv_heads + shared) * DIM + i];
    }
  }
}

/* Random numbers that the precision holds exactly, as operands and as float. */
struct values {
  void *operands;
  float *floats;
};

static struct values make_values(enum precision precision, size_t count, float low, float high) {
  struct values v = {malloc(count * sizeof(float)), malloc(count * sizeof(float))};
  assert_true(v.operands && v.floats);
  fill(v.floats, (int)count, low, high);
  operand_narrow(precision, v.floats, count, v.operands);
  operand_widen(precision, v.operands, count, v.floats);
  return v;
}

static void free_values(struct values v) {
  free(v.operands);
  free(v.floats);
}

/* got [tokens][heads][DIM] for every query of the batch. */
static void compare_attention(const struct attention *a, const struct batch *batch, const float *q,
                              const float *k, const float *v, const float *got, double tolerance) {
  for (int32_t s = 0; s < batch->count; s++) {
    const struct span *span = batch->spans + s;
    int32_t rows[KEYS_MAX];
    int seen = 0;
    for (int32_t j = 0; j < span->prefix_length; j++) {
      rows[seen++] = span->prefix_first + j;
    }
    for (int32_t i = 0; i < span->length; i++) {
      rows[seen++] = span->first + i;
      for (int h = 0; h < a->heads; h++) {
        double want[DIM];
        size_t at = ((size_t)(span->first + i) * (size_t)a->heads + (size_t)h) * DIM;
        exact_attention(a, q + at, rows, seen, h, k, v, want);
        for (int d = 0; d < DIM; d++) {
          assert_close(got[at + (size_t)d], want[d], tolerance);
        }
      }
    }
  }
}

static void check_attention(struct attention *a, const struct batch *batch, double tolerance) {
  struct error err;
  struct attention_kernels kernels = {0};
  size_t queries = (size_t)batch->tokens * (size_t)a->heads * DIM;
  size_t keys = (size_t)batch->tokens * (size_t)a->kv_heads * DIM;
  struct values q = make_values(a->precision, queries, -2, 2);
  struct values k = make_values(a->precision, keys, -2, 2);
  struct values v = make_values(a->precision, keys, -1, 1);
  float *scratch = malloc(3 * attention_scratch(batch, DIM, a->precision) * sizeof *scratch);
  float *one = malloc(queries * sizeof *one), *got = malloc(queries * sizeof *got);
  struct attention_tile tiles[64];
  assert_true(attention_tiles(batch, NULL) <= 64);
  size_t count = attention_tiles(batch, tiles);
  assert_true(scratch && one && got);
  assert_ok(attention_kernels_create(&kernels, a->precision, &err));
  a->kernels = &kernels;
  for (int threads = 1; threads <= 3; threads++) {
    linalg_set_threads(threads);
    operand_narrow(a->precision, q.floats, queries, q.operands);
    assert_ok(
        attention_apply(a, batch, tiles, count, q.operands, k.operands, v.operands, scratch, &err));
    operand_widen(a->precision, q.operands, queries, threads == 1 ? one : got);
    assert_true(threads == 1 || memcmp(one, got, queries * sizeof *one) == 0);
  }
  compare_attention(a, batch, q.floats, k.floats, v.floats, got, tolerance);
  attention_kernels_free(&kernels);
  free_values(q);
  free_values(k);
  free_values(v);
  free(scratch);
  free(one);
  free(got);
}

static void attention_is_causal_grouped_and_continues_a_prefix(void **state) {
  (void)state;
  const struct span spans[] = {{0, 1, 0, 0},     {1, 130, 0, 0},  {131, 3, 1, 130},
                               {134, 70, 1, 65}, {204, 64, 0, 0}, {268, 1, 204, 64}};
  struct batch batch = {NULL, 269, spans, 6};
  float slopes[4];
  attention_slopes(4, slopes);
  for (int kv = 1; kv <= 4; kv *= 2) {
    for (int p = 0; p < PRECISION_COUNT; p++) {
      /* In bfloat16 the softmax's terms and the result are rounded to 8 bits. */
      double tolerance = p == PRECISION_BFLOAT16 ? 8e-3 : 3e-6;
      struct attention a = {
          .precision = p, .heads = 4, .kv_heads = kv, .head_dim = DIM, .scale = 0.4F};
      check_attention(&a, &batch, tolerance);
      a.slopes = slopes;
      check_attention(&a, &batch, tolerance);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_exponential_is_good_to_two_units_in_the_last_place),
      cmocka_unit_test(norms_agree_with_double_for_odd_widths_and_in_place),
      cmocka_unit_test(activations_agree_with_double_also_when_gated),
      cmocka_unit_test(rotary_pairs_turn_by_position_and_other_dimensions_pass),
      cmocka_unit_test(rotary_scaling_follows_its_published_bands),
      cmocka_unit_test(slopes_of_alibi_are_the_published_ones),
      cmocka_unit_test(attention_is_causal_grouped_and_continues_a_prefix),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
