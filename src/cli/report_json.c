#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/report.h"

cJSON *report_list(cJSON *object, const char *name) {
  return cJSON_AddArrayToObject(object, name);
}

/* An item that there was no memory for leaves a NULL, which cJSON passes over: a list that is too
 * short. Its owner is told apart from a good one by a marker that cannot be printed. */
static void add(cJSON *list, cJSON *item) {
  if (!item || !cJSON_AddItemToArray(list, item)) {
    cJSON_Delete(item);
    if (list) {
      list->type = cJSON_Invalid;
    }
  }
}

void report_number(cJSON *list, double value, int digits) {
  char text[32] = "null";
  if (isinf(value)) {
    (void)snprintf(text, sizeof text, "%s", value < 0 ? "-1e999" : "1e999");
  } else if (!isnan(value)) {
    (void)snprintf(text, sizeof text, "%.*g", digits, value);
  }
  add(list, cJSON_CreateRaw(text));
}

void report_integer(cJSON *list, int64_t value) {
  char text[32];
  (void)snprintf(text, sizeof text, "%" PRId64, value);
  add(list, cJSON_CreateRaw(text));
}

void report_text(cJSON *list, const char *text) {
  add(list, cJSON_CreateString(text));
}

status report_json(cJSON *value, struct str *to, struct error *err) {
  char *text = value ? cJSON_PrintUnformatted(value) : NULL;
  cJSON_Delete(value);
  if (!text) {
    return err_set(err, STATUS_MEMORY, "no memory for the report's data");
  }
  status st = STATUS_OK;
  for (const char *p = text; st == STATUS_OK && *p;) {
    size_t plain = strcspn(p, "<");
    st = str_add(to, p, plain, err);
    p += plain;
    if (st == STATUS_OK && *p == '<') {
      st = str_add(to, "\\u003c", 6, err);
      p++;
    }
  }
  cJSON_free(text);
  return st;
}
