/* Messages come out as they went in, and nothing else is taken for one. */
#include "support.h"

#include "sched/message.h"

static struct error err;

static void round_trip(const struct message *in, struct message *out) {
  unsigned char *bytes;
  size_t size;
  assert_ok(message_encode(in, &bytes, &size, &err));
  assert_ok(message_decode(out, bytes, size, &err));
  assert_int_equal(out->kind, in->kind);
  assert_int_equal(out->task, in->task);
  assert_int_equal(out->instance, in->instance);
  assert_int_equal(out->cell, in->cell);
  for (size_t cut = 0; cut < size; cut++) {
    /* a copy of its own, so that reading past the end is seen */
    unsigned char *part = malloc(cut ? cut : 1);
    memcpy(part, bytes, cut);
    struct message m;
    assert_fails(message_decode(&m, part, cut, &err), STATUS_INPUT, "");
    free(part);
  }
  unsigned char *more = malloc(size + 1);
  memcpy(more, bytes, size);
  more[size] = 0;
  struct message m;
  assert_fails(message_decode(&m, more, size + 1, &err), STATUS_INPUT, "too many");
  free(more);
  free(bytes);
}

static void a_lease_keeps_its_cells(void **state) {
  (void)state;
  struct lease_cell cells[2] = {{.cell = 0, .dataset = 3, .id = "abc", .data_digest = "def"},
                                {.cell = 4, .dataset = 1, .id = "0123", .data_digest = ""}};
  struct message in = {.kind = MESSAGE_LEASE,
                       .task = 7,
                       .instance = INT64_C(1) << 40,
                       .variant = 12,
                       .variant_id = "feed",
                       .prune_known = true,
                       .cell_count = 2,
                       .cells = cells};
  struct message out;
  round_trip(&in, &out);
  assert_int_equal(out.variant, 12);
  assert_string_equal(out.variant_id, "feed");
  assert_true(out.prune_known);
  assert_int_equal(out.cell_count, 2);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(out.cells[i].cell, cells[i].cell);
    assert_int_equal(out.cells[i].dataset, cells[i].dataset);
    assert_string_equal(out.cells[i].id, cells[i].id);
    assert_string_equal(out.cells[i].data_digest, cells[i].data_digest);
  }
  message_free(&out);
}

static void a_result_keeps_its_record(void **state) {
  (void)state;
  unsigned char record[5] = {0, 255, 3, 0, 9};
  struct message in = {.kind = MESSAGE_RESULT,
                       .task = 1,
                       .instance = 2,
                       .cell = -1,
                       .record = record,
                       .record_size = sizeof record};
  struct message out;
  round_trip(&in, &out);
  assert_int_equal(out.record_size, sizeof record);
  assert_memory_equal(out.record, record, sizeof record);
  message_free(&out);
}

static void the_small_ones_keep_their_fields(void **state) {
  (void)state;
  struct message out;
  struct message bye = {.kind = MESSAGE_BYE, .text = "why"};
  round_trip(&bye, &out);
  assert_string_equal(out.text, "why");
  message_free(&out);
  struct message end = {.kind = MESSAGE_END, .all_alive = true, .outcome = 8};
  round_trip(&end, &out);
  assert_true(out.all_alive);
  assert_int_equal(out.outcome, 8);
  message_free(&out);
  for (int kind = MESSAGE_READY; kind <= MESSAGE_PING; kind++) {
    struct message m = {.kind = (enum message_kind)kind, .task = 3, .instance = 4, .cell = 5};
    round_trip(&m, &out);
    message_free(&out);
  }
}

static void an_unknown_kind_is_refused(void **state) {
  (void)state;
  unsigned char bytes[17] = {99};
  struct message m;
  assert_fails(message_decode(&m, bytes, sizeof bytes, &err), STATUS_INPUT, "unknown kind 99");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_lease_keeps_its_cells),
      cmocka_unit_test(a_result_keeps_its_record),
      cmocka_unit_test(the_small_ones_keep_their_fields),
      cmocka_unit_test(an_unknown_kind_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
