/* Memory that is not malloc's, and how it is had in common. */
#include "support.h"

#include <string.h>
#include <unistd.h>

#include "base/mapping.h"

enum { BYTES = 100000 };

static void what_one_writes_the_other_reads(void **state) {
  (void)state;
  struct error err;
  struct mapping a, b;
  struct mapping_ticket ticket;
  assert_ok(mapping_share(&a, &ticket, BYTES, "numbers", &err));
  assert_ok(mapping_join(&b, &ticket, "numbers", &err)); /* as another process would */
  assert_ptr_not_equal(a.at, b.at);
  assert_int_equal(close(ticket.file), 0);
  char *to = a.at;
  const char *from = b.at;
  assert_int_equal(from[BYTES - 1], 0);
  to[BYTES - 1] = 7;
  assert_int_equal(from[BYTES - 1], 7);
  mapping_close(&a);
  assert_int_equal(from[BYTES - 1], 7);
  mapping_close(&b);
}

static void another_file_is_not_taken_for_it(void **state) {
  (void)state;
  struct error err;
  struct mapping a, b = {0};
  struct mapping_ticket ticket, other;
  assert_ok(mapping_share(&a, &ticket, BYTES, "numbers", &err));
  other = ticket;
  other.inode++;
  assert_fails(mapping_join(&b, &other, "numbers", &err), STATUS_IO, "not the shared numbers");
  other = ticket;
  other.bytes *= 2; /* reading behind its end would be a signal */
  assert_fails(mapping_join(&b, &other, "numbers", &err), STATUS_IO, "not the shared numbers");
  other = ticket;
  other.process = 0x7fffffff;
  assert_fails(mapping_join(&b, &other, "numbers", &err), STATUS_IO, "/proc/2147483647/fd/");
  assert_null(b.at);
  assert_int_equal(close(ticket.file), 0);
  mapping_close(&a);
}

static void what_cannot_be_had_is_refused(void **state) {
  (void)state;
  struct error err;
  struct mapping m = {0};
  struct mapping_ticket ticket;
  size_t exbibyte = (size_t)1 << 60;
  assert_fails(mapping_open(&m, exbibyte, NULL, "numbers", &err), STATUS_MEMORY, "numbers");
  assert_fails(mapping_share(&m, &ticket, exbibyte, "numbers", &err), STATUS_MEMORY, "numbers");
  assert_fails(mapping_open(&m, BYTES, "/nowhere", "numbers", &err), STATUS_IO, "/nowhere");
  assert_null(m.at);
}

static void dropped_pages_are_zero_again(void **state) {
  (void)state;
  struct error err;
  struct mapping m;
  assert_ok(mapping_open(&m, BYTES, NULL, "numbers", &err));
  memset(m.at, 1, BYTES);
  mapping_drop_behind(&m, BYTES / 2);
  assert_int_equal(((char *)m.at)[BYTES / 2 - 1], 1);
  assert_int_equal(((char *)m.at)[BYTES - 1], 0);
  mapping_drop(&m);
  assert_int_equal(((char *)m.at)[0], 0);
  mapping_close(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_one_writes_the_other_reads),
      cmocka_unit_test(another_file_is_not_taken_for_it),
      cmocka_unit_test(what_cannot_be_had_is_refused),
      cmocka_unit_test(dropped_pages_are_zero_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
