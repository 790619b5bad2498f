/* Reading values out of a YAML tree, with refusals that say where and what was expected. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/yaml.h"

void yaml_fail_text(const struct yaml_file *file, const struct yaml *node, struct error *err,
                    const char *format, ...) {
  char text[ERROR_TEXT];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  err_at_text(err, STATUS_INPUT, file->path, node ? node->line : 0, "%s", text);
}

bool yaml_is_null(const struct yaml *node) {
  if (node->kind != YAML_TEXT || node->quoted) {
    return false;
  }
  return node->text[0] == '\0' || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key) {
  for (size_t i = 0; map->kind == YAML_MAP && i < map->count; i++) {
    if (strcmp(map->keys[i].text, key) == 0) {
      return yaml_is_null(&map->items[i]) ? NULL : &map->items[i];
    }
  }
  return NULL;
}

static const char *kind_name(const struct yaml *node) {
  static const char *const names[] = {
      [YAML_TEXT] = "a single value", [YAML_LIST] = "a list", [YAML_MAP] = "a map"};
  return names[node->kind];
}

/* All names in one line, for messages about a few choices. */
static void list_names(char *out, size_t size, const char *const *names, size_t count) {
  size_t at = 0;
  out[0] = '\0';
  for (size_t i = 0; i < count && at < size; i++) {
    int n = snprintf(out + at, size - at, "%s%s", i ? ", " : "", names[i]);
    at += n > 0 ? (size_t)n : 0;
  }
}

status yaml_check_keys(const struct yaml_file *file, const struct yaml *map, const char *what,
                       const char *const *names, size_t count, struct error *err) {
  if (map->kind != YAML_MAP) {
    return yaml_fail(file, map, err, "%s is %s (expected NAME: value pairs)", what, kind_name(map));
  }
  for (size_t i = 0; i < map->count; i++) {
    const char *key = map->keys[i].text;
    size_t k = 0;
    while (k < count && strcmp(key, names[k]) != 0) {
      k++;
    }
    if (k < count) {
      continue;
    }
    int near = str_nearest(key, names, count);
    if (near >= 0) {
      return yaml_fail(file, &map->keys[i], err, "unknown key '%s' in %s (did you mean '%s'?)", key,
                       what, names[near]);
    }
    char all[512];
    list_names(all, sizeof all, names, count);
    return yaml_fail(file, &map->keys[i], err, "unknown key '%s' in %s (expected one of: %s)", key,
                     what, all);
  }
  return STATUS_OK;
}

status yaml_text(const struct yaml_file *file, const struct yaml *node, const char *what,
                 const char **out, struct error *err) {
  if (node->kind != YAML_TEXT) {
    return yaml_fail(file, node, err, "'%s' is %s (expected a text)", what, kind_name(node));
  }
  *out = node->text;
  return STATUS_OK;
}

/* A plain scalar to be read as a number; quotes make a text of it. */
static status number_text(const struct yaml_file *file, const struct yaml *node, const char *what,
                          const char *expected, struct error *err) {
  if (node->kind != YAML_TEXT) {
    return yaml_fail(file, node, err, "'%s' is %s (expected %s)", what, kind_name(node), expected);
  }
  if (node->quoted || node->text[0] == '\0' || node->text[0] == ' ') {
    return yaml_fail(file, node, err, "'%s' is the text \"%s\" (expected %s)", what, node->text,
                     expected);
  }
  return STATUS_OK;
}

status yaml_int(const struct yaml_file *file, const struct yaml *node, const char *what, long low,
                long high, long *out, struct error *err) {
  TRY(number_text(file, node, what, "a whole number", err));
  char *end;
  errno = 0;
  long value = strtol(node->text, &end, 10);
  if (*end || errno) {
    return yaml_fail(file, node, err, "'%s' is %s (expected a whole number)", what, node->text);
  }
  if (value < low || value > high) {
    return yaml_fail(file, node, err, "'%s' is %ld (expected %ld to %ld)", what, value, low, high);
  }
  *out = value;
  return STATUS_OK;
}

status yaml_double(const struct yaml_file *file, const struct yaml *node, const char *what,
                   double low, double high, double *out, struct error *err) {
  TRY(number_text(file, node, what, "a number", err));
  char *end;
  double value = strtod(node->text, &end);
  if (*end || !isfinite(value)) {
    return yaml_fail(file, node, err, "'%s' is %s (expected a number)", what, node->text);
  }
  if (value < low || value > high) {
    return yaml_fail(file, node, err, "'%s' is %s (expected %g to %g)", what, node->text, low,
                     high);
  }
  *out = value;
  return STATUS_OK;
}

status yaml_bool(const struct yaml_file *file, const struct yaml *node, const char *what, bool *out,
                 struct error *err) {
  if (node->kind == YAML_TEXT && !node->quoted) {
    if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0) {
      *out = node->text[0] == 't';
      return STATUS_OK;
    }
  }
  return yaml_fail(file, node, err, "'%s' is %s (expected true or false)", what,
                   node->kind == YAML_TEXT ? node->text : kind_name(node));
}

status yaml_choice(const struct yaml_file *file, const struct yaml *node, const char *what,
                   const char *const *names, size_t count, int *out, struct error *err) {
  const char *text = NULL;
  TRY(yaml_text(file, node, what, &text, err));
  for (size_t i = 0; i < count; i++) {
    if (strcmp(text, names[i]) == 0) {
      *out = (int)i;
      return STATUS_OK;
    }
  }
  int near = str_nearest(text, names, count);
  if (near >= 0) {
    return yaml_fail(file, node, err, "unknown %s '%s' (did you mean '%s'?)", what, text,
                     names[near]);
  }
  char all[512];
  list_names(all, sizeof all, names, count);
  return yaml_fail(file, node, err, "unknown %s '%s' (expected one of: %s)", what, text, all);
}
