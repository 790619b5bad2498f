/* A task file and, behind a zero byte, its data set: what is accepted renders requests. */
#include "fuzz.h"

#include "data/task.h"

enum { DOCUMENTS = 4 };

static void check_item(const struct item *item) {
  FUZZ_CHECK(item->gold < item->choices || item->choices == 0);
  for (int c = 0; c < item->choices; c++) {
    FUZZ_CHECK(item->contexts[c] && item->continuations[c] && item->answers[c]);
  }
}

static void render(const struct task *t, int shots) {
  struct error err = {0};
  struct items items;
  status st = task_render(t, 0, DOCUMENTS, shots, &items, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    for (size_t i = 0; i < items.count; i++) {
      check_item(&items.at[i]);
    }
    items_free(&items);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct error err = {0};
  const uint8_t *lines;
  size_t rest, first = fuzz_split(data, size, &lines, &rest);
  (void)fuzz_file(0, "test.jsonl", lines, rest);
  const char *path = fuzz_file(1, "task.yaml", data, first);
  const char *const none[] = {NULL}, *const folders[] = {fuzz_folder(), NULL};
  struct search search = {none, folders};
  struct task *t;
  status st = task_open(&t, path, &search, &err);
  fuzz_refused(st, &err);
  if (st == STATUS_OK) {
    render(t, 0);
    render(t, 1);
    task_close(t);
  }
  return 0;
}
