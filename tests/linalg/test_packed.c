#include "linalg/packed.h"

#include "linalg/matmul.h"
#include "linalg/operand.h"
#include "products.h"
#include "support.h"

static const int sizes[][3] = {
    {1, 1, 1},    {1, 300, 17}, {3, 5, 7},      {3, 520, 1000},  {16, 16, 16}, {17, 257, 769},
    {255, 2, 33}, {64, 1, 127}, {300, 300, 50}, {290, 580, 800}, {1, 64, 64},  {515, 31, 1537},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Random numbers that the precision holds exactly, as operands and as float. */
struct values {
  void *operands;
  float *floats;
};

static struct values make_values(enum precision precision, size_t count, uint32_t seed) {
  struct values v = {malloc(count * sizeof(float)), random_matrix(count, seed)};
  assert_non_null(v.operands);
  operand_narrow(precision, v.floats, count, v.operands);
  operand_widen(precision, v.operands, count, v.floats);
  return v;
}

static void free_values(struct values v) {
  free(v.operands);
  free(v.floats);
}

static struct packed *make_packed(enum precision precision, int n, int k, const float *w) {
  struct error err;
  struct packed *p;
  assert_ok(packed_create(&p, n, k, precision, &err));
  packed_fill(p, w);
  return p;
}

static void check(enum precision precision, int m, int n, int k) {
  struct error err;
  int ldy = n + 5;
  struct values x = make_values(precision, (size_t)m * k, 1);
  struct values w = make_values(precision, (size_t)n * k, 2);
  float *bias = random_matrix((size_t)n, 3), *before = random_matrix((size_t)m * ldy, 4);
  struct packed *p = make_packed(precision, n, k, w.floats);
  float *first = NULL;
  for (int form = 0; form < 8; form++) {
    bool with_bias = form & 1, add = form & 2;
    linalg_set_threads(form & 4 ? 2 : 1);
    float *y = random_matrix((size_t)m * ldy, 4);
    struct product product = {.x = x.operands,
                              .m = m,
                              .bias = with_bias ? bias : NULL,
                              .output = add ? PRODUCT_ADD : PRODUCT_SET,
                              .y = y,
                              .ldy = ldy};
    assert_ok(packed_multiply(p, &product, &err));
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < ldy; j++) {
        double old = before[(size_t)i * ldy + j], want = old;
        if (j < n) { /* the gap between rows is nobody's */
          want = exact_product(false, true, i, j, k, x.floats, k, w.floats, k) +
                 (with_bias ? bias[j] : 0.0) + (add ? old : 0.0);
        }
        assert_true(fabs(y[(size_t)i * ldy + j] - want) <= product_tolerance(k));
      }
    }
    if (form == 3) {
      first = y;
    } else {
      assert_true(form != 7 || memcmp(first, y, (size_t)m * ldy * sizeof *y) == 0);
      free(y);
    }
  }
  free(first);
  packed_free(p);
  free_values(x);
  free_values(w);
  free(bias);
  free(before);
}

static void weights_give_the_product_with_bias_and_sum(void **state) {
  (void)state;
  for (size_t s = 0; s < SIZES; s++) {
    for (int p = 0; p < PRECISION_COUNT; p++) {
      check((enum precision)p, sizes[s][0], sizes[s][1], sizes[s][2]);
    }
  }
}

/* So that ranks may split the rows of a product as they like. */
static void bits_of_a_row_do_not_depend_on_its_neighbours(void **state) {
  (void)state;
  struct error err;
  static const int inner[] = {16, 100, 576, 1000, 2048}, widths[] = {1, 64, 300, 576};
  static const int parts[] = {1, 2, 7, 16, 33, 100, 288, 289};
  linalg_set_threads(2);
  enum { M = 300 };
  for (size_t s = 0; s < 40; s++) {
    enum precision precision = s < 20 ? PRECISION_FLOAT32 : PRECISION_BFLOAT16;
    int k = inner[s % 5], n = widths[s / 5 % 4];
    struct values x = make_values(precision, (size_t)M * k, 8);
    float *w = random_matrix((size_t)n * k, 9);
    float *whole = random_matrix((size_t)M * n, 1), *split = random_matrix((size_t)M * n, 2);
    struct packed *p = make_packed(precision, n, k, w);
    struct product all = {.x = x.operands, .m = M, .output = PRODUCT_SET, .y = whole, .ldy = n};
    assert_ok(packed_multiply(p, &all, &err));
    for (size_t q = 0; q < sizeof parts / sizeof *parts; q++) {
      for (int i = 0; i < M; i += parts[q]) {
        struct product part = all;
        part.x = operand_from(precision, x.operands, (size_t)i * k);
        part.m = M - i < parts[q] ? M - i : parts[q];
        part.y = split + (size_t)i * n;
        assert_ok(packed_multiply(p, &part, &err));
      }
      if (memcmp(whole, split, (size_t)M * n * sizeof *split) != 0) {
        fail_msg("%s: %d x %d x %d in parts of %d rows", precision_name(precision), M, n, k,
                 parts[q]);
      }
    }
    packed_free(p);
    free_values(x);
    free(w);
    free(whole);
    free(split);
  }
}

struct seen {
  float *at; /* [m][n] */
  int n;
};

static void take_and_double(const void *user, int row, int rows, int col, int cols, float *tile) {
  const struct seen *seen = user;
  assert_true(col % PRODUCT_TILE == 0 && rows <= PRODUCT_TILE && cols <= PRODUCT_TILE);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < cols; j++) {
      seen->at[(size_t)(row + i) * seen->n + (size_t)(col + j)] += tile[i * cols + j];
      tile[i * cols + j] *= 2;
    }
  }
}

static void every_number_is_finished_once_and_then_narrowed(void **state) {
  (void)state;
  struct error err;
  enum { M = 300, N = 577, K = 40 };
  linalg_set_threads(2);
  for (int p = 0; p < PRECISION_COUNT; p++) {
    enum precision precision = (enum precision)p;
    struct values x = make_values(precision, (size_t)M * K, 1);
    float *w = random_matrix((size_t)N * K, 2), *plain = random_matrix((size_t)M * N, 3);
    struct seen seen = {calloc((size_t)M * N, sizeof(float)), N};
    float *wide = malloc((size_t)M * N * sizeof *wide);
    void *narrow = malloc((size_t)M * N * operand_bytes(precision));
    assert_true(seen.at && wide && narrow);
    struct packed *packed = make_packed(precision, N, K, w);
    struct product product = {.x = x.operands, .m = M, .output = PRODUCT_SET, .y = plain, .ldy = N};
    assert_ok(packed_multiply(packed, &product, &err));
    product.output = PRODUCT_NARROW;
    product.y = narrow;
    product.finish = take_and_double;
    product.user = &seen;
    assert_ok(packed_multiply(packed, &product, &err));
    assert_memory_equal(plain, seen.at, (size_t)M * N * sizeof *plain);
    operand_widen(precision, narrow, (size_t)M * N, wide);
    double tolerance = precision == PRECISION_BFLOAT16 ? 1.0 / 256 : 0;
    for (size_t i = 0; i < (size_t)M * N; i++) {
      assert_true(fabs(wide[i] - 2.0 * plain[i]) <= tolerance * fabs(2.0 * plain[i]));
    }
    packed_free(packed);
    free_values(x);
    free(w);
    free(plain);
    free(seen.at);
    free(wide);
    free(narrow);
  }
}

static void bfloat16_rounds_to_nearest_even_and_keeps_what_is_not_a_number(void **state) {
  (void)state;
  assert_int_equal(bfloat16_round(1.0F), 0x3f80);
  assert_int_equal(bfloat16_round(1.00390625F), 0x3f80); /* a tie, to even */
  assert_int_equal(bfloat16_round(1.01171875F), 0x3f82); /* a tie, to even */
  assert_int_equal(bfloat16_round(1.00390637F), 0x3f81); /* above the tie */
  assert_int_equal(bfloat16_round(-2.5F), 0xc020);
  assert_int_equal(bfloat16_round(INFINITY), 0x7f80);
  assert_int_equal(bfloat16_round(3.4e38F), 0x7f80); /* beyond the largest */
  uint32_t bits = 0x7fffffff;
  float nan;
  memcpy(&nan, &bits, sizeof nan);
  assert_true(isnan(bfloat16_value(bfloat16_round(nan))));
  assert_true(isnan(bfloat16_value(bfloat16_round(-NAN))));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weights_give_the_product_with_bias_and_sum),
      cmocka_unit_test(bits_of_a_row_do_not_depend_on_its_neighbours),
      cmocka_unit_test(every_number_is_finished_once_and_then_narrowed),
      cmocka_unit_test(bfloat16_rounds_to_nearest_even_and_keeps_what_is_not_a_number),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
