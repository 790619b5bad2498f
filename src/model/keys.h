/* Keys of config.json, read strictly: a wrong type or an impossible value is refused with the file
 * and the key. null is the same as absent; 32.0 is an integer; the last of two equal keys counts,
 * as it does for Python's json. */
#ifndef ESPALIER_MODEL_KEYS_H
#define ESPALIER_MODEL_KEYS_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/error.h"

struct keys {
  const char *path;   /* of the file, as messages name it */
  const char *inside; /* "rope_scaling." in a map within it, else "" */
  const cJSON *map;
};

/* The value, or NULL when the key is absent or null. */
const cJSON *keys_get(const struct keys *k, const char *key);

/* Whether the key stands there as null. */
bool keys_is_null(const struct keys *k, const char *key);

/* Integers from low to high. keys_int refuses an absent key; keys_int_or gives `otherwise`. */
status keys_int(const struct keys *k, const char *key, int low, int high, int *out,
                struct error *err);
status keys_int_or(const struct keys *k, const char *key, int low, int high, int otherwise,
                   int *out, struct error *err);

/* Finite numbers above zero. */
status keys_positive(const struct keys *k, const char *key, double *out, struct error *err);
status keys_positive_or(const struct keys *k, const char *key, double otherwise, double *out,
                        struct error *err);

status keys_bool_or(const struct keys *k, const char *key, bool otherwise, bool *out,
                    struct error *err);

/* The text belongs to the file. */
status keys_text_or(const struct keys *k, const char *key, const char *otherwise, const char **out,
                    struct error *err);

/* The map behind a key; out->map is NULL when it is absent. `inside` is `key` and a dot. */
status keys_map(const struct keys *k, const char *key, const char *inside, struct keys *out,
                struct error *err);

/* "FILE: key NAME ..." */
status keys_fail(const struct keys *k, const char *key, status code, struct error *err,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
