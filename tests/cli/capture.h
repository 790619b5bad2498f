/* What a subcommand prints to standard output. */
#ifndef ESPALIER_TESTS_CLI_CAPTURE_H
#define ESPALIER_TESTS_CLI_CAPTURE_H

#include "support.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

/* Runs a subcommand; what it prints goes through the file at `printed` into *out, which the caller
 * frees. */
static inline status capture(status (*run)(int argc, char **argv, struct error *err), int argc,
                             char **argv, const char *printed, char **out, struct error *err) {
  (void)fflush(stdout);
  int kept = dup(1), to = open(printed, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(kept >= 0 && to >= 0);
  (void)dup2(to, 1);
  status st = run(argc, argv, err);
  (void)fflush(stdout);
  (void)dup2(kept, 1);
  (void)close(kept);
  (void)close(to);
  size_t size;
  struct error reading;
  assert_int_equal(file_read(out, &size, printed, &reading), STATUS_OK);
  return st;
}

#endif
