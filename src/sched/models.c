#include "sched/models.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "store/results.h"

status models_describe(const struct plan *plan, char **out, struct error *err) {
  cJSON *map = cJSON_CreateObject();
  for (size_t i = 0; i < plan->model_count; i++) {
    (void)cJSON_AddStringToObject(map, plan->models[i].name, plan->models[i].digest);
  }
  *out = cJSON_PrintUnformatted(map);
  cJSON_Delete(map);
  return *out ? STATUS_OK : err_set(err, STATUS_MEMORY, "out of memory");
}

status models_check(const struct plan *plan, const char *results, struct error *err) {
  char *text = NULL;
  if (!file_exists(results) || results_attribute(results, "models", &text, NULL) != STATUS_OK) {
    return STATUS_OK;
  }
  cJSON *map = cJSON_Parse(text);
  free(text);
  status st = STATUS_OK;
  for (size_t i = 0; i < plan->model_count && st == STATUS_OK; i++) {
    const struct plan_model *m = &plan->models[i];
    const cJSON *digest = cJSON_GetObjectItemCaseSensitive(map, m->name);
    if (cJSON_IsString(digest) && strcmp(digest->valuestring, m->digest) != 0) {
      st = err_at(err, STATUS_INPUT, m->folder, 0,
                  "is another model now than %s was begun with (digest %s, then %s): restore its "
                  "files, or name another results file with -o",
                  results, m->digest, digest->valuestring);
    }
  }
  cJSON_Delete(map);
  return st;
}
