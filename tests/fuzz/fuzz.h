/* What the fuzz targets share: a scratch folder for what is read from files, and the promises that
 * every refusal keeps. A target is one LLVMFuzzerTestOneInput; seeds come from seeds.py. */
#ifndef ESPALIER_TESTS_FUZZ_H
#define ESPALIER_TESTS_FUZZ_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken promise ends the program, so that libFuzzer keeps the input. */
#define FUZZ_CHECK(promise)                                                                        \
  do {                                                                                             \
    if (!(promise)) {                                                                              \
      (void)fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #promise);          \
      abort();                                                                                     \
    }                                                                                              \
  } while (0)

/* A failure has one printable line, and is the input's fault. */
static inline void fuzz_refused(status st, const struct error *err) {
  if (st == STATUS_OK) {
    return;
  }
  FUZZ_CHECK(st == STATUS_INPUT || st == STATUS_UNSUPPORTED || st == STATUS_IO);
  FUZZ_CHECK(err->code == st && err->text[0]);
  for (const char *p = err->text; *p; p++) {
    FUZZ_CHECK((unsigned char)*p >= ' ');
  }
}

/* A folder of this process in TMPDIR; whoever sets TMPDIR removes it (run.py). */
static inline const char *fuzz_folder(void) {
  static char folder[256];
  if (!folder[0]) {
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/fuzz-XXXXXX", tmp ? tmp : "/tmp");
    FUZZ_CHECK(mkdtemp(folder));
  }
  return folder;
}

/* Writes a file of the folder. The path stays the same for the same slot: 0 .. 3. */
static inline const char *fuzz_file(int slot, const char *name, const void *data, size_t size) {
  static char paths[4][320];
  (void)snprintf(paths[slot], sizeof paths[slot], "%s/%s", fuzz_folder(), name);
  int fd = open(paths[slot], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size && close(fd) == 0);
  return paths[slot];
}

/* Inputs of two parts hold a zero byte between them: the size of the first. *second and *rest are
 * what stands behind, nothing when there is no zero. */
static inline size_t fuzz_split(const uint8_t *data, size_t size, const uint8_t **second,
                                size_t *rest) {
  const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
  size_t first = zero ? (size_t)(zero - data) : size;
  *second = zero ? zero + 1 : data + size;
  *rest = zero ? size - first - 1 : 0;
  return first;
}

#endif
