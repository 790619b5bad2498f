#include "data/jsonl.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/text.h"

/* Whether the line has the escape of NUL, which a C string cannot hold. */
static bool has_nul(const char *at, size_t n) {
  static const char escape[] = "\\u0000";
  for (size_t i = 0; i + 6 <= n; i++) {
    if (at[i] != '\\') {
      continue;
    }
    if (memcmp(at + i, escape, 6) == 0) {
      return true;
    }
    i++; /* the escaped character, so that "\\u0000" with two backslashes is no escape */
  }
  return false;
}

static bool is_blank(const char *at, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (!strchr(" \t\r", at[i])) {
      return false;
    }
  }
  return true;
}

static status parse_line(struct jsonl *j, size_t *cap, const char *at, size_t n, long line,
                         struct error *err) {
  size_t bad = text_invalid(at, n);
  if (bad < n) {
    return err_at(err, STATUS_INPUT, j->path, line, "byte %zu is not UTF-8", bad + 1);
  }
  if (memchr(at, 0, n) || has_nul(at, n)) {
    return err_at(err, STATUS_INPUT, j->path, line, "a NUL character (expected text)");
  }
  TRY(mem_reserve(&j->at, cap, j->count + 1, sizeof *j->at, err));
  const char *end = at;
  cJSON *json = cJSON_ParseWithLengthOpts(at, n, &end, false);
  if (!json) {
    size_t column = end >= at && end <= at + n ? (size_t)(end - at) + 1 : n;
    return err_at(err, STATUS_INPUT, j->path, line,
                  "broken JSON at byte %zu (expected one object per line)", column);
  }
  if (!cJSON_IsObject(json) || !is_blank(end, (size_t)(at + n - end))) {
    const char *what = cJSON_IsObject(json) ? "text behind the object" : "not an object";
    cJSON_Delete(json);
    return err_at(err, STATUS_INPUT, j->path, line, "%s (expected one object per line)", what);
  }
  j->at[j->count++] = (struct jsonl_line){json, line};
  return STATUS_OK;
}

static status parse_all(struct jsonl *j, const char *bytes, size_t size, size_t limit,
                        struct error *err) {
  size_t cap = 0;
  long line = 0;
  for (size_t at = 0; at < size && (limit == 0 || j->count < limit);) {
    const char *end = memchr(bytes + at, '\n', size - at);
    size_t n = end ? (size_t)(end - bytes) - at : size - at;
    line++;
    if (!is_blank(bytes + at, n)) {
      TRY(parse_line(j, &cap, bytes + at, n, line, err));
    }
    at += n + 1;
  }
  if (j->count == 0) {
    return err_at(err, STATUS_INPUT, j->path, 0, "no lines (expected one JSON object per line)");
  }
  return STATUS_OK;
}

status jsonl_open(struct jsonl *out, const char *path, size_t limit, struct error *err) {
  struct jsonl j = {0};
  char *bytes = NULL;
  size_t size;
  status st;
  const char *name = strcmp(path, "-") == 0 ? "<stdin>" : path;
  TRY(mem_dup(&j.path, name, strlen(name), err));
  TRY_GOTO(st, done, file_read(&bytes, &size, path, err));
  digest_bytes(bytes, size, j.digest);
  TRY_GOTO(st, done, parse_all(&j, bytes, size, limit, err));
done:
  free(bytes);
  if (st != STATUS_OK) {
    jsonl_close(&j);
    return st;
  }
  *out = j;
  return STATUS_OK;
}

void jsonl_close(struct jsonl *j) {
  for (size_t i = 0; i < j->count; i++) {
    cJSON_Delete(j->at[i].json);
  }
  free(j->at);
  free(j->path);
  *j = (struct jsonl){0};
}
