#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
  int exit;
  const char *meaning;
} statuses[] = {
#define X(code, exit, meaning) [code] = {exit, meaning},
    STATUS_LIST(X)
#undef X
};

const char *status_meaning(status code) {
  return statuses[code].meaning;
}

int status_exit(status code) {
  return statuses[code].exit;
}

/* Errors are one line whatever a file name or a quoted field contains. */
static void flatten(char *text) {
  for (; *text; text++) {
    if ((unsigned char)*text < ' ') {
      *text = ' ';
    }
  }
}

static void fill(struct error *e, status code, const char *before, const char *format,
                 va_list args) {
  if (!e) {
    return;
  }
  char text[ERROR_TEXT];
  int n = snprintf(text, sizeof text, "%s", before);
  if (n >= 0 && (size_t)n < sizeof text) {
    (void)vsnprintf(text + n, sizeof text - (size_t)n, format, args);
  }
  flatten(text);
  e->code = code;
  memcpy(e->text, text, sizeof text);
}

void err_set_text(struct error *e, status code, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fill(e, code, "", format, args);
  va_end(args);
}

void err_at_text(struct error *e, status code, const char *file, long line, const char *format,
                 ...) {
  char before[ERROR_TEXT];
  if (line > 0) {
    (void)snprintf(before, sizeof before, "%s:%ld: ", file, line);
  } else {
    (void)snprintf(before, sizeof before, "%s: ", file);
  }
  va_list args;
  va_start(args, format);
  fill(e, code, before, format, args);
  va_end(args);
}

void err_errno_text(struct error *e, status code, const char *format, ...) {
  int number = errno;
  va_list args;
  va_start(args, format);
  fill(e, code, "", format, args);
  va_end(args);
  if (e) {
    size_t n = strlen(e->text);
    (void)snprintf(e->text + n, sizeof e->text - n, ": %s", strerror(number));
  }
}

void err_prefix_text(struct error *e, const char *format, ...) {
  if (!e) {
    return;
  }
  char old[ERROR_TEXT];
  memcpy(old, e->text, sizeof old);
  va_list args;
  va_start(args, format);
  fill(e, e->code, "", format, args);
  va_end(args);
  size_t n = strlen(e->text);
  (void)snprintf(e->text + n, sizeof e->text - n, ": %s", old);
}
