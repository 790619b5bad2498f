/* What a model reads of a data set, as sequences: contexts with their gold answers, or windows. */
#include "folders.h"

#include <unistd.h>

#include "eval/evaluate.h"

static char folder[1200], data_path[] = "/tmp/espalier-sequences-data-XXXXXX",
                          task_path[] = "/tmp/espalier-sequences-task-XXXXXX";
static struct tokenizer *tokenizer;
static struct model *model;
static const char *const nowhere[] = {NULL};
static const struct search search = {nowhere, nowhere};

static struct sequences sequences_of(const char *rest, const char *data, int length) {
  struct error err = {0};
  struct task *t;
  struct evalset *e;
  struct sequences s;
  struct evalset_options options = {.length = length};
  char task[1024];
  (void)snprintf(task, sizeof task, "data: %s\n%s", data_path, rest);
  assert_ok(file_write(data_path, data, strlen(data), &err));
  assert_ok(file_write(task_path, task, strlen(task), &err));
  assert_ok(task_open(&t, task_path, &search, &err));
  assert_ok(evalset_create(&e, t, tokenizer, model, &options, &err));
  assert_ok(evalset_sequences(e, &s, &err));
  evalset_free(e);
  task_close(t);
  return s;
}

static void assert_text(const struct sequences *s, size_t i, const char *text) {
  struct error err = {0};
  struct ids ids = {0};
  assert_ok(tokenizer_encode(tokenizer, text, strlen(text), false, &ids, &err));
  assert_int_equal(sequences_length(s, i), ids.count);
  assert_memory_equal(sequences_at(s, i), ids.at, ids.count * sizeof *ids.at);
  ids_free(&ids);
}

static void choices_give_their_context_and_the_right_one(void **state) {
  (void)state;
  struct sequences s = sequences_of(
      "kind: sentiment\ntype: multiple_choice\ncontext: \"{{text}}\"\n"
      "choices: [dog, \"the cat\"]\nlabel: label\nmetrics: [acc]\n",
      "{\"text\": \"I saw\", \"label\": 1}\n{\"text\": \"Once upon a time\", \"label\": 0}\n", 0);
  assert_int_equal(s.count, 2);
  assert_text(&s, 0, "I saw the cat");
  assert_text(&s, 1, "Once upon a time dog");
  sequences_free(&s);
}

static void texts_give_their_windows(void **state) {
  (void)state;
  struct sequences s = sequences_of(
      "kind: language_modeling\ntype: perplexity\ntext: \"{{text}}\"\nmetrics: [perplexity]\n",
      "{\"text\": \"Once upon a time the cat sat on the mat and saw the dog in the summer\"}\n", 6);
  assert_true(s.count >= 2);
  for (size_t i = 0; i < s.count; i++) {
    assert_int_equal(sequences_length(&s, i), 6);
  }
  sequences_free(&s);
}

int main(void) {
  struct error err;
  if (!folders_model("nano-llama", folder, sizeof folder)) {
    return support_skip("eval.sequences", "no nano-llama folder");
  }
  int files[] = {mkstemp(data_path), mkstemp(task_path)};
  if (files[0] < 0 || files[1] < 0 || tokenizer_open(&tokenizer, folder, &err) != STATUS_OK ||
      model_open(&model, folder, &err) != STATUS_OK) {
    return 1;
  }
  (void)close(files[0]);
  (void)close(files[1]);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(choices_give_their_context_and_the_right_one),
      cmocka_unit_test(texts_give_their_windows),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  (void)unlink(data_path);
  (void)unlink(task_path);
  model_close(model);
  tokenizer_close(tokenizer);
  return failed;
}
