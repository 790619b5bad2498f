/* Every task file that comes with the program opens, and renders where its data are. */
#include "support.h"

#include <dirent.h>

#include "data/task.h"

static char data_folder[1024], configs[1024];

/* A task whose data the user brings opens only with them. */
static bool lacks_data(const struct error *err) {
  return strstr(err->text, "no file '") && strstr(err->text, ".jsonl'");
}

static void check_items(const char *name, const struct items *items) {
  if (items->count == 0) {
    fail_msg("%s: no documents", name);
  }
  for (size_t i = 0; i < items->count; i++) {
    const struct item *item = &items->at[i];
    if (item->choices == 0) {
      assert_non_null(item->text);
      continue;
    }
    for (int j = 0; j < item->choices; j++) {
      if (item->contexts[j][0] == '\0' || item->continuations[j][0] == '\0') {
        fail_msg("%s: document %zu, choice %d is empty", name, i, j);
      }
    }
    assert_true(item->gold < item->choices);
  }
}

/* Returns whether its data are here. */
static bool check_task(const char *name, const struct search *search) {
  struct error err;
  struct task *t;
  struct items items;
  if (task_open(&t, name, search, &err) != STATUS_OK) {
    if (!lacks_data(&err)) {
      fail_msg("%s: %s", name, err.text);
    }
    printf("SKIPPED: %s: %s\n", name, err.text);
    return false;
  }
  assert_string_equal(task_name(t), name);
  if (task_render(t, 0, 3, 0, &items, &err) != STATUS_OK) {
    fail_msg("%s: %s", name, err.text);
  }
  check_items(name, &items);
  items_free(&items);
  task_close(t);
  return true;
}

static void every_task_file_opens_and_renders(void **state) {
  (void)state;
  const char *folders[] = {configs, NULL}, *data[] = {data_folder, NULL};
  struct search search = {folders, data};
  char path[1200];
  (void)snprintf(path, sizeof path, "%s/tasks", configs);
  DIR *dir = opendir(path);
  assert_non_null(dir);
  int files = 0, rendered = 0;
  for (struct dirent *entry; (entry = readdir(dir));) { /* NOLINT(concurrency-mt-unsafe) */
    char name[256];
    size_t n = strlen(entry->d_name);
    if (n > 5 && strcmp(entry->d_name + n - 5, ".yaml") == 0) {
      (void)snprintf(name, sizeof name, "%.*s", (int)(n - 5), entry->d_name);
      files++;
      rendered += check_task(name, &search);
    }
  }
  (void)closedir(dir);
  printf("%d of %d tasks rendered\n", rendered, files);
  assert_true(rendered > 0);
}

int main(void) {
  const char *source = getenv("ESPALIER_SOURCE");
  (void)snprintf(configs, sizeof configs, "%s/configs", source ? source : ".");
  if (!support_folder("data", data_folder, sizeof data_folder)) {
    return support_skip("data.configs", "no data folder");
  }
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_task_file_opens_and_renders)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
