/* Fields of tokenizer.json with their types checked; messages name the file and the component. */
#ifndef ESPALIER_TOKENIZER_JSON_H
#define ESPALIER_TOKENIZER_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Parses text [bytes + 1, NUL-terminated]; `file` is for messages only. The caller frees *out with
 * cJSON_Delete. The root must be an object. A \u0000 within a string is refused, because cJSON's
 * strings end there. */
status json_parse(cJSON **out, const char *text, size_t bytes, const char *file, struct error *err);

/* The value behind a key, or NULL when it is absent or null. */
const cJSON *json_get(const cJSON *object, const char *key);

/* Fields of a component that messages call `what`. Text stays with the tree. An absent text is
 * NULL, an absent bool keeps *out. */
status json_text(const char *file, const char *what, const cJSON *object, const char *key,
                 const char **out, struct error *err);
status json_need_text(const char *file, const char *what, const cJSON *object, const char *key,
                      const char **out, struct error *err);
status json_bool(const char *file, const char *what, const cJSON *object, const char *key,
                 bool *out, struct error *err);
status json_need_array(const char *file, const char *what, const cJSON *object, const char *key,
                       const cJSON **out, struct error *err);

/* A token's id: a whole number from 0 to 2^31 - 2. */
bool json_is_id(const cJSON *number, int32_t *out);

/* Index of the component's "type" among names [count], or a refusal that names both. */
status json_type(const char *file, const char *what, const cJSON *component,
                 const char *const *names, size_t count, int *out, struct error *err);

#endif
