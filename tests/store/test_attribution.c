/* Attributions: records come back as they were, and a results file holds them for this program and
 * for h5py. */
#include "support.h"

#include "store/attribution_fixture.h"

struct bytes {
  unsigned char *at;
  size_t size;
};

static struct bytes base_bytes(const struct attribution_base *r) {
  struct error err = {0};
  struct bytes b;
  assert_ok(record_encode_attribution_base(r, &b.at, &b.size, &err));
  return b;
}

static struct bytes loss_bytes(const struct attribution_loss *r) {
  struct error err = {0};
  struct bytes b;
  assert_ok(record_encode_attribution_loss(r, &b.at, &b.size, &err));
  return b;
}

/* Encoding what was decoded gives the same bytes: nothing is lost, NaNs included. */
static void a_base_comes_back_bit_for_bit(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = base_bytes(&made_base);
  struct attribution_base r;
  assert_ok(record_decode_attribution_base(&r, b.at, b.size, &err));
  assert_string_equal(r.words[1].text, "größe");
  assert_true(r.words[0].occurrences == 7 && isnan(r.words[1].low));
  assert_string_equal(r.units[0].lens, "worse\nbad\nnot");
  assert_true(r.matches[2].word == 1 && r.matches[2].unit == 1 && r.matches[2].score == 3.5);
  assert_true(r.apart[0].kind == APART_MASSIVE && r.apart[1].mean == 4.5);
  assert_true(r.causal[0].gold_low == -2 && r.causal[2].set == 2);
  assert_string_equal(r.examples[0].text, made_passage);
  assert_memory_equal(r.examples[0].starts, made_starts, sizeof made_starts);
  assert_memory_equal(r.examples[0].activation, made_colours, sizeof made_colours);
  assert_memory_equal(r.dead, made_dead, sizeof made_dead);
  assert_true(r.blocks == 2 && r.units_per_block == 8 && r.background == 8192);
  struct bytes again = base_bytes(&r);
  assert_int_equal(again.size, b.size);
  assert_memory_equal(again.at, b.at, b.size);
  free(again.at);
  attribution_base_free(&r);
  free(b.at);
}

static void a_loss_comes_back_bit_for_bit(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = loss_bytes(&made_loss);
  struct attribution_loss r;
  assert_ok(record_decode_attribution_loss(&r, b.at, b.size, &err));
  assert_true(r.loss == 0.5625 && r.restored_low == 0.25 && r.layer_error == 0.0625);
  assert_memory_equal(r.word_loss, made_word_loss, sizeof made_word_loss);
  assert_memory_equal(r.activation, made_activation, sizeof made_activation);
  assert_true(isnan(r.block_loss[0]) && r.block_loss[1] == 0.5 && r.dead[0] == 2);
  assert_true(r.example_count == 2 && r.examples[0].tokens == 5 && r.examples[1].tokens == 1);
  assert_memory_equal(r.examples[0].activation, made_trace, sizeof made_trace);
  struct bytes again = loss_bytes(&r);
  assert_int_equal(again.size, b.size);
  assert_memory_equal(again.at, b.at, b.size);
  free(again.at);
  attribution_loss_free(&r);
  free(b.at);
}

static void failures_come_back_with_nothing_else(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = loss_bytes(&made_failure);
  struct attribution_loss r;
  assert_ok(record_decode_attribution_loss(&r, b.at, b.size, &err));
  assert_true(r.failed && r.word_count == 0 && r.example_count == 0 && isnan(r.loss));
  assert_string_equal(r.error, made_failure.error);
  attribution_loss_free(&r);
  free(b.at);
  struct attribution_base failed = {.failed = true, .error = "no word", .blocks = 30}, back;
  b = base_bytes(&failed);
  assert_ok(record_decode_attribution_base(&back, b.at, b.size, &err));
  assert_true(back.failed && back.blocks == 30 && back.dead == NULL);
  attribution_base_free(&back);
  free(b.at);
}

static void every_truncation_is_refused(void **state) {
  (void)state;
  struct bytes b = base_bytes(&made_base), l = loss_bytes(&made_loss);
  for (size_t n = 0; n < b.size; n++) {
    struct error err = {0};
    struct attribution_base r;
    unsigned char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, b.at, n);
    assert_int_equal(record_decode_attribution_base(&r, exact, n, &err), STATUS_INPUT);
    free(exact);
  }
  for (size_t n = 0; n < l.size; n++) {
    struct error err = {0};
    struct attribution_loss r;
    unsigned char *exact = malloc(n ? n : 1);
    assert_non_null(exact);
    memcpy(exact, l.at, n);
    assert_int_equal(record_decode_attribution_loss(&r, exact, n, &err), STATUS_INPUT);
    free(exact);
  }
  free(b.at);
  free(l.at);
}

/* Writes made_base with one thing wrong into a record: where the right bytes stand, wrong ones are
 * put, since encoding refuses them too. */
static void check_patched(const void *right, const void *wrong, size_t size, const char *part) {
  struct bytes b = base_bytes(&made_base);
  size_t found = 0;
  for (size_t i = 0; i + size <= b.size; i++) {
    if (memcmp(b.at + i, right, size) == 0) {
      memcpy(b.at + i, wrong, size);
      found++;
    }
  }
  assert_int_equal(found, 1);
  struct error err = {0};
  struct attribution_base r;
  assert_fails(record_decode_attribution_base(&r, b.at, b.size, &err), STATUS_INPUT, part);
  free(b.at);
}

static void indices_that_point_nowhere_are_refused(void **state) {
  (void)state;
  double score = 3.5; /* the third match: word, unit, score */
  unsigned char right[16] = {1, 0, 0, 0, 1, 0, 0, 0}, wrong[16];
  memcpy(right + 8, &score, 8);
  memcpy(wrong, right, sizeof right);
  wrong[0] = 3;
  check_patched(right, wrong, sizeof right, "a match of word 3 with unit 1");
  wrong[0] = 1;
  wrong[7] = 0x80;
  check_patched(right, wrong, sizeof right, "a match of word 1");
  static const int32_t text_behind[6] = {0, 2, 7, 13, 15, 999}, back[6] = {0, 2, 7, 5, 15, 27};
  check_patched(made_starts, text_behind, sizeof made_starts, "an example's tokens");
  check_patched(made_starts, back, sizeof made_starts, "an example's tokens");
  struct error err = {0};
  unsigned char *at;
  size_t size;
  struct attribution_base r = made_base;
  r.word_count = 2;
  assert_fails(record_encode_attribution_base(&r, &at, &size, &err), STATUS_BUG, "a match of word");
  r = made_base;
  r.units_per_block = 5;
  assert_fails(record_encode_attribution_base(&r, &at, &size, &err), STATUS_BUG,
               "unit 5 of block 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_base_comes_back_bit_for_bit),
      cmocka_unit_test(a_loss_comes_back_bit_for_bit),
      cmocka_unit_test(failures_come_back_with_nothing_else),
      cmocka_unit_test(every_truncation_is_refused),
      cmocka_unit_test(indices_that_point_nowhere_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
