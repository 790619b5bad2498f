/* Every request of lm-evaluation-harness's own runs, zero-shot and few-shot, character for
 * character. */
#include "support.h"

#include <cjson/cJSON.h>

#include "base/file.h"
#include "data/jsonl.h"
#include "data/task.h"
#include "data/text.h"

static char reference[1024], data_folder[1024], configs[1024];

static const char *text_of(const cJSON *json, const char *key) {
  const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, key);
  assert_non_null(found);
  assert_true(cJSON_IsString(found));
  return found->valuestring;
}

static int int_of(const cJSON *json, const char *key) {
  const cJSON *found = cJSON_GetObjectItemCaseSensitive(json, key);
  assert_non_null(found);
  return found->valueint;
}

static void compare_line(const char *file, const struct items *items, const struct jsonl_line *line,
                         int choice) {
  int doc = int_of(line->json, "doc");
  assert_true(doc >= 0 && (size_t)doc < items->count);
  const struct item *item = &items->at[doc];
  assert_int_equal(item->doc, doc);
  const char *context = text_of(line->json, "context");
  const char *continuation = text_of(line->json, "continuation");
  if (item->text) {
    assert_string_equal(context, "");
    assert_string_equal(continuation, item->text);
    return;
  }
  /* requests behind the choices are acc_mutual_info's: the same continuations alone */
  const char *ours = choice < item->choices ? item->contexts[choice] : "";
  assert_true(choice < 2 * item->choices);
  if (strcmp(context, ours) != 0 ||
      strcmp(continuation, item->continuations[choice % item->choices]) != 0) {
    fail_msg("%s:%ld: '%s' + '%s', here '%s' + '%s'", file, line->line, context, continuation, ours,
             item->continuations[choice % item->choices]);
  }
}

/* Rolling: per_item holds [log-likelihood, words] and [log-likelihood, bytes] of each document. */
static void compare_counts(const cJSON *entry, const struct items *items) {
  const cJSON *per_item = cJSON_GetObjectItemCaseSensitive(entry, "per_item");
  const cJSON *words = cJSON_GetObjectItemCaseSensitive(per_item, "word_perplexity");
  const cJSON *bytes = cJSON_GetObjectItemCaseSensitive(per_item, "byte_perplexity");
  for (int i = 0; words && i < (int)items->count; i++) {
    const char *counted = items->at[i].counted;
    size_t n = strlen(counted);
    assert_int_equal(text_words(counted, n),
                     cJSON_GetArrayItem(cJSON_GetArrayItem(words, i), 1)->valueint);
    assert_int_equal(n, cJSON_GetArrayItem(cJSON_GetArrayItem(bytes, i), 1)->valueint);
  }
}

static void compare_file(const cJSON *entry) {
  struct error err;
  char path[1200];
  struct jsonl want = {0};
  struct task *task;
  struct items items;
  const char *folders[] = {configs, NULL}, *data[] = {data_folder, NULL};
  struct search search = {folders, data};
  (void)snprintf(path, sizeof path, "%s/harness/%s", reference, text_of(entry, "file"));
  assert_ok(jsonl_open(&want, path, 0, &err));
  assert_ok(task_open(&task, text_of(entry, "task"), &search, &err));
  int docs = int_of(entry, "n_docs");
  assert_ok(task_render(task, 0, docs, int_of(entry, "shots"), &items, &err));
  assert_int_equal(items.count, docs);
  int doc = -1, choice = 0;
  for (size_t i = 0; i < want.count; i++) {
    int here = int_of(want.at[i].json, "doc");
    choice = here == doc ? choice + 1 : 0;
    doc = here;
    compare_line(path, &items, &want.at[i], choice);
  }
  compare_counts(entry, &items);
  const cJSON *gold = cJSON_GetObjectItemCaseSensitive(entry, "gold");
  for (int i = 0; cJSON_IsArray(gold) && i < docs; i++) {
    const cJSON *want_gold = cJSON_GetArrayItem(gold, i);
    if (cJSON_IsNumber(want_gold)) {
      assert_int_equal(items.at[i].gold, want_gold->valueint);
    }
  }
  items_free(&items);
  task_close(task);
  jsonl_close(&want);
}

static void every_harness_request_is_rendered_alike(void **state) {
  (void)state;
  struct error err;
  char path[1200], *bytes;
  size_t size;
  (void)snprintf(path, sizeof path, "%s/harness/index.json", reference);
  assert_ok(file_read(&bytes, &size, path, &err));
  cJSON *index = cJSON_Parse(bytes);
  free(bytes);
  assert_non_null(index);
  const cJSON *entry;
  int compared = 0;
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(index, "files")) {
    compare_file(entry);
    compared++;
  }
  cJSON_Delete(index);
  assert_true(compared > 0);
  printf("%d files compared\n", compared);
}

int main(void) {
  const char *source = getenv("ESPALIER_SOURCE");
  (void)snprintf(configs, sizeof configs, "%s/configs", source ? source : ".");
  if (!support_folder("reference", reference, sizeof reference) ||
      !support_folder("data", data_folder, sizeof data_folder)) {
    return support_skip("data.harness_render", "no reference or data folder");
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_harness_request_is_rendered_alike)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
