/* What several tests need: a failing call's text, skipped tests by name, folders of the reference
 * data. */
#ifndef ESPALIER_TESTS_SUPPORT_H
#define ESPALIER_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/error.h"

enum { SUPPORT_SKIP = 77 };

/* Asserts that a call succeeded, printing its error. Needs a local `struct error err`. */
#define assert_ok(call)                                                                            \
  do {                                                                                             \
    if ((call) != STATUS_OK) {                                                                     \
      fail_msg("%s: %s", #call, err.text);                                                         \
    }                                                                                              \
  } while (0)

/* Asserts that a call failed with a status and that its line contains a text. */
#define assert_fails(call, wanted, part)                                                           \
  do {                                                                                             \
    status got_ = (call);                                                                          \
    if (got_ != (wanted)) {                                                                        \
      fail_msg("%s: status %d, wanted %d", #call, (int)got_, (int)(wanted));                       \
    }                                                                                              \
    if (!strstr(err.text, (part))) {                                                               \
      fail_msg("%s: '%s' lacks '%s'", #call, err.text, (part));                                    \
    }                                                                                              \
  } while (0)

/* The folder of kind "reference", "data" or "models": ESPALIER_REFERENCE and so on, else
 * ../shared/KIND beside the source tree. Returns NULL when there is no such folder. out must hold
 * `size` bytes. */
static inline const char *support_folder(const char *kind, char *out, size_t size) {
  char variable[64];
  (void)snprintf(variable, sizeof variable, "ESPALIER_%s", kind);
  for (char *p = variable; *p; p++) {
    *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
  }
  const char *set = getenv(variable), *source = getenv("ESPALIER_SOURCE");
  if (set && *set) {
    (void)snprintf(out, size, "%s", set);
  } else {
    (void)snprintf(out, size, "%s/../shared/%s", source ? source : ".", kind);
  }
  struct stat s;
  return stat(out, &s) == 0 ? out : NULL;
}

/* Ends a test program as skipped, by name. */
static inline int support_skip(const char *test, const char *reason) {
  printf("SKIPPED: %s: %s\n", test, reason);
  return SUPPORT_SKIP;
}

#endif
