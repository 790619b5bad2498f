#include "model/json_edit.h"

#include <string.h>

static const char *skip_space(const char *p) {
  return p + strspn(p, " \t\r\n");
}

/* p at the opening quote; the character behind the closing one. */
static const char *skip_string(const char *p) {
  for (p++; *p && *p != '"'; p++) {
    p += *p == '\\' && p[1];
  }
  return *p ? p + 1 : p;
}

/* The character behind the value that begins at p. */
static const char *skip_value(const char *p) {
  int depth = 0;
  for (; *p; p++) {
    if (*p == '"') {
      p = skip_string(p) - 1;
    } else if (*p == '{' || *p == '[') {
      depth++;
    } else if (*p == '}' || *p == ']') {
      if (depth == 0) {
        return p;
      }
      depth--;
    } else if (depth == 0 && strchr(", \t\r\n", *p)) {
      return p;
    }
    if (depth == 0 && strchr("\"}]", *p)) {
      return p + 1;
    }
  }
  return p;
}

status json_set(struct str *out, const char *json, const char *key, const char *value, bool *found,
                struct error *err) {
  const char *begin = NULL, *end = NULL, *p = skip_space(strchr(json, '{') + 1);
  size_t length = strlen(key);
  while (*p == '"') {
    const char *name = p + 1;
    p = skip_string(p);
    bool is_key = (size_t)(p - name) == length + 1 && memcmp(name, key, length) == 0;
    p = skip_space(p);
    p = skip_space(p + (*p == ':'));
    const char *after = skip_value(p);
    if (is_key) {
      begin = p;
      end = after;
    }
    p = skip_space(after);
    p = skip_space(p + (*p == ','));
  }
  *found = begin != NULL;
  if (!begin) {
    return str_addf(out, err, "%s", json);
  }
  TRY(str_add(out, json, (size_t)(begin - json), err));
  return str_addf(out, err, "%s%s", value, end);
}

status json_prepend(struct str *out, const char *json, const char *key, const char *value,
                    struct error *err) {
  const char *first = strchr(json, '{') + 1;
  TRY(str_add(out, json, (size_t)(first - json), err));
  return str_addf(out, err, "\n  \"%s\": %s,%s", key, value, first);
}
