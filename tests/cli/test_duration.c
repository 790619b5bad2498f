/* Where a run learns when its allocation ends. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

#include "cli/duration.h"

static char folder[64];

/* A squeue that answers with a line, in front of every other. */
static void fake_squeue_of(const char *job, const char *answer) {
  char path[128], value[256];
  (void)snprintf(path, sizeof path, "%s/squeue", folder);
  FILE *f = fopen(path, "w");
  assert_non_null(f);
  (void)fprintf(f, "#!/bin/sh\n[ \"$*\" = '-h -j %s -o %%L' ] && echo '%s'\n", job, answer);
  (void)fclose(f);
  assert_int_equal(chmod(path, 0700), 0);
  (void)snprintf(value, sizeof value, "%s:/usr/bin:/bin", folder);
  (void)setenv("PATH", value, 1);
}

static void fake_squeue(const char *answer) {
  fake_squeue_of("77", answer);
}

static int clean(void **state) {
  (void)state;
  (void)unsetenv("SLURM_JOB_END_TIME");
  (void)unsetenv("SLURM_JOB_ID");
  (void)unsetenv("SLURM_ARRAY_JOB_ID");
  (void)unsetenv("SLURM_ARRAY_TASK_ID");
  return 0;
}

static void outside_slurm_there_is_no_end(void **state) {
  (void)state;
  fake_squeue("1:00");
  assert_true(duration_allocation_left() == 0);
}

static void the_end_that_slurm_names_counts_first(void **state) {
  (void)state;
  char end[32];
  fake_squeue("10:00");
  (void)setenv("SLURM_JOB_ID", "77", 1);
  (void)snprintf(end, sizeof end, "%lld", (long long)time(NULL) + 100);
  (void)setenv("SLURM_JOB_END_TIME", end, 1);
  double left = duration_allocation_left();
  assert_true(left > 97 && left <= 100);
  (void)snprintf(end, sizeof end, "%lld", (long long)time(NULL) - 100);
  (void)setenv("SLURM_JOB_END_TIME", end, 1);
  assert_true(duration_allocation_left() == 1); /* over: not the same as no limit */
}

static void older_slurms_are_asked_with_squeue(void **state) {
  (void)state;
  (void)setenv("SLURM_JOB_ID", "77", 1);
  fake_squeue("0:42");
  assert_true(duration_allocation_left() == 42);
  fake_squeue("1-02:03:04");
  assert_true(duration_allocation_left() == 86400 + 2 * 3600 + 3 * 60 + 4);
  fake_squeue("UNLIMITED");
  assert_true(duration_allocation_left() == 0);
  fake_squeue("INVALID");
  assert_true(duration_allocation_left() == 0);
}

static void an_array_task_asks_for_itself(void **state) {
  (void)state;
  (void)setenv("SLURM_JOB_ID", "77", 1);
  (void)setenv("SLURM_ARRAY_JOB_ID", "77", 1);
  (void)setenv("SLURM_ARRAY_TASK_ID", "16", 1);
  fake_squeue_of("77_16", "1:05");
  assert_true(duration_allocation_left() == 65);
}

static void a_job_id_that_is_none_reaches_no_shell(void **state) {
  (void)state;
  fake_squeue("1:00");
  (void)setenv("SLURM_JOB_ID", "77; echo 5:00", 1);
  assert_true(duration_allocation_left() == 0);
}

int main(void) {
  (void)snprintf(folder, sizeof folder, "/tmp/espalier-duration-XXXXXX");
  if (!mkdtemp(folder)) {
    return 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(outside_slurm_there_is_no_end, clean),
      cmocka_unit_test_teardown(the_end_that_slurm_names_counts_first, clean),
      cmocka_unit_test_teardown(older_slurms_are_asked_with_squeue, clean),
      cmocka_unit_test_teardown(an_array_task_asks_for_itself, clean),
      cmocka_unit_test_teardown(a_job_id_that_is_none_reaches_no_shell, clean),
  };
  clean(NULL);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  char path[128];
  (void)snprintf(path, sizeof path, "%s/squeue", folder);
  (void)unlink(path);
  (void)rmdir(folder);
  return failed;
}
