/* Task files: what they say, and every refusal with its file and line. */
#include "files.h"

#include "base/str.h"
#include "data/task.h"

static const char *const folders[] = {files_folder, NULL};
static const struct search search = {folders, folders};

static const char base_task[] = "kind: sentiment\n"
                                "type: multiple_choice\n"
                                "data: d.jsonl\n"
                                "context: \"{{text}} is\"\n"
                                "choices: [bad, good]\n"
                                "label: label\n";
static const char base_data[] =
    "{\"text\": \"A\", \"label\": 0}\n{\"text\": \"B\", \"label\": 1}\n";

static status open_task(const char *text, struct task **out, struct error *err) {
  return task_open(out, files_put("t.yaml", text), &search, err);
}

static void a_task_says_what_to_ask(void **state) {
  (void)state;
  struct error err;
  struct task *t;
  struct items items;
  (void)files_put("d.jsonl", base_data);
  assert_ok(open_task(base_task, &t, &err));
  assert_string_equal(task_name(t), "t");
  assert_string_equal(task_kind_name(task_kind(t)), "sentiment");
  assert_int_equal(task_type(t), TASK_MULTIPLE_CHOICE);
  assert_string_equal(task_metrics(t)[0], "acc");
  assert_null(task_metrics(t)[1]);
  assert_string_equal(task_data(t), files_path("d.jsonl"));
  assert_ok(task_render(t, 1, 0, 0, &items, &err));
  assert_int_equal(items.count, 1);
  assert_int_equal(items.at[0].doc, 1);
  assert_int_equal(items.at[0].line, 2);
  assert_int_equal(items.at[0].gold, 1);
  assert_int_equal(items.at[0].choices, 2);
  assert_string_equal(items.at[0].contexts[0], "B is");
  assert_ptr_equal(items.at[0].contexts[0], items.at[0].contexts[1]);
  assert_string_equal(items.at[0].continuations[1], " good");
  assert_string_equal(items.at[0].answers[1], "good");
  items_free(&items);
  task_close(t);
}

static void a_file_sorted_by_label_can_be_shuffled(void **state) {
  (void)state;
  struct error err;
  struct task *t;
  struct items all, some;
  struct str data = {0};
  for (int i = 0; i < 40; i++) {
    assert_ok(str_addf(&data, &err, "{\"text\": \"t%d\", \"label\": %d}\n", i, i >= 20));
  }
  (void)files_put("d.jsonl", data.at);
  str_free(&data);
  struct str text = {0};
  assert_ok(str_addf(&text, &err, "%sorder: shuffled\n", base_task));
  assert_ok(open_task(text.at, &t, &err));
  str_free(&text);
  assert_ok(task_render(t, 0, 0, 0, &all, &err));
  assert_ok(task_render(t, 0, 10, 0, &some, &err));
  assert_int_equal(all.count, 40);
  int seen[40] = {0}, good = 0;
  for (size_t i = 0; i < 40; i++) {
    char wanted[16];
    seen[all.at[i].doc]++;
    (void)snprintf(wanted, sizeof wanted, "t%d is", all.at[i].doc);
    assert_string_equal(all.at[i].contexts[0], wanted);
    assert_int_equal(all.at[i].line, all.at[i].doc + 1);
  }
  for (size_t i = 0; i < 10; i++) {
    assert_int_equal(some.at[i].doc, all.at[i].doc);
    good += some.at[i].gold;
  }
  for (size_t i = 0; i < 40; i++) {
    assert_int_equal(seen[i], 1);
  }
  assert_in_range(good, 1, 9);
  items_free(&all);
  items_free(&some);
  task_close(t);
  struct str bad = {0};
  assert_ok(str_addf(&bad, &err, "%sorder: shufled\n", base_task));
  assert_fails(open_task(bad.at, &t, &err), STATUS_INPUT, "t.yaml:7: unknown order 'shufled'");
  str_free(&bad);
}

static void include_gives_what_the_file_does_not(void **state) {
  (void)state;
  struct error err;
  struct task *t, *same;
  struct items items;
  (void)files_put("d.jsonl", base_data);
  (void)files_put("base.yaml", base_task);
  assert_ok(
      open_task("include: base.yaml\nchoices: [\"no\", \"yes\"]\ndelimiter: \"\"\n", &t, &err));
  assert_ok(task_render(t, 0, 0, 0, &items, &err));
  assert_string_equal(items.at[0].continuations[1], "yes");
  assert_string_equal(items.at[0].contexts[1], "A is");
  assert_ok(task_open(&same, files_path("base.yaml"), &search, &err));
  assert_string_not_equal(task_digest(t), task_digest(same));
  task_close(same);
  items_free(&items);
  task_close(t);
  (void)files_put("base.yaml", "include: t.yaml\n");
  assert_fails(open_task("include: base.yaml\n", &t, &err), STATUS_INPUT, "include each other");
  assert_fails(open_task("kind: topic\ninclude: none.yaml\n", &t, &err), STATUS_INPUT,
               "t.yaml:2: no file");
}

static void the_digest_is_of_what_is_asked(void **state) {
  (void)state;
  struct error err;
  struct task *a, *b, *c;
  (void)files_put("d.jsonl", base_data);
  char text[1024];
  assert_ok(open_task(base_task, &a, &err));
  (void)snprintf(text, sizeof text, "# another name\ntask: other\norigin: here\n%s", base_task);
  assert_ok(open_task(text, &b, &err));
  (void)snprintf(text, sizeof text, "%sdelimiter: \"  \"\n", base_task);
  assert_ok(open_task(text, &c, &err));
  assert_string_equal(task_name(b), "other");
  assert_string_equal(task_digest(a), task_digest(b));
  assert_string_not_equal(task_digest(a), task_digest(c));
  task_close(a);
  task_close(b);
  task_close(c);
}

/* Replaces the line of base_task that begins as `line` does up to its colon. */
static const char *with(const char *line) {
  static char text[2048];
  size_t key = (size_t)(strchr(line, ':') - line) + 1, n = 0;
  bool replaced = false;
  for (const char *at = base_task; *at;) {
    size_t length = (size_t)(strchr(at, '\n') - at) + 1;
    bool here = strncmp(at, line, key) == 0;
    replaced = replaced || here;
    n += (size_t)snprintf(text + n, sizeof text - n, "%.*s%s", here ? 0 : (int)length, at,
                          here ? line : "");
    at += length;
  }
  if (!replaced) {
    (void)snprintf(text + n, sizeof text - n, "%s", line);
  }
  return text;
}

static void wrong_task_files_are_refused_with_file_and_line(void **state) {
  (void)state;
  static const struct {
    const char *line, *what;
  } cases[] = {
      {"kind: sentimant\n", "t.yaml:1: "},
      {"kind: ~\n", "t.yaml: key 'kind' is missing"},
      {"type: multiplechoice\n", "t.yaml:2: "},
      {"data: none.jsonl\n", "t.yaml:3: no file 'none.jsonl'"},
      {"data: [a]\n", "t.yaml:3: "},
      {"context: ~\n", "key 'context' is missing (a multiple_choice task needs it)"},
      {"context: \"{{text}\"\n", "t.yaml:4: '}}' expected"},
      {"choices: []\n", "t.yaml:5: choices is an empty list"},
      {"choices: [\"{{a | srtip}}\", b]\n", "t.yaml:5: unknown filter 'srtip'"},
      {"label: \"(label\"\n", "t.yaml:6: ')' expected"},
      {"chioces: [a]\n",
       "t.yaml:7: unknown key 'chioces' in a task file (did you mean 'choices'?)"},
      {"join: x\n", "t.yaml:7: key 'join' does not belong in a multiple_choice task"},
      {"target: x\n", "t.yaml:7: key 'target' does not belong"},
      {"metrics: [acc, perplexity]\n", "t.yaml:7: "},
      {"metrics: [acc, acc]\n", "t.yaml:7: metric 'acc' stands twice"},
      {"metrics: acc\n", "t.yaml:7: metrics expects a list"},
      {"fields: [a]\n", "t.yaml:7: fields expects names"},
      {"fewshot: {shtos: 1}\n", "t.yaml:7: unknown key 'shtos' in fewshot (did you mean 'shots'?)"},
      {"fewshot: {sampler: last}\n", "t.yaml:7: "},
      {"fewshot: {shots: -1}\n", "t.yaml:7: "},
      {"kind: topic\nkind: topic\n", "t.yaml:2: "},
  };
  (void)files_put("d.jsonl", base_data);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error err;
    struct task *t;
    assert_fails(open_task(with(cases[i].line), &t, &err), STATUS_INPUT, cases[i].what);
    assert_non_null(strstr(err.text, "t.yaml"));
  }
  struct error err;
  struct task *t;
  (void)files_put("tasks.txt", "");
  assert_ok(file_make_dirs(files_path("tasks"), &err));
  (void)files_put("tasks/sst2.yaml", base_task);
  assert_fails(task_open(&t, "sst", &search, &err), STATUS_INPUT,
               "no task 'sst' (did you mean 'sst2'?)");
  assert_ok(task_open(&t, "sst2", &search, &err));
  assert_string_equal(task_name(t), "sst2");
  task_close(t);
}

static void data_that_do_not_fit_are_refused_with_file_and_line(void **state) {
  (void)state;
  static const struct {
    const char *line, *data, *what;
  } cases[] = {
      {"label: label\n", "{\"text\": \"\", \"label\": 0}\n{\"text\": \"\", \"label\": 2}\n",
       "d.jsonl:2: label 2 is out of range (expected 0 to 1)"},
      {"label: label\n", "{\"text\": \"\", \"label\": -1}\n",
       "d.jsonl:1: label -1 is out of range"},
      {"label: label\n", "{\"text\": \"\", \"label\": 0.5}\n",
       "d.jsonl:1: label 0.5 is out of range"},
      {"label: label\n", "{\"text\": \"\", \"label\": \"fine\"}\n",
       "d.jsonl:1: label 'fine' is not among the 2 choices ('bad', ...)"},
      {"label: label\n", "{\"text\": \"\", \"label\": null}\n", "d.jsonl:1: label is null"},
      {"label: label\n", "\n{\"txt\": \"\", \"label\": 0}\n", "d.jsonl:2: no field 'text'"},
      {"label: label\n", "{\"text\": [1], \"label\": 0}\n", "d.jsonl:1: a list (expected a text)"},
      {"choices: [a, \"{{text}}\"]\n", "{\"text\": \"\", \"label\": 0}\n",
       "d.jsonl:1: choice 2 is empty"},
      {"choices: \"{{list}}\"\n", "{\"text\": \"\", \"label\": 0, \"list\": []}\n",
       "d.jsonl:1: no choices"},
      {"choices: \"{{list}}\"\n", "{\"text\": \"\", \"label\": 0, \"list\": [\"a\", {}]}\n",
       "d.jsonl:1: an object (expected a text)"},
      {"context: [\"1\", \"2\", \"3\"]\n", "{\"text\": \"\", \"label\": 0}\n",
       "d.jsonl:1: 3 contexts and 2 choices"},
      {"where: label > 5\n", "{\"text\": \"\", \"label\": 0}\n", "d.jsonl: no line passes 'where'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error err;
    struct task *t;
    struct items items;
    (void)files_put("d.jsonl", cases[i].data);
    assert_ok(open_task(with(cases[i].line), &t, &err));
    assert_fails(task_render(t, 0, 0, 0, &items, &err), STATUS_INPUT, cases[i].what);
    task_close(t);
  }
}

static void labels_may_be_indices_texts_letters_or_booleans(void **state) {
  (void)state;
  static const struct {
    const char *label, *data;
  } cases[] = {
      {"label: label\n", "{\"text\": \"\", \"label\": \"good\"}\n"},
      {"label: label\n", "{\"text\": \"\", \"label\": true}\n"},
      {"label: label | letter\n", "{\"text\": \"\", \"label\": \"b\"}\n"},
      {"label: (label | int) - 1\n", "{\"text\": \"\", \"label\": \"2\"}\n"},
      {"label: \"{{ letters | index(label) }}\"\n",
       "{\"text\": \"\", \"label\": \"Q\", \"letters\": [\"P\", \"Q\"]}\n"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error err;
    struct task *t;
    struct items items;
    (void)files_put("d.jsonl", cases[i].data);
    assert_ok(open_task(with(cases[i].label), &t, &err));
    assert_ok(task_render(t, 0, 0, 0, &items, &err));
    assert_int_equal(items.at[0].gold, 1);
    items_free(&items);
    task_close(t);
  }
}

static void examples_need_a_pool_that_is_large_enough(void **state) {
  (void)state;
  struct error err;
  struct task *t;
  struct items items;
  (void)files_put("d.jsonl", base_data);
  assert_ok(open_task(with("train: none.jsonl\n"), &t, &err));
  assert_ok(task_render(t, 0, 0, 0, &items, &err));
  items_free(&items);
  assert_fails(task_render(t, 0, 0, 1, &items, &err), STATUS_INPUT,
               "t.yaml:7: no file 'none.jsonl'");
  task_close(t);
  assert_ok(open_task(base_task, &t, &err));
  assert_fails(task_render(t, 0, 0, 2, &items, &err), STATUS_INPUT, "2 examples for 2 shots");
  assert_ok(task_render(t, 0, 0, 1, &items, &err));
  assert_string_equal(items.at[0].contexts[0], "B is good\n\nA is");
  assert_string_equal(items.at[1].contexts[0], "A is bad\n\nB is");
  items_free(&items);
  task_close(t);
}

/* Copies of the document in the pool are dropped; when too few rows remain the pool without them is
 * drawn from afresh. */
static void copies_of_the_document_are_never_its_examples(void **state) {
  (void)state;
  struct error err;
  struct task *t;
  struct items items;
  struct str pool = {0};
  for (int i = 0; i < 12; i++) {
    assert_ok(
        str_addf(&pool, &err, "{\"label\": %d, \"text\": \"%s\"}\n", i == 11, i == 11 ? "B" : "A"));
  }
  assert_ok(str_addf(&pool, &err, "{\"label\": 1, \"text\": \"C\"}\n"));
  (void)files_put("pool.jsonl", pool.at);
  str_free(&pool);
  (void)files_put("d.jsonl", base_data);
  assert_ok(open_task(with("train: pool.jsonl\n"), &t, &err));
  assert_ok(task_render(t, 0, 1, 2, &items, &err));
  assert_null(strstr(items.at[0].contexts[0], "A is bad"));
  assert_non_null(strstr(items.at[0].contexts[0], "B is good\n\n"));
  assert_non_null(strstr(items.at[0].contexts[0], "C is good\n\n"));
  items_free(&items);
  assert_fails(task_render(t, 0, 1, 3, &items, &err), STATUS_INPUT, "examples that differ");
  task_close(t);
}

static void texts_of_a_perplexity_task_may_be_empty(void **state) {
  (void)state;
  struct error err;
  struct task *t;
  struct items items;
  (void)files_put("d.jsonl", "{\"text\": \"\"}\n{\"text\": \"a\"}\n");
  assert_ok(open_task(
      "kind: language_modeling\ntype: perplexity\ndata: d.jsonl\ntext: \"{{text}}\"\n", &t, &err));
  assert_string_equal(task_join(t), "\n\n");
  assert_string_equal(task_metrics(t)[0], "perplexity");
  assert_ok(task_render(t, 0, 0, 0, &items, &err));
  assert_int_equal(items.count, 2);
  assert_string_equal(items.at[0].text, "");
  assert_string_equal(items.at[1].text, "a");
  assert_int_equal(items.at[1].choices, 0);
  items_free(&items);
  task_close(t);
}

static void pages_are_documents_made_of_lines(void **state) {
  (void)state;
  struct error err;
  struct task *t;
  struct items items;
  static const char task[] = "kind: language_modeling\n"
                             "type: rolling\n"
                             "data: d.jsonl\n"
                             "pages:\n"
                             "  starts: text | starts_with('#')\n"
                             "  line: \"{{text | strip}}\"\n"
                             "text: \"{{text | lower}}\"\n"
                             "counted: \"{{text}}\"\n";
  (void)files_put("d.jsonl", "{\"text\": \"lost\"}\n{\"text\": \"# A\"}\n\n{\"text\": \" B \"}\n"
                             "{\"text\": \"# C\"}\n");
  assert_ok(open_task(task, &t, &err));
  assert_int_equal(task_type(t), TASK_ROLLING);
  assert_string_equal(task_metrics(t)[0], "word_perplexity");
  assert_ok(task_render(t, 0, 0, 0, &items, &err));
  assert_int_equal(items.count, 2);
  assert_string_equal(items.at[0].text, "# a\nb");
  assert_string_equal(items.at[0].counted, "# A\nB");
  assert_int_equal(items.at[0].line, 2);
  assert_string_equal(items.at[1].text, "# c");
  assert_int_equal(items.at[1].line, 5);
  items_free(&items);
  assert_ok(task_render(t, 0, 1, 0, &items, &err));
  assert_int_equal(items.count, 1);
  assert_string_equal(items.at[0].text, "# a\nb"); /* a limit counts pages, not lines */
  items_free(&items);
  (void)files_put("d.jsonl", "{\"text\": \"lost\"}\n");
  assert_fails(task_render(t, 0, 0, 0, &items, &err), STATUS_INPUT,
               "d.jsonl: no line begins a document by");
  assert_non_null(strstr(err.text, "t.yaml:5"));
  (void)files_put("d.jsonl", "{\"text\": \"# A\"}\n{\"word\": 1}\n");
  assert_fails(task_render(t, 0, 0, 0, &items, &err), STATUS_INPUT, "d.jsonl:2: ");
  task_close(t);
  assert_fails(open_task("kind: language_modeling\ntype: rolling\ndata: d.jsonl\ntext: a\n"
                         "pages: {line: a}\n",
                         &t, &err),
               STATUS_INPUT, "t.yaml:5: pages: key 'starts' is missing");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_task_says_what_to_ask),
      cmocka_unit_test(a_file_sorted_by_label_can_be_shuffled),
      cmocka_unit_test(include_gives_what_the_file_does_not),
      cmocka_unit_test(the_digest_is_of_what_is_asked),
      cmocka_unit_test(wrong_task_files_are_refused_with_file_and_line),
      cmocka_unit_test(data_that_do_not_fit_are_refused_with_file_and_line),
      cmocka_unit_test(labels_may_be_indices_texts_letters_or_booleans),
      cmocka_unit_test(examples_need_a_pool_that_is_large_enough),
      cmocka_unit_test(copies_of_the_document_are_never_its_examples),
      cmocka_unit_test(texts_of_a_perplexity_task_may_be_empty),
      cmocka_unit_test(pages_are_documents_made_of_lines),
  };
  return cmocka_run_group_tests(tests, files_setup, files_teardown);
}
