#include "data/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [VALUE_NULL] = "null",   [VALUE_BOOL] = "true or false", [VALUE_NUMBER] = "a number",
    [VALUE_TEXT] = "a text", [VALUE_LIST] = "a list",        [VALUE_MAP] = "an object",
};

const char *value_kind_name(enum value_kind kind) {
  return names[kind];
}

struct value value_text(const char *text, size_t bytes) {
  return (struct value){.kind = VALUE_TEXT, .text = text, .bytes = bytes};
}

struct value value_number(double number) {
  return (struct value){.kind = VALUE_NUMBER, .number = number};
}

struct value value_bool(bool truth) {
  return (struct value){.kind = VALUE_BOOL, .truth = truth};
}

static status list_from_json(struct value *out, const cJSON *json, struct arena *arena,
                             struct error *err) {
  size_t count = 0;
  for (const cJSON *item = json->child; item; item = item->next) {
    count++;
  }
  struct value *items;
  TRY(arena_alloc(arena, &items, count * sizeof *items, err));
  size_t i = 0;
  for (const cJSON *item = json->child; item; item = item->next) {
    TRY(value_from_json(&items[i++], item, arena, err));
  }
  *out = (struct value){.kind = VALUE_LIST, .items = items, .count = count};
  return STATUS_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): cJSON bounds the nesting */
status value_from_json(struct value *out, const cJSON *json, struct arena *arena,
                       struct error *err) {
  *out = (struct value){.kind = VALUE_NULL};
  if (cJSON_IsString(json)) {
    *out = value_text(json->valuestring, strlen(json->valuestring));
  } else if (cJSON_IsNumber(json)) {
    *out = value_number(json->valuedouble);
  } else if (cJSON_IsBool(json)) {
    *out = value_bool(cJSON_IsTrue(json));
  } else if (cJSON_IsArray(json)) {
    return list_from_json(out, json, arena, err);
  } else if (cJSON_IsObject(json)) {
    *out = (struct value){.kind = VALUE_MAP, .map = json};
  }
  return STATUS_OK;
}

bool value_truth(const struct value *v) {
  switch (v->kind) {
  case VALUE_NULL:
    return false;
  case VALUE_BOOL:
    return v->truth;
  case VALUE_NUMBER:
    return v->number != 0;
  case VALUE_TEXT:
    return v->bytes > 0;
  case VALUE_LIST:
    return v->count > 0;
  case VALUE_MAP:
    return v->map->child != NULL;
  }
  return false;
}

static bool is_numeric(const struct value *v) {
  return v->kind == VALUE_NUMBER || v->kind == VALUE_BOOL;
}

static double numeric(const struct value *v) {
  return v->kind == VALUE_BOOL ? (double)v->truth : v->number;
}

bool value_equal(const struct value *a, const struct value *b) {
  if (is_numeric(a) && is_numeric(b)) {
    return numeric(a) == numeric(b);
  }
  if (a->kind != b->kind) {
    return false;
  }
  switch (a->kind) {
  case VALUE_TEXT:
    return a->bytes == b->bytes && (a->bytes == 0 || memcmp(a->text, b->text, a->bytes) == 0);
  case VALUE_LIST:
    if (a->count != b->count) {
      return false;
    }
    for (size_t i = 0; i < a->count; i++) {
      if (!value_equal(&a->items[i], &b->items[i])) {
        return false;
      }
    }
    return true;
  case VALUE_MAP:
    return cJSON_Compare(a->map, b->map, true);
  default:
    return true;
  }
}

bool value_whole(const struct value *v, long low, long high, long *out) {
  if (!is_numeric(v)) {
    return false;
  }
  double x = numeric(v);
  if (!(x >= (double)low && x <= (double)high) || x != floor(x)) {
    return false;
  }
  *out = (long)x;
  return true;
}

static status append_number(double x, struct str *out, struct error *err) {
  enum { EXACT = 1 << 30 };
  if (x == floor(x) && fabs(x) < (double)EXACT * EXACT) {
    return str_addf(out, err, "%.0f", x);
  }
  char text[40];
  for (int digits = 1; digits <= 17; digits++) { /* the shortest that reads back as x */
    (void)snprintf(text, sizeof text, "%.*g", digits, x);
    if (strtod(text, NULL) == x) {
      break;
    }
  }
  return str_add(out, text, strlen(text), err);
}

status value_append(const struct value *v, struct str *out, struct error *err) {
  switch (v->kind) {
  case VALUE_TEXT:
    return str_add(out, v->text, v->bytes, err);
  case VALUE_NUMBER:
    return append_number(v->number, out, err);
  case VALUE_BOOL:
    return str_add(out, v->truth ? "True" : "False", v->truth ? 4 : 5, err);
  default:
    return STATUS_INPUT;
  }
}
