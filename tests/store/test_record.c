/* Records: what is encoded comes back, and nothing else is taken for one. */
#include "support.h"

#include <math.h>

#include "base/rng.h"
#include "store/attribution_fixture.h"
#include "store/distances.h"
#include "store/mask_record.h"
#include "store/record.h"

static struct layer_row layers[3] = {
    {0, "self_attn.q_proj", 0.5, 0.0123, NAN, 0.25},
    {0, "mlp.down_proj", 0.5, 0.5, 0.01, 1e-9},
    {29, "fc1", 0.75, INFINITY, 0.1, 0},
};
static const struct variant_record variant = {
    .id = "0123456789abcdef0123456789abcdef",
    .failed = true,
    .error = "c4.jsonl:17: not JSON – expected an object",
    .achieved_sparsity = 0.5000001,
    .seconds = 12.5,
    .ranks = 4,
    .layer_count = 3,
    .layers = layers,
};

static struct metric_row metrics[2] = {{"acc", 0.47, 0.01, 100}, {"acc_norm", 0.5, NAN, 100}};
static float loglikelihoods[6] = {-1.5F, -2.25F, NAN, -0.0F, -1e30F, -3};
static int32_t gold[3] = {1, 0, -1};
static int8_t correct[3] = {1, 0, -1}, correct_norm[3] = {0, 0, 1};
static const struct cell_record cell = {
    .variant = "0123456789abcdef0123456789abcdef",
    .dataset = "arc_easy",
    .id = "ffffffffffffffffffffffffffffffff",
    .seconds = 3.25,
    .metric_count = 2,
    .metrics = metrics,
    .items = 3,
    .choices = 2,
    .loglikelihoods = loglikelihoods,
    .gold = gold,
    .correct = correct,
    .correct_norm = correct_norm,
};

static const unsigned char bits[6] = {0xff, 0x01, 0x00, 0x01, 0xa5, 0x00}, stream[4] = {1, 2, 3, 4};
static struct mask_bits tensors[2] = {
    {.name = "model.layers.3.fc1.weight", .rows = 3, .cols = 9, .size = 6, .bytes = bits},
    {.name = "model.layers.3.fc2.weight",
     .rows = 64,
     .cols = 8,
     .deflated = true,
     .size = 4,
     .bytes = stream},
};
static const struct mask_record masks = {.variant = "0123456789abcdef0123456789abcdef",
                                         .part = 1,
                                         .parts = 3,
                                         .count = 2,
                                         .tensors = tensors};

static const struct distance_record distance = {.id = "ffffffffffffffffffffffffffffffff",
                                                .model = "nano-llama",
                                                .calibration = "c4",
                                                .draw = 4,
                                                .samples = 128,
                                                .length = 2048,
                                                .dataset = "arc_easy",
                                                .kind = "ngram",
                                                .sequences = 64,
                                                .value = 0.62};

struct bytes {
  unsigned char *at;
  size_t size;
};

static struct bytes encoded(enum record_kind kind) {
  struct error err = {0};
  struct bytes b;
  switch (kind) {
  case RECORD_VARIANT:
    assert_ok(record_encode_variant(&variant, &b.at, &b.size, &err));
    break;
  case RECORD_CELL:
    assert_ok(record_encode_cell(&cell, &b.at, &b.size, &err));
    break;
  case RECORD_MASKS:
    assert_ok(record_encode_masks(&masks, &b.at, &b.size, &err));
    break;
  case RECORD_DISTANCE:
    assert_ok(record_encode_distance(&distance, &b.at, &b.size, &err));
    break;
  case RECORD_ATTRIBUTION_BASE:
    assert_ok(record_encode_attribution_base(&made_base, &b.at, &b.size, &err));
    break;
  case RECORD_ATTRIBUTION_LOSS:
    assert_ok(record_encode_attribution_loss(&made_loss, &b.at, &b.size, &err));
    break;
  }
  return b;
}

static status decode(enum record_kind kind, const unsigned char *from, size_t size,
                     struct error *err) {
  status st = STATUS_BUG;
  switch (kind) {
  case RECORD_VARIANT: {
    struct variant_record r = {0};
    st = record_decode_variant(&r, from, size, err);
    variant_record_free(&r);
    break;
  }
  case RECORD_CELL: {
    struct cell_record r = {0};
    st = record_decode_cell(&r, from, size, err);
    cell_record_free(&r);
    break;
  }
  case RECORD_MASKS: {
    struct mask_record r = {0};
    st = record_decode_masks(&r, from, size, err);
    for (size_t i = 0; i < r.count; i++) { /* all that it claims lies inside */
      const struct mask_bits *t = &r.tensors[i];
      assert_true(t->bytes >= from && t->bytes + t->size <= from + size);
      assert_true(t->deflated || t->size == mask_bytes(t->rows, t->cols));
    }
    mask_record_free(&r);
    break;
  }
  case RECORD_DISTANCE: {
    struct distance_record r;
    st = record_decode_distance(&r, from, size, err);
    break;
  }
  case RECORD_ATTRIBUTION_BASE: {
    struct attribution_base r;
    st = record_decode_attribution_base(&r, from, size, err);
    attribution_base_free(&r);
    break;
  }
  case RECORD_ATTRIBUTION_LOSS: {
    struct attribution_loss r;
    st = record_decode_attribution_loss(&r, from, size, err);
    attribution_loss_free(&r);
    break;
  }
  }
  return st;
}

/* Decodes bytes that may be anything, from a block of exactly their size so that a sanitizer sees a
 * read behind it. Returns whether they were taken. */
static bool taken(enum record_kind kind, const unsigned char *from, size_t size) {
  struct error err = {0};
  unsigned char *exact = malloc(size ? size : 1);
  assert_non_null(exact);
  memcpy(exact, from, size);
  status st = decode(kind, exact, size, &err);
  free(exact);
  assert_true(st == STATUS_OK || st == STATUS_INPUT);
  assert_true(st == STATUS_OK || err.text[0]);
  return st == STATUS_OK;
}

static void a_variant_comes_back_bit_for_bit(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = encoded(RECORD_VARIANT);
  assert_int_equal(record_kind(b.at, b.size), RECORD_VARIANT);
  struct variant_record r = {0};
  assert_ok(record_decode_variant(&r, b.at, b.size, &err));
  assert_string_equal(r.id, variant.id);
  assert_true(r.failed);
  assert_string_equal(r.error, variant.error);
  assert_true(r.achieved_sparsity == variant.achieved_sparsity && r.seconds == variant.seconds);
  assert_int_equal(r.ranks, 4);
  assert_int_equal(r.layer_count, 3);
  for (int i = 0; i < 3; i++) {
    assert_int_equal(r.layers[i].block, layers[i].block);
    assert_string_equal(r.layers[i].linear, layers[i].linear);
    assert_memory_equal(&r.layers[i].sparsity, &layers[i].sparsity, 4 * sizeof(double));
  }
  variant_record_free(&r);
  free(b.at);
}

static void a_cell_comes_back_bit_for_bit(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = encoded(RECORD_CELL);
  assert_int_equal(record_kind(b.at, b.size), RECORD_CELL);
  struct cell_record r = {0};
  assert_ok(record_decode_cell(&r, b.at, b.size, &err));
  assert_string_equal(r.variant, cell.variant);
  assert_string_equal(r.dataset, cell.dataset);
  assert_string_equal(r.id, cell.id);
  assert_false(r.failed);
  assert_true(r.seconds == cell.seconds);
  assert_int_equal(r.metric_count, 2);
  assert_string_equal(r.metrics[1].name, "acc_norm");
  assert_true(r.metrics[0].value == 0.47 && isnan(r.metrics[1].stderr_));
  assert_int_equal(r.metrics[0].items, 100);
  assert_int_equal(r.items, 3);
  assert_int_equal(r.choices, 2);
  assert_memory_equal(r.loglikelihoods, loglikelihoods, sizeof loglikelihoods);
  assert_memory_equal(r.gold, gold, sizeof gold);
  assert_memory_equal(r.correct, correct, sizeof correct);
  assert_memory_equal(r.correct_norm, correct_norm, sizeof correct_norm);
  cell_record_free(&r);
  free(b.at);
}

static void masks_come_back_bit_for_bit(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = encoded(RECORD_MASKS);
  assert_int_equal(record_kind(b.at, b.size), RECORD_MASKS);
  struct mask_record r = {0};
  assert_ok(record_decode_masks(&r, b.at, b.size, &err));
  assert_string_equal(r.variant, masks.variant);
  assert_true(r.part == 1 && r.parts == 3 && r.count == 2);
  assert_string_equal(r.tensors[0].name, tensors[0].name);
  assert_true(r.tensors[0].rows == 3 && r.tensors[0].cols == 9 && !r.tensors[0].deflated);
  assert_true(r.tensors[0].size == 6 && r.tensors[1].size == 4 && r.tensors[1].deflated);
  assert_memory_equal(r.tensors[0].bytes, bits, 6);
  assert_memory_equal(r.tensors[1].bytes, stream, 4);
  mask_record_free(&r);
  free(b.at);
}

static void masks_of_a_wrong_size_are_not_encoded(void **state) {
  (void)state;
  struct error err = {0};
  struct mask_bits t = {.name = "w", .rows = 3, .cols = 9, .size = 5, .bytes = bits};
  struct mask_record r = {.parts = 1, .count = 1, .tensors = &t};
  struct bytes b;
  assert_fails(record_encode_masks(&r, &b.at, &b.size, &err), STATUS_BUG, "5 bytes of a mask");
  r = (struct mask_record){.part = 3, .parts = 3};
  assert_fails(record_encode_masks(&r, &b.at, &b.size, &err), STATUS_BUG, "part 3 of 3");
}

static void a_distance_comes_back(void **state) {
  (void)state;
  struct error err = {0};
  struct bytes b = encoded(RECORD_DISTANCE);
  assert_int_equal(record_kind(b.at, b.size), RECORD_DISTANCE);
  struct distance_record r;
  assert_ok(record_decode_distance(&r, b.at, b.size, &err));
  assert_string_equal(r.id, distance.id);
  assert_string_equal(r.model, "nano-llama");
  assert_string_equal(r.calibration, "c4");
  assert_string_equal(r.dataset, "arc_easy");
  assert_string_equal(r.kind, "ngram");
  assert_true(r.draw == 4 && r.samples == 128 && r.length == 2048 && r.sequences == 64 &&
              r.value == 0.62);
  free(b.at);
}

static void a_failed_cell_without_items_comes_back(void **state) {
  (void)state;
  struct error err = {0};
  struct cell_record failed = {.dataset = "sst2", .failed = true, .error = "gone", .seconds = NAN};
  struct bytes b;
  assert_ok(record_encode_cell(&failed, &b.at, &b.size, &err));
  struct cell_record r = {0};
  assert_ok(record_decode_cell(&r, b.at, b.size, &err));
  assert_true(r.failed && r.items == 0 && r.metric_count == 0);
  assert_string_equal(r.error, "gone");
  cell_record_free(&r);
  free(b.at);
}

static void the_encoding_is_little_endian_whatever_the_machine(void **state) {
  (void)state;
  struct bytes b = encoded(RECORD_VARIANT);
  /* mark, version, kind, then the id's length */
  static const unsigned char head[] = {'e', 0xf8, 1, 1, 32, 0, 0, 0, '0', '1'};
  assert_memory_equal(b.at, head, sizeof head);
  free(b.at);
}

static void every_truncation_and_any_tail_is_refused(void **state) {
  (void)state;
  for (int kind = RECORD_VARIANT; kind <= RECORD_ATTRIBUTION_LOSS; kind++) {
    struct bytes b = encoded((enum record_kind)kind);
    for (size_t n = 0; n < b.size; n++) {
      assert_false(taken((enum record_kind)kind, b.at, n));
    }
    b.at = realloc(b.at, b.size + 1);
    assert_non_null(b.at);
    b.at[b.size] = 0;
    assert_true(taken((enum record_kind)kind, b.at, b.size));
    assert_false(taken((enum record_kind)kind, b.at, b.size + 1));
    free(b.at);
  }
}

static void one_kind_is_not_decoded_as_the_other(void **state) {
  (void)state;
  for (int kind = RECORD_VARIANT; kind <= RECORD_ATTRIBUTION_LOSS; kind++) {
    struct bytes b = encoded((enum record_kind)kind);
    for (int other = RECORD_VARIANT; other <= RECORD_ATTRIBUTION_LOSS; other++) {
      assert_int_equal(taken((enum record_kind)other, b.at, b.size), other == kind);
    }
    free(b.at);
  }
}

static void flipped_bits_never_crash_and_never_ask_for_much_memory(void **state) {
  (void)state;
  struct rng rng;
  rng_seed(&rng, 7);
  size_t refused = 0;
  for (int i = 0; i < 20000; i++) {
    enum record_kind kind = (enum record_kind)(RECORD_VARIANT + i % RECORD_ATTRIBUTION_LOSS);
    struct bytes b = encoded(kind);
    for (uint64_t flips = 1 + rng_below(&rng, 8); flips > 0; flips--) {
      b.at[rng_below(&rng, b.size)] ^= (unsigned char)(1U << rng_below(&rng, 8));
    }
    refused += !taken(kind, b.at, b.size);
    free(b.at);
  }
  assert_true(refused > 1000);
}

static void counts_beyond_the_bytes_left_are_refused_before_any_allocation(void **state) {
  (void)state;
  /* Every run of eight bytes set to a huge number: whichever of them is a count, an allocation of
   * that size would fail with STATUS_MEMORY, which taken() does not allow. */
  for (int kind = RECORD_VARIANT; kind <= RECORD_ATTRIBUTION_LOSS; kind++) {
    struct bytes b = encoded((enum record_kind)kind);
    for (size_t i = 4; i + 8 <= b.size; i++) {
      unsigned char kept[8];
      memcpy(kept, b.at + i, sizeof kept);
      memset(b.at + i, 0xff, 8);
      (void)taken((enum record_kind)kind, b.at, b.size);
      b.at[i + 7] = 0x0f;
      (void)taken((enum record_kind)kind, b.at, b.size);
      memcpy(b.at + i, kept, sizeof kept);
    }
    free(b.at);
  }
}

static void text_is_no_record(void **state) {
  (void)state;
  const char *text = "experiment: demo";
  assert_int_equal(record_kind((const unsigned char *)text, strlen(text)), 0);
  assert_int_equal(record_kind(NULL, 0), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_variant_comes_back_bit_for_bit),
      cmocka_unit_test(a_cell_comes_back_bit_for_bit),
      cmocka_unit_test(masks_come_back_bit_for_bit),
      cmocka_unit_test(masks_of_a_wrong_size_are_not_encoded),
      cmocka_unit_test(a_distance_comes_back),
      cmocka_unit_test(a_failed_cell_without_items_comes_back),
      cmocka_unit_test(the_encoding_is_little_endian_whatever_the_machine),
      cmocka_unit_test(every_truncation_and_any_tail_is_refused),
      cmocka_unit_test(one_kind_is_not_decoded_as_the_other),
      cmocka_unit_test(flipped_bits_never_crash_and_never_ask_for_much_memory),
      cmocka_unit_test(counts_beyond_the_bytes_left_are_refused_before_any_allocation),
      cmocka_unit_test(text_is_no_record),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
