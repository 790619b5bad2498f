/* Small files in a folder of their own that a test leaves behind empty. */
#ifndef ESPALIER_TESTS_DATA_FILES_H
#define ESPALIER_TESTS_DATA_FILES_H

#include "support.h"

#include <unistd.h>

#include "base/file.h"

static char files_folder[] = "/tmp/espalier-data-XXXXXX";

static inline int files_setup(void **state) {
  (void)state;
  return mkdtemp(files_folder) ? 0 : 1;
}

static inline int files_teardown(void **state) {
  (void)state;
  char command[128];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", files_folder);
  return system(command); /* NOLINT(bugprone-command-processor,cert-env33-c) */
}

/* Path of a file in the folder, in one of two static buffers in turn. */
static inline const char *files_path(const char *name) {
  static char paths[2][256];
  static int turn;
  turn = !turn;
  (void)snprintf(paths[turn], sizeof paths[turn], "%s/%s", files_folder, name);
  return paths[turn];
}

static inline const char *files_put(const char *name, const char *text) {
  struct error err;
  const char *path = files_path(name);
  assert_ok(file_write(path, text, strlen(text), &err));
  return path;
}

#endif
