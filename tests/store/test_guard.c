/* A journal under a run: damaged at random, deleted, replaced, written by somebody else. */
#include "support.h"

#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "store/journal.h"

enum { RECORDS = 12, RECORD = 40, FLIPS = 1000, HEAD = 16 };

/* In memory where there is such a folder: a thousand damaged journals are synced record by record.
 */
static char folder[64];
static char inner[80], path[96];

static int set_up(void **state) {
  (void)state;
  bool memory = access("/dev/shm", W_OK) == 0;
  (void)snprintf(folder, sizeof folder, "%s/espalier_guard_XXXXXX", memory ? "/dev/shm" : "/tmp");
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(inner, sizeof inner, "%s/results", folder);
  (void)snprintf(path, sizeof path, "%s/x.journal", inner);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  (void)rmdir(inner);
  return rmdir(folder);
}

static void make_record(size_t i, unsigned char out[RECORD]) {
  for (size_t k = 0; k < RECORD; k++) {
    out[k] = (unsigned char)(i * 37 + k);
  }
}

static struct journal *open_journal(void) {
  struct error err = {0};
  struct journal *j;
  assert_ok(file_make_dirs(inner, &err));
  (void)unlink(path);
  assert_ok(journal_open(&j, path, NULL, NULL, NULL, &err));
  return j;
}

static void append(struct journal *j, size_t from, size_t to) {
  struct error err = {0};
  for (size_t i = from; i < to; i++) {
    unsigned char record[RECORD];
    make_record(i, record);
    assert_ok(journal_append(j, record, RECORD, &err));
  }
}

/* Counts records, each of which must be the one of its number. */
static status count(void *user, const unsigned char *record, size_t size, struct error *err) {
  (void)err;
  size_t *n = user;
  unsigned char wanted[RECORD];
  make_record((*n)++, wanted);
  assert_int_equal(size, RECORD);
  assert_memory_equal(record, wanted, RECORD);
  return STATUS_OK;
}

static size_t size_of_file(void) {
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  return (size_t)st.st_size;
}

static size_t records_there(void) {
  struct error err = {0};
  size_t n = 0;
  assert_ok(journal_read(path, count, &n, &err));
  return n;
}

/* The damaged journal is opened, keeps the records before the damage, and takes the others again.
 */
static void resume_damaged(const char *bytes, size_t size, size_t good) {
  struct error err = {0};
  assert_ok(file_write(path, bytes, size, &err));
  size_t n = 0, dropped;
  struct journal *j;
  assert_ok(journal_open(&j, path, count, &n, &dropped, &err));
  assert_int_equal(n, good);
  assert_true(dropped > 0);
  append(j, n, RECORDS);
  journal_close(j);
  assert_int_equal(records_there(), RECORDS);
}

static void a_thousand_random_bits_cost_what_stands_behind_them_and_no_more(void **state) {
  (void)state;
  struct error err = {0};
  size_t ends[RECORDS + 1];
  struct journal *j = open_journal();
  for (size_t i = 0; i <= RECORDS; i++) {
    ends[i] = size_of_file();
    append(j, i, i < RECORDS ? i + 1 : i);
  }
  journal_close(j);
  char *bytes;
  size_t size;
  assert_ok(file_read(&bytes, &size, path, &err));
  struct rng r;
  rng_seed(&r, 7);
  for (int i = 0; i < FLIPS; i++) {
    size_t bit = HEAD * 8 + rng_below(&r, (size - HEAD) * 8), good = 0;
    while (good < RECORDS && ends[good + 1] <= bit / 8) {
      good++;
    }
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
    resume_damaged(bytes, size, good);
    bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
  }
  free(bytes);
}

static void a_deleted_journal_is_put_back_with_the_record_that_noticed(void **state) {
  (void)state;
  struct error err = {0};
  struct journal *j = open_journal();
  append(j, 0, 5);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(inner), 0);
  unsigned char record[RECORD];
  make_record(5, record);
  assert_fails(journal_append(j, record, RECORD, &err), STATUS_IO, "was deleted while a run wrote");
  assert_non_null(strstr(err.text, "it is there again"));
  journal_close(j);
  assert_int_equal(records_there(), 6);
}

static void a_deleted_journal_is_noticed_without_an_append(void **state) {
  (void)state;
  struct error err = {0};
  struct journal *j = open_journal();
  append(j, 0, 3);
  assert_ok(journal_check(j, &err));
  assert_int_equal(unlink(path), 0);
  assert_fails(journal_check(j, &err), STATUS_IO, path);
  journal_close(j);
  assert_int_equal(records_there(), 3);
}

static void a_folder_that_cannot_be_made_again_is_said(void **state) {
  (void)state;
  struct error err = {0};
  struct journal *j = open_journal();
  append(j, 0, 1);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(rmdir(inner), 0);
  assert_ok(file_write(inner, "x", 1, &err)); /* a file in the folder's place */
  assert_fails(journal_check(j, &err), STATUS_IO, "x.journal");
  journal_close(j);
  assert_int_equal(unlink(inner), 0);
}

static void a_replaced_journal_is_refused_and_left_alone(void **state) {
  (void)state;
  struct error err = {0};
  struct journal *j = open_journal();
  append(j, 0, 3);
  assert_ok(file_write(path, "other", 5, &err));
  unsigned char record[RECORD] = {0};
  assert_fails(journal_append(j, record, RECORD, &err), STATUS_IO, "was replaced by another file");
  journal_close(j);
  assert_int_equal(size_of_file(), 5);
}

/* As a second run writes to it where the lock does not reach: another client of a file system that
 * locks only locally. */
static void a_second_writer_that_no_lock_held_back_is_noticed(void **state) {
  (void)state;
  struct error err = {0};
  struct journal *j = open_journal();
  append(j, 0, 3);
  size_t size = size_of_file();
  int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, "theirs", 6), 6);
  assert_int_equal(close(fd), 0);
  unsigned char record[RECORD] = {0};
  assert_fails(journal_append(j, record, RECORD, &err), STATUS_IO, "changed by somebody else");
  journal_close(j);
  assert_int_equal(size_of_file(), size + 6); /* what the other wrote is untouched */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_thousand_random_bits_cost_what_stands_behind_them_and_no_more),
      cmocka_unit_test(a_deleted_journal_is_put_back_with_the_record_that_noticed),
      cmocka_unit_test(a_deleted_journal_is_noticed_without_an_append),
      cmocka_unit_test(a_folder_that_cannot_be_made_again_is_said),
      cmocka_unit_test(a_replaced_journal_is_refused_and_left_alone),
      cmocka_unit_test(a_second_writer_that_no_lock_held_back_is_noticed),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
