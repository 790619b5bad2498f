/* The journal: what was appended is there after any cut, and nothing else is. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rng.h"
#include "store/journal.h"

enum { MOST = 64 };

struct seen {
  size_t count, sizes[MOST];
  unsigned char *records[MOST];
};

static status note(void *user, const unsigned char *record, size_t size, struct error *err) {
  (void)err;
  struct seen *s = user;
  assert_true(s->count < MOST);
  s->sizes[s->count] = size;
  s->records[s->count] = malloc(size + 1);
  memcpy(s->records[s->count++], record, size);
  return STATUS_OK;
}

static void forget(struct seen *s) {
  for (size_t i = 0; i < s->count; i++) {
    free(s->records[i]);
  }
  *s = (struct seen){0};
}

/* Record i: i * 7 + 1 bytes that depend on i; the first is empty. */
static size_t make_record(size_t i, unsigned char *out) {
  size_t n = i ? i * 7 + 1 : 0;
  for (size_t k = 0; k < n; k++) {
    out[k] = (unsigned char)(i * 31 + k);
  }
  return n;
}

static void assert_first_records(const struct seen *s, size_t count) {
  assert_int_equal(s->count, count);
  for (size_t i = 0; i < count; i++) {
    unsigned char wanted[MOST * 7 + 1];
    size_t n = make_record(i, wanted);
    assert_int_equal(s->sizes[i], n);
    assert_memory_equal(s->records[i], wanted, n);
  }
}

static char folder[] = "/tmp/espalier_journal_XXXXXX";
static char path[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.journal", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  return rmdir(folder);
}

static void append_records(struct journal *j, size_t from, size_t to) {
  struct error err = {0};
  for (size_t i = from; i < to; i++) {
    unsigned char record[MOST * 7 + 1];
    size_t n = make_record(i, record);
    assert_ok(journal_append(j, record, n, &err));
  }
}

/* A journal of count records. */
static void make_journal(size_t count) {
  struct error err = {0};
  (void)unlink(path);
  struct journal *j;
  assert_ok(journal_open(&j, path, NULL, NULL, NULL, &err));
  append_records(j, 0, count);
  journal_close(j);
}

static void write_bytes(const char *from, size_t size) {
  struct error err = {0};
  assert_ok(file_write(path, from, size, &err));
}

static void records_come_back_in_order(void **state) {
  (void)state;
  struct error err = {0};
  make_journal(9);
  struct seen s = {0};
  size_t dropped = 1;
  struct journal *j;
  assert_ok(journal_open(&j, path, note, &s, &dropped, &err));
  assert_first_records(&s, 9);
  assert_int_equal(dropped, 0);
  append_records(j, 9, 12);
  journal_close(j);
  forget(&s);
  assert_ok(journal_read(path, note, &s, &err));
  assert_first_records(&s, 12);
  forget(&s);
}

static size_t size_of_file(void) {
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  return (size_t)st.st_size;
}

static void a_cut_at_any_byte_loses_only_what_was_cut(void **state) {
  (void)state;
  struct error err = {0};
  enum { RECORDS = 6 };
  size_t ends[RECORDS + 1]; /* length of the file with the first i records */
  (void)unlink(path);
  struct journal *j;
  assert_ok(journal_open(&j, path, NULL, NULL, NULL, &err));
  for (size_t i = 0; i <= RECORDS; i++) {
    ends[i] = size_of_file();
    if (i < RECORDS) {
      append_records(j, i, i + 1);
    }
  }
  journal_close(j);
  char *bytes;
  size_t size;
  assert_ok(file_read(&bytes, &size, path, &err));
  assert_int_equal(size, ends[RECORDS]);
  for (size_t cut = ends[RECORDS - 3]; cut <= size; cut++) {
    write_bytes(bytes, cut);
    size_t good = RECORDS - 3;
    while (good < RECORDS && ends[good + 1] <= cut) {
      good++;
    }
    struct seen s = {0};
    size_t dropped;
    assert_ok(journal_open(&j, path, note, &s, &dropped, &err));
    assert_first_records(&s, good);
    assert_int_equal(dropped, cut - ends[good]);
    forget(&s);
    append_records(j, good, good + 2);
    journal_close(j);
    assert_ok(journal_read(path, note, &s, &err));
    assert_first_records(&s, good + 2);
    forget(&s);
  }
  free(bytes);
}

static void a_cut_inside_the_header_is_an_empty_journal(void **state) {
  (void)state;
  struct error err = {0};
  make_journal(1);
  char *bytes;
  size_t size;
  assert_ok(file_read(&bytes, &size, path, &err));
  for (size_t cut = 0; cut <= 60 && cut < size; cut++) {
    write_bytes(bytes, cut);
    struct seen s = {0};
    struct journal *j;
    assert_ok(journal_open(&j, path, note, &s, NULL, &err));
    assert_int_equal(s.count, 0);
    append_records(j, 0, 3);
    journal_close(j);
    assert_ok(journal_read(path, note, &s, &err));
    assert_first_records(&s, 3);
    forget(&s);
  }
  free(bytes);
}

static void a_flipped_bit_ends_the_journal_before_its_record(void **state) {
  (void)state;
  struct error err = {0};
  make_journal(8);
  char *bytes;
  size_t size;
  assert_ok(file_read(&bytes, &size, path, &err));
  for (size_t i = 16; i < size; i++) {
    bytes[i] = (char)(bytes[i] ^ (1 << i % 8));
    write_bytes(bytes, size);
    bytes[i] = (char)(bytes[i] ^ (1 << i % 8));
    struct seen s = {0};
    assert_ok(journal_read(path, note, &s, &err));
    assert_true(s.count < 8);
    size_t count = s.count;
    assert_first_records(&s, count);
    forget(&s);
  }
  free(bytes);
}

static void a_tail_of_zeros_is_dropped(void **state) {
  (void)state;
  struct error err = {0};
  make_journal(3);
  size_t size = size_of_file();
  assert_int_equal(truncate(path, (off_t)size + 4096), 0);
  struct seen s = {0};
  size_t dropped;
  struct journal *j;
  assert_ok(journal_open(&j, path, note, &s, &dropped, &err));
  journal_close(j);
  assert_first_records(&s, 3);
  assert_int_equal(dropped, 4096);
  forget(&s);
}

static void a_second_writer_is_refused_by_pid_and_host(void **state) {
  (void)state;
  struct error err = {0};
  make_journal(2);
  struct journal *j, *second;
  assert_ok(journal_open(&j, path, NULL, NULL, NULL, &err));
  char wanted[64];
  (void)snprintf(wanted, sizeof wanted, "being written by another run (pid %ld on host ",
                 (long)getpid());
  assert_fails(journal_open(&second, path, NULL, NULL, NULL, &err), STATUS_INPUT, wanted);
  struct journal_facts facts;
  assert_ok(journal_scan(path, NULL, NULL, &facts, &err));
  assert_true(facts.held);
  assert_int_equal(facts.pid, getpid());
  assert_int_equal(facts.records, 2);
  append_records(j, 2, 3);
  journal_close(j);
  assert_ok(journal_scan(path, NULL, NULL, &facts, &err));
  assert_false(facts.held);
  assert_int_equal(facts.records, 3);
  assert_true(facts.last >= facts.opened && facts.opened > 1.5e9);
}

static void a_killed_writer_leaves_no_lock_and_loses_nothing(void **state) {
  (void)state;
  struct error err = {0};
  (void)unlink(path);
  int ready[2];
  assert_int_equal(pipe(ready), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct journal *j;
    unsigned char record[MOST * 7 + 1];
    if (journal_open(&j, path, NULL, NULL, NULL, &err) != STATUS_OK) {
      _exit(1);
    }
    for (size_t i = 0; i < 4; i++) {
      size_t n = make_record(i, record);
      if (journal_append(j, record, n, &err) != STATUS_OK) {
        _exit(1);
      }
    }
    (void)!write(ready[1], "x", 1);
    pause();
    _exit(1);
  }
  char byte;
  assert_int_equal(read(ready[0], &byte, 1), 1);
  struct journal *j;
  assert_fails(journal_open(&j, path, NULL, NULL, NULL, &err), STATUS_INPUT, "another run");
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(waitpid(child, NULL, 0), child);
  struct seen s = {0};
  assert_ok(journal_open(&j, path, note, &s, NULL, &err));
  assert_first_records(&s, 4);
  forget(&s);
  journal_close(j);
  (void)close(ready[0]);
  (void)close(ready[1]);
}

static void what_is_no_journal_is_refused_and_left_alone(void **state) {
  (void)state;
  struct error err = {0};
  const char text[] = "variant,dataset,value\n1,2,3\n";
  write_bytes(text, sizeof text - 1);
  struct journal *j;
  assert_fails(journal_open(&j, path, NULL, NULL, NULL, &err), STATUS_INPUT, "not a journal");
  assert_fails(journal_read(path, note, NULL, &err), STATUS_INPUT, "not a journal");
  char *bytes;
  size_t size;
  assert_ok(file_read(&bytes, &size, path, &err));
  assert_int_equal(size, sizeof text - 1);
  assert_memory_equal(bytes, text, size);
  free(bytes);
  write_bytes("x", 1);
  assert_fails(journal_open(&j, path, NULL, NULL, NULL, &err), STATUS_INPUT, "not a journal");
  make_journal(1);
  assert_ok(file_read(&bytes, &size, path, &err));
  bytes[8] = 9;
  write_bytes(bytes, size);
  free(bytes);
  assert_fails(journal_open(&j, path, NULL, NULL, NULL, &err), STATUS_INPUT, "another version");
  assert_fails(journal_open(&j, folder, NULL, NULL, NULL, &err), STATUS_IO, folder);
  assert_fails(journal_read("/nowhere/x.journal", NULL, NULL, &err), STATUS_IO, "/nowhere");
}

static status stop(void *user, const unsigned char *record, size_t size, struct error *err) {
  (void)user;
  (void)record;
  return err_set(err, STATUS_INPUT, "a record of %zu bytes of another run", size);
}

static void a_caller_that_refuses_a_record_leaves_the_file_as_it_was(void **state) {
  (void)state;
  struct error err = {0};
  make_journal(2);
  size_t size = size_of_file();
  assert_int_equal(truncate(path, (off_t)size - 3), 0);
  struct journal *j;
  assert_fails(journal_open(&j, path, stop, NULL, NULL, &err), STATUS_INPUT, "of another run");
  assert_int_equal(size_of_file(), size - 3);
}

static void a_full_disk_leaves_the_last_good_length(void **state) {
  (void)state;
  struct error err = {0};
  (void)unlink(path);
  struct journal *j;
  assert_ok(journal_open(&j, path, NULL, NULL, NULL, &err));
  append_records(j, 0, 3);
  size_t size = size_of_file();
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small = old;
  small.rlim_cur = size + 10;
  (void)signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  unsigned char record[500] = {1};
  status st = journal_append(j, record, sizeof record, &err);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  (void)signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(st, STATUS_IO);
  assert_non_null(strstr(err.text, "x.journal"));
  assert_int_equal(size_of_file(), size);
  append_records(j, 3, 5);
  journal_close(j);
  struct seen s = {0};
  assert_ok(journal_read(path, note, &s, &err));
  assert_first_records(&s, 5);
  forget(&s);
}

static void the_journal_of_a_results_file_lies_beside_it(void **state) {
  (void)state;
  struct error err = {0};
  static const char *const pairs[][2] = {{"results/demo.h5", "results/demo.journal"},
                                         {"x", "x.journal"}};
  for (size_t i = 0; i < 2; i++) {
    char *got;
    assert_ok(journal_path(&got, pairs[i][0], &err));
    assert_string_equal(got, pairs[i][1]);
    free(got);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(records_come_back_in_order),
      cmocka_unit_test(a_cut_at_any_byte_loses_only_what_was_cut),
      cmocka_unit_test(a_cut_inside_the_header_is_an_empty_journal),
      cmocka_unit_test(a_flipped_bit_ends_the_journal_before_its_record),
      cmocka_unit_test(a_tail_of_zeros_is_dropped),
      cmocka_unit_test(a_second_writer_is_refused_by_pid_and_host),
      cmocka_unit_test(a_killed_writer_leaves_no_lock_and_loses_nothing),
      cmocka_unit_test(what_is_no_journal_is_refused_and_left_alone),
      cmocka_unit_test(a_caller_that_refuses_a_record_leaves_the_file_as_it_was),
      cmocka_unit_test(a_full_disk_leaves_the_last_good_length),
      cmocka_unit_test(the_journal_of_a_results_file_lies_beside_it),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
