/* A template and, behind a zero byte, the document that it is rendered for. Both are UTF-8: what
 * reads them (base/yaml.h, data/jsonl.h) refuses anything else. */
#include "fuzz.h"

#include "data/template.h"
#include "data/text.h"

static void render(const struct template *t, const struct scope *s) {
  struct error err = {0};
  char *text;
  struct value value;
  status st = template_render(t, s, &text, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    FUZZ_CHECK(text && strlen(text) < SIZE_MAX);
  }
  fuzz_refused(template_value(t, s, &value, &err), &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct error err = {0};
  const uint8_t *doc;
  size_t rest, first = fuzz_split(data, size, &doc, &rest);
  if (text_invalid((const char *)data, first) < first ||
      text_invalid((const char *)doc, rest) < rest) {
    return 0;
  }
  struct arena *arena;
  FUZZ_CHECK(arena_create(&arena, &err) == STATUS_OK);
  char *text;
  FUZZ_CHECK(arena_dup(arena, &text, (const char *)data, first, &err) == STATUS_OK);
  cJSON *json = cJSON_ParseWithLength(rest ? (const char *)doc : "{}", rest ? rest : 2);
  struct scope s = {.file = "data.jsonl", .line = 1, .doc = json, .arena = arena};
  struct template *t;
  status st = template_parse(&t, arena, text, "task.yaml", 3, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK && cJSON_IsObject(json)) {
    render(t, &s);
  }
  st = template_parse_value(&t, arena, text, "task.yaml", 3, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK && cJSON_IsObject(json)) {
    render(t, &s);
  }
  cJSON_Delete(json);
  arena_free(arena);
  return 0;
}
