/* Element types: every half and every bfloat16 survives the way to float32 and back, and rounding
 * is to nearest even. */
#include <math.h>

#include "model/dtype.h"
#include "support.h"

enum { HALVES = 65536 };

static float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static void round_trip(enum dtype type) {
  static uint16_t in[HALVES], out[HALVES];
  static float values[HALVES];
  for (int i = 0; i < HALVES; i++) {
    in[i] = (uint16_t)i;
  }
  dtype_decode(type, in, HALVES, values);
  dtype_encode(type, values, HALVES, out);
  assert_memory_equal(in, out, sizeof in);
}

static void test_every_half_round_trips(void **state) {
  (void)state;
  round_trip(DTYPE_F16);
}

static void test_every_bfloat16_round_trips(void **state) {
  (void)state;
  round_trip(DTYPE_BF16);
}

/* What the bits mean by IEEE 754: sign, 5 bits of exponent, 10 bits of fraction. */
static void test_halves_have_their_ieee_values(void **state) {
  (void)state;
  for (int i = 0; i < HALVES; i++) {
    uint16_t h = (uint16_t)i;
    int exponent = i >> 10 & 31, fraction = i & 1023;
    float x;
    dtype_decode(DTYPE_F16, &h, 1, &x);
    if (exponent == 31) {
      assert_true(fraction ? isnan(x) : isinf(x));
      continue;
    }
    double body = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    assert_true((double)x == (i >> 15 ? -body : body));
    assert_int_equal(signbit(x) != 0, i >> 15);
  }
}

static uint16_t encode(enum dtype type, float x) {
  uint16_t h;
  dtype_encode(type, &x, 1, &h);
  return h;
}

/* Between two neighbours: below the middle, the middle, above it. */
static void test_halves_round_to_nearest_even(void **state) {
  (void)state;
  for (int i = 0; i + 1 < 0x7c00; i++) {
    uint16_t pair[2] = {(uint16_t)i, (uint16_t)(i + 1)};
    float x[2];
    dtype_decode(DTYPE_F16, pair, 2, x);
    float middle = (x[0] + x[1]) / 2;
    int even = i % 2 ? i + 1 : i;
    assert_int_equal(encode(DTYPE_F16, middle), even);
    assert_int_equal(encode(DTYPE_F16, nextafterf(middle, 0)), i);
    assert_int_equal(encode(DTYPE_F16, nextafterf(middle, INFINITY)), i + 1);
    assert_int_equal(encode(DTYPE_F16, -middle), 0x8000 | even);
  }
}

static void test_bfloat16_rounds_to_nearest_even(void **state) {
  (void)state;
  for (uint32_t i = 0; i < 0x7f80; i++) {
    uint32_t middle = i << 16 | 0x8000;
    assert_int_equal(encode(DTYPE_BF16, float_of(middle)), i % 2 ? i + 1 : i);
    assert_int_equal(encode(DTYPE_BF16, float_of(middle - 1)), i);
    assert_int_equal(encode(DTYPE_BF16, float_of(middle + 1)), i + 1);
    assert_int_equal(encode(DTYPE_BF16, float_of(middle | 0x80000000u)),
                     0x8000 | (i % 2 ? i + 1 : i));
  }
}

static void test_overflow_becomes_infinite(void **state) {
  (void)state;
  assert_int_equal(encode(DTYPE_F16, 65504), 0x7bff);
  assert_int_equal(encode(DTYPE_F16, 65519.99f), 0x7bff);
  assert_int_equal(encode(DTYPE_F16, 65520), 0x7c00);
  assert_int_equal(encode(DTYPE_F16, -1e30f), 0xfc00);
  assert_int_equal(encode(DTYPE_F16, INFINITY), 0x7c00);
  assert_int_equal(encode(DTYPE_BF16, 3.4028235e38f), 0x7f80);
  assert_true((encode(DTYPE_F16, float_of(0x7f800001)) & 0x3ff) != 0);
  assert_true((encode(DTYPE_BF16, float_of(0x7f800001)) & 0x7f) != 0);
}

static void test_elements_may_stand_at_any_address(void **state) {
  (void)state;
  unsigned char bytes[64];
  float in[9], out[9];
  for (int i = 0; i < 9; i++) {
    in[i] = (float)(i - 4) * 0.5f;
  }
  for (enum dtype type = DTYPE_F32; type <= DTYPE_BF16; type++) {
    for (size_t shift = 0; shift < 8; shift++) {
      dtype_encode(type, in, 9, bytes + shift);
      dtype_decode(type, bytes + shift, 9, out);
      assert_memory_equal(in, out, sizeof in);
    }
  }
}

static void test_first_nonfinite_is_found_wherever_it_stands(void **state) {
  (void)state;
  float values[100] = {0};
  values[3] = 3.4028235e38f;
  values[4] = float_of(1);
  assert_int_equal(dtype_first_nonfinite(values, 100), 100);
  assert_int_equal(dtype_first_nonfinite(values, 0), 0);
  for (size_t i = 100; i-- > 0;) {
    values[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
    assert_int_equal(dtype_first_nonfinite(values, 100), i);
  }
}

static void test_names_of_the_format_are_known(void **state) {
  (void)state;
  assert_int_equal(dtype_named("BF16"), DTYPE_BF16);
  assert_int_equal(dtype_bits(dtype_named("F64")), 64);
  assert_int_equal(dtype_bits(dtype_named("BOOL")), 8);
  assert_int_equal(dtype_named("f32"), DTYPE_COUNT);
  assert_string_equal(dtype_name(DTYPE_F8_E4M3), "F8_E4M3");
  assert_false(dtype_is_weight(DTYPE_F64));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_half_round_trips),
      cmocka_unit_test(test_every_bfloat16_round_trips),
      cmocka_unit_test(test_halves_have_their_ieee_values),
      cmocka_unit_test(test_halves_round_to_nearest_even),
      cmocka_unit_test(test_bfloat16_rounds_to_nearest_even),
      cmocka_unit_test(test_overflow_becomes_infinite),
      cmocka_unit_test(test_elements_may_stand_at_any_address),
      cmocka_unit_test(test_first_nonfinite_is_found_wherever_it_stands),
      cmocka_unit_test(test_names_of_the_format_are_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
