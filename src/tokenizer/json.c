#include "tokenizer/json.h"

#include <math.h>
#include <string.h>

#include "base/str.h"
#include "tokenizer/unicode.h"

static long line_of(const char *text, const char *at) {
  long line = 1;
  for (; text < at; text++) {
    line += *text == '\n';
  }
  return line;
}

/* An escaped NUL, told from an escaped backslash before "u0000". */
static const char *find_nul(const char *text) {
  for (const char *at = text; (at = strstr(at, "\\u0000")); at++) {
    const char *back = at;
    while (back > text && back[-1] == '\\') {
      back--;
    }
    if ((at - back) % 2 == 0) {
      return at;
    }
  }
  return NULL;
}

status json_parse(cJSON **out, const char *text, size_t bytes, const char *file,
                  struct error *err) {
  size_t good = utf8_check(text, bytes);
  if (good < bytes) {
    return err_at(err, STATUS_INPUT, file, line_of(text, text + good), "not UTF-8");
  }
  const char *nul = find_nul(text);
  if (nul) {
    return err_at(err, STATUS_UNSUPPORTED, file, line_of(text, nul),
                  "a token or text with \\u0000 in it");
  }
  const char *end = text;
  cJSON *root = cJSON_ParseWithLengthOpts(text, bytes + 1, &end, 1);
  if (!root) {
    return err_at(err, STATUS_INPUT, file, line_of(text, end), "not JSON (stopped before '%.20s')",
                  end);
  }
  if (!cJSON_IsObject(root)) {
    cJSON_Delete(root);
    return err_at(err, STATUS_INPUT, file, 0, "not a JSON object");
  }
  *out = root;
  return STATUS_OK;
}

const cJSON *json_get(const cJSON *object, const char *key) {
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);
  return value && !cJSON_IsNull(value) ? value : NULL;
}

static status wrong(const char *file, const char *what, const char *key, const char *wanted,
                    struct error *err) {
  return err_at(err, STATUS_INPUT, file, 0, "%s: %s is missing or of a wrong type (expected %s)",
                what, key, wanted);
}

status json_text(const char *file, const char *what, const cJSON *object, const char *key,
                 const char **out, struct error *err) {
  const cJSON *value = json_get(object, key);
  *out = NULL;
  if (value && !cJSON_IsString(value)) {
    return wrong(file, what, key, "a string", err);
  }
  *out = value ? value->valuestring : NULL;
  return STATUS_OK;
}

status json_need_text(const char *file, const char *what, const cJSON *object, const char *key,
                      const char **out, struct error *err) {
  TRY(json_text(file, what, object, key, out, err));
  return *out ? STATUS_OK : wrong(file, what, key, "a string", err);
}

status json_bool(const char *file, const char *what, const cJSON *object, const char *key,
                 bool *out, struct error *err) {
  const cJSON *value = json_get(object, key);
  if (value && !cJSON_IsBool(value)) {
    return wrong(file, what, key, "true or false", err);
  }
  *out = value ? cJSON_IsTrue(value) : *out;
  return STATUS_OK;
}

status json_need_array(const char *file, const char *what, const cJSON *object, const char *key,
                       const cJSON **out, struct error *err) {
  *out = json_get(object, key);
  return cJSON_IsArray(*out) ? STATUS_OK : wrong(file, what, key, "a list", err);
}

bool json_is_id(const cJSON *number, int32_t *out) {
  if (!cJSON_IsNumber(number) || number->valuedouble < 0 || number->valuedouble > INT32_MAX - 1 ||
      number->valuedouble != floor(number->valuedouble)) {
    return false;
  }
  *out = (int32_t)number->valuedouble;
  return true;
}

status json_type(const char *file, const char *what, const cJSON *component,
                 const char *const *names, size_t count, int *out, struct error *err) {
  const char *type;
  TRY(json_need_text(file, what, component, "type", &type, err));
  for (size_t i = 0; i < count; i++) {
    if (strcmp(type, names[i]) == 0) {
      *out = (int)i;
      return STATUS_OK;
    }
  }
  struct str known = {0};
  status st = STATUS_OK;
  for (size_t i = 0; i < count && st == STATUS_OK; i++) {
    st = str_addf(&known, err, "%s%s", i ? ", " : "", names[i]);
  }
  if (st == STATUS_OK) {
    st = err_at(err, STATUS_UNSUPPORTED, file, 0, "%s of type '%s' (expected one of %s)", what,
                type, known.at);
  }
  str_free(&known);
  return st;
}
