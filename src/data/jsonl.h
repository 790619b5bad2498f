/* JSONL data sets: one JSON object per line, kept with its line number. */
#ifndef ESPALIER_DATA_JSONL_H
#define ESPALIER_DATA_JSONL_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/error.h"

struct jsonl_line {
  cJSON *json; /* an object */
  long line;   /* counted from 1 */
};

struct jsonl {
  char *path; /* as messages name it */
  struct jsonl_line *at;
  size_t count;
  char digest[DIGEST_TEXT]; /* of the file's bytes */
};

/* Reads a whole file ("-": standard input). Blank lines are skipped; a broken line, a line that is
 * no object, invalid UTF-8 and a file without lines are refused with file and line. limit: stop
 * after so many lines (0: all). */
status jsonl_open(struct jsonl *out, const char *path, size_t limit, struct error *err);
void jsonl_close(struct jsonl *j);

#endif
