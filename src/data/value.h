/* Values of template expressions: what a JSON document holds, and what filters make of it. */
#ifndef ESPALIER_DATA_VALUE_H
#define ESPALIER_DATA_VALUE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "data/arena.h"

enum value_kind { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT, VALUE_LIST, VALUE_MAP };

struct value {
  enum value_kind kind;
  bool truth;       /* VALUE_BOOL */
  double number;    /* VALUE_NUMBER */
  const char *text; /* VALUE_TEXT: [bytes] UTF-8, not always NUL-terminated */
  size_t bytes;
  const struct value *items; /* VALUE_LIST: [count] */
  size_t count;
  const cJSON *map; /* VALUE_MAP */
};

const char *value_kind_name(enum value_kind kind); /* "a text" */

struct value value_text(const char *text, size_t bytes);
struct value value_number(double number);
struct value value_bool(bool truth);

/* The JSON node as a value; lists are copied into the arena. */
status value_from_json(struct value *out, const cJSON *json, struct arena *arena,
                       struct error *err);

/* As Python's bool(): empty texts, lists and maps, 0 and null are false. */
bool value_truth(const struct value *v);
bool value_equal(const struct value *a, const struct value *b);

/* A whole number in [low, high], else false. */
bool value_whole(const struct value *v, long low, long high, long *out);

/* Appends a text, a number or a bool as Python prints it. Lists, maps and null have no text:
 * returns STATUS_INPUT without setting err. */
status value_append(const struct value *v, struct str *out, struct error *err);

#endif
