#include "model/keys.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const cJSON *last(const struct keys *k, const char *key) {
  const cJSON *item, *found = NULL;
  cJSON_ArrayForEach(item, k->map) {
    if (strcmp(item->string, key) == 0) {
      found = item;
    }
  }
  return found;
}

const cJSON *keys_get(const struct keys *k, const char *key) {
  const cJSON *found = last(k, key);
  return found && !cJSON_IsNull(found) ? found : NULL;
}

bool keys_is_null(const struct keys *k, const char *key) {
  return cJSON_IsNull(last(k, key));
}

status keys_fail(const struct keys *k, const char *key, status code, struct error *err,
                 const char *format, ...) {
  char text[ERROR_TEXT];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  return err_at(err, code, k->path, 0, "key %s%s %s", k->inside, key, text);
}

static status missing(const struct keys *k, const char *key, struct error *err) {
  return keys_fail(k, key, STATUS_INPUT, err, "is missing");
}

status keys_int_or(const struct keys *k, const char *key, int low, int high, int otherwise,
                   int *out, struct error *err) {
  const cJSON *item = keys_get(k, key);
  if (!item) {
    *out = otherwise;
    return STATUS_OK;
  }
  double x = item->valuedouble;
  if (!cJSON_IsNumber(item) || !(x >= low) || !(x <= high) || x != floor(x)) {
    return keys_fail(k, key, STATUS_INPUT, err, "is not an integer from %d to %d", low, high);
  }
  *out = (int)x;
  return STATUS_OK;
}

status keys_int(const struct keys *k, const char *key, int low, int high, int *out,
                struct error *err) {
  return keys_get(k, key) ? keys_int_or(k, key, low, high, low, out, err) : missing(k, key, err);
}

status keys_positive_or(const struct keys *k, const char *key, double otherwise, double *out,
                        struct error *err) {
  const cJSON *item = keys_get(k, key);
  if (!item) {
    *out = otherwise;
    return STATUS_OK;
  }
  if (!cJSON_IsNumber(item) || !(item->valuedouble > 0) || !isfinite(item->valuedouble)) {
    return keys_fail(k, key, STATUS_INPUT, err, "is not a number above 0");
  }
  *out = item->valuedouble;
  return STATUS_OK;
}

status keys_positive(const struct keys *k, const char *key, double *out, struct error *err) {
  return keys_get(k, key) ? keys_positive_or(k, key, 1, out, err) : missing(k, key, err);
}

status keys_bool_or(const struct keys *k, const char *key, bool otherwise, bool *out,
                    struct error *err) {
  const cJSON *item = keys_get(k, key);
  if (item && !cJSON_IsBool(item)) {
    return keys_fail(k, key, STATUS_INPUT, err, "is neither true nor false");
  }
  *out = item ? cJSON_IsTrue(item) : otherwise;
  return STATUS_OK;
}

status keys_text_or(const struct keys *k, const char *key, const char *otherwise, const char **out,
                    struct error *err) {
  const cJSON *item = keys_get(k, key);
  if (item && !cJSON_IsString(item)) {
    return keys_fail(k, key, STATUS_INPUT, err, "is not a string");
  }
  *out = item ? item->valuestring : otherwise;
  return STATUS_OK;
}

status keys_map(const struct keys *k, const char *key, const char *inside, struct keys *out,
                struct error *err) {
  const cJSON *item = keys_get(k, key);
  if (item && !cJSON_IsObject(item)) {
    return keys_fail(k, key, STATUS_INPUT, err, "is not a map");
  }
  *out = (struct keys){k->path, inside, item};
  return STATUS_OK;
}
