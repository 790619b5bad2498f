#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "base/mem.h"
#include "cli/table.h"
#include "prune/method.h"

/* The method's parameters as the program would set them, parsed; NULL where it knows no such
 * method (a results file may be newer). */
static cJSON *defaults_of(const char *name) {
  const struct method *m = method_find(name);
  if (!m) {
    return NULL;
  }
  struct params p = method_defaults(m);
  char *json;
  if (method_params_json(m, &p, &json, NULL) != STATUS_OK) {
    return NULL;
  }
  cJSON *parsed = cJSON_Parse(json);
  free(json);
  return parsed;
}

/* Whether variants of one method disagree on a parameter. */
static bool varies(const struct results_file *f, cJSON *const *parsed, size_t v, const char *key) {
  const cJSON *mine = cJSON_GetObjectItemCaseSensitive(parsed[v], key);
  for (size_t i = 0; i < f->variant_count; i++) {
    if (strcmp(f->variants[i].method, f->variants[v].method) == 0 &&
        !cJSON_Compare(mine, cJSON_GetObjectItemCaseSensitive(parsed[i], key), true)) {
      return true;
    }
  }
  return false;
}

static status label_of(const struct results_file *f, cJSON *const *parsed, size_t v, char **out,
                       struct error *err) {
  const char *name = f->variants[v].method;
  cJSON *defaults = defaults_of(name);
  struct str s = {0};
  status st = str_addf(&s, err, "%s", name);
  const cJSON *p = NULL;
  cJSON_ArrayForEach(p, parsed[v]) {
    const cJSON *usual = cJSON_GetObjectItemCaseSensitive(defaults, p->string);
    bool other = usual && !cJSON_Compare(p, usual, true);
    if (st != STATUS_OK || (!other && !varies(f, parsed, v, p->string))) {
      continue;
    }
    char *value = cJSON_IsString(p) ? NULL : cJSON_PrintUnformatted(p);
    st = str_addf(&s, err, " %s=%s", p->string, value ? value : cJSON_GetStringValue(p));
    cJSON_free(value);
  }
  cJSON_Delete(defaults);
  if (st != STATUS_OK) {
    str_free(&s);
    return st;
  }
  *out = s.at;
  return STATUS_OK;
}

/* Variants of equal method and parameters, which most are, share one label's making. */
static size_t same_before(const struct results_file *f, size_t v) {
  size_t i = 0;
  while (i < v && (strcmp(f->variants[i].method, f->variants[v].method) != 0 ||
                   strcmp(f->variants[i].parameters, f->variants[v].parameters) != 0)) {
    i++;
  }
  return i;
}

status table_method_labels(const struct results_file *f, char **out, struct error *err) {
  cJSON **parsed;
  TRY(mem_alloc(&parsed, f->variant_count, sizeof(cJSON *), err));
  for (size_t v = 0; v < f->variant_count; v++) {
    parsed[v] = cJSON_Parse(f->variants[v].parameters);
    out[v] = NULL;
  }
  status st = STATUS_OK;
  for (size_t v = 0; st == STATUS_OK && v < f->variant_count; v++) {
    size_t before = same_before(f, v);
    st = before < v ? mem_dup(&out[v], out[before], strlen(out[before]), err)
                    : label_of(f, parsed, v, &out[v], err);
  }
  for (size_t v = 0; v < f->variant_count; v++) {
    cJSON_Delete(parsed[v]);
    if (st != STATUS_OK) {
      free(out[v]);
      out[v] = NULL;
    }
  }
  free((void *)parsed);
  return st;
}
