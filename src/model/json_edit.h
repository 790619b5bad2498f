/* Changes to a JSON text that leave every other byte as it was: numbers keep their spelling, keys
 * their order. */
#ifndef ESPALIER_MODEL_JSON_EDIT_H
#define ESPALIER_MODEL_JSON_EDIT_H

#include <stdbool.h>

#include "base/str.h"

/* The text of valid JSON `json`, an object, with the value of its key set to `value` (JSON). Where
 * the key is absent, *found is false and the text is unchanged. Of equal keys the last is set. */
status json_set(struct str *out, const char *json, const char *key, const char *value, bool *found,
                struct error *err);

/* As json_set with the key put in front of all others; json must not be empty of keys. */
status json_prepend(struct str *out, const char *json, const char *key, const char *value,
                    struct error *err);

#endif
