/* `espalier status`: counts, reasons and time left, from the results file and its journal. */
#include "cli/capture.h"
#include "cli/cli.h"
#include "cli/results_fixture.h"
#include "cli/status_gather.h"
#include "store/journal.h"

static char folder[] = "/tmp/espalier_status_XXXXXX";
static char results[64], journal[64], printed[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(results, sizeof results, "%s/x.h5", folder);
  (void)snprintf(journal, sizeof journal, "%s/x.journal", folder);
  (void)snprintf(printed, sizeof printed, "%s/out", folder);
  return 0;
}

static int clean(void **state) {
  (void)state;
  (void)unlink(results);
  (void)unlink(journal);
  (void)unlink(printed);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  return rmdir(folder);
}

static void assert_status(char *path, const char *const *parts) {
  struct error err = {0};
  char *argv[] = {(char *)"status", path, NULL}, *got;
  assert_ok(capture(cmd_status, 2, argv, printed, &got, &err));
  for (; *parts; parts++) {
    if (!strstr(got, *parts)) {
      fail_msg("'%s' lacks '%s'", got, *parts);
    }
  }
  free(got);
}

static void write_planned(void) {
  struct error err = {0};
  struct table_fixture t;
  struct results r = table_results(&t);
  static const struct variant_record *const no_variants[TABLE_VARIANTS];
  static const struct cell_record *const no_cells[TABLE_VARIANTS * TABLE_DATASETS];
  r.variant_records = no_variants;
  r.cell_records = no_cells;
  assert_ok(results_write(results, &r, &err));
}

static struct journal *start_journal(void) {
  struct error err = {0};
  struct journal *j;
  assert_ok(journal_open(&j, journal, NULL, NULL, NULL, &err));
  const char *identity = "the run";
  assert_ok(journal_append(j, (const unsigned char *)identity, strlen(identity), &err));
  return j;
}

static void append_cell(struct journal *j, const char *variant, const char *dataset,
                        const char *error) {
  struct error err = {0};
  struct cell_record r = {.failed = error};
  (void)snprintf(r.variant, sizeof r.variant, "%s", variant);
  (void)snprintf(r.dataset, sizeof r.dataset, "%s", dataset);
  (void)snprintf(r.error, sizeof r.error, "%s", error ? error : "");
  unsigned char *bytes;
  size_t size;
  assert_ok(record_encode_cell(&r, &bytes, &size, &err));
  assert_ok(journal_append(j, bytes, size, &err));
  free(bytes);
}

static void append_failed_variant(struct journal *j, const char *id, const char *error) {
  struct error err = {0};
  struct variant_record r = {.failed = true};
  (void)snprintf(r.id, sizeof r.id, "%s", id);
  (void)snprintf(r.error, sizeof r.error, "%s", error);
  unsigned char *bytes;
  size_t size;
  assert_ok(record_encode_variant(&r, &bytes, &size, &err));
  assert_ok(journal_append(j, bytes, size, &err));
  free(bytes);
}

static void a_finished_file_alone_is_counted(void **state) {
  (void)state;
  struct error err = {0};
  struct table_fixture t;
  struct results r = table_results(&t);
  assert_ok(results_write(results, &r, &err));
  assert_status(results,
                (const char *const[]){"x.h5: stopped; ", "cells  25 of 28 done, 1 failed, 2 left\n",
                                      "failed 1: kjv.jsonl: No such file\n",
                                      "    nano wanda 0.5 sst2 draw 0 on k|v_€\n", NULL});
}

static void the_journal_is_newer_than_the_file(void **state) {
  (void)state;
  write_planned();
  struct journal *j = start_journal();
  append_cell(j, "v0", "topic", NULL);
  append_cell(j, "v0", "k|v_€", "out of memory");
  append_cell(j, "v1", "topic", "out of memory");
  append_cell(j, "v1", "topic", NULL); /* tried again */
  append_cell(j, "v0", "topic", "too late to matter");
  append_failed_variant(j, "v2", "c4 has no text");
  append_cell(j, "of an older grid", "topic", NULL);
  journal_close(j);
  static const char pruning[] = "failed 2: c4 has no text\n"
                                "    nano wanda 0.5 c4 draw 0 on topic\n"
                                "    nano wanda 0.5 c4 draw 0 on k|v_€\n";
  static const char *const parts[] = {
      "x.h5: stopped since ", "cells  2 of 28 done, 3 failed, 23 left\n",
      "failed 1: out of memory\n    nano dense 0 on k|v_€\n", pruning, NULL};
  assert_status(results, parts);
  assert_status(journal, parts);
}

static void a_live_run_is_named_with_the_time_it_still_needs(void **state) {
  (void)state;
  write_planned();
  struct journal *j = start_journal();
  append_cell(j, "v0", "topic", NULL);
  char wanted[64];
  (void)snprintf(wanted, sizeof wanted, "x.h5: running (pid %ld on host ", (long)getpid());
  assert_status(results, (const char *const[]){wanted, "1 of 28 done, 0 failed, 27 left, about ",
                                               " to go\n", NULL});
  journal_close(j);
}

static void time_left_goes_by_the_pace_of_the_run_that_is_alive(void **state) {
  (void)state;
  double times[] = {10, 20, 110, 120}; /* two of an earlier run */
  struct run_status s = {.planned = true,
                         .pending = 6,
                         .facts = {.held = true, .opened = 100},
                         .times = times,
                         .time_count = 4};
  assert_true(status_time_left(&s, 130) == 90);
  s.facts.held = false;
  assert_true(status_time_left(&s, 130) < 0);
  s.facts.held = true;
  s.facts.opened = 125;
  assert_true(status_time_left(&s, 130) < 0);
}

static void a_damaged_file_beside_a_good_journal_is_said_and_counted(void **state) {
  (void)state;
  struct error err = {0};
  assert_ok(file_write(results, "damage", 6, &err));
  struct journal *j = start_journal();
  append_cell(j, "v0", "topic", NULL);
  append_cell(j, "v1", "topic", "gone");
  journal_close(j);
  assert_status(results, (const char *const[]){"x.h5: not an HDF5 file: counted from the journal",
                                               "cells  1 done, 1 failed (how many are left",
                                               "failed 1: gone\n    variant v1 on topic\n", NULL});
}

static void bad_input_is_one_line(void **state) {
  (void)state;
  struct error err = {0};
  char *argv[] = {(char *)"status", results, NULL};
  assert_fails(cmd_status(2, argv, &err), STATUS_IO, "x.h5: No such file");
  assert_fails(cmd_status(1, argv, &err), STATUS_INPUT, "a results file is missing");
  assert_ok(file_write(results, "damage", 6, &err));
  assert_fails(cmd_status(2, argv, &err), STATUS_INPUT, "x.h5: not an HDF5 file");
  write_planned();
  assert_ok(file_write(journal, "damage", 6, &err));
  assert_fails(cmd_status(2, argv, &err), STATUS_INPUT, "x.journal: not a journal");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_finished_file_alone_is_counted, clean),
      cmocka_unit_test_teardown(the_journal_is_newer_than_the_file, clean),
      cmocka_unit_test_teardown(a_live_run_is_named_with_the_time_it_still_needs, clean),
      cmocka_unit_test_teardown(time_left_goes_by_the_pace_of_the_run_that_is_alive, clean),
      cmocka_unit_test_teardown(a_damaged_file_beside_a_good_journal_is_said_and_counted, clean),
      cmocka_unit_test_teardown(bad_input_is_one_line, clean),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
