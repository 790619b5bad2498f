/* Calibration files and the user's own JSONL, on the small LLaMA checkpoint. */
#include <unistd.h>

#include "support.h"

#include "base/file.h"
#include "base/str.h"
#include "calib/calib.h"

static char root[256], configs[300], data[300];
static const char *config_list[] = {configs, NULL}, *data_list[] = {data, NULL};
static const struct search search = {config_list, data_list};
static struct model *model;
static struct tokenizer *tokenizer;

static void write_file(const char *name, const char *text) {
  struct error err = {0};
  char *path, *dir;
  assert_ok(path_join(&path, root, name, &err));
  assert_ok(path_dir(&dir, path, &err));
  assert_ok(file_make_dirs(dir, &err));
  assert_ok(file_write(path, text, strlen(text), &err));
  free(dir);
  free(path);
}

static const char *in_root(const char *name) {
  static char path[600];
  (void)snprintf(path, sizeof path, "%s/%s", root, name);
  return path;
}

/* Draws from a calibration file of the given text. */
static status draw_from(const char *yaml, int draws, int samples, int length, struct sequences *out,
                        struct error *err) {
  write_file("configs/calibration/set.yaml", yaml);
  struct calibration *c;
  TRY(calibration_open(&c, "set", &search, err));
  const struct draw draw = {0, 0, draws, samples, samples, length};
  status st = calibration_draw(c, tokenizer, model, &draw, out, err);
  calibration_close(c);
  return st;
}

static struct sequences drawn(const char *yaml, int samples, int length) {
  struct error err = {0};
  struct sequences out = {0};
  assert_ok(draw_from(yaml, 1, samples, length, &out, &err));
  return out;
}

/* As sequences_length and sequences_at, for a sequence that must be there. */
static size_t length_at(const struct sequences *s, size_t i) {
  if (!s->first || i >= s->count) {
    print_error("no sequence %zu\n", i);
    abort();
  }
  return sequences_length(s, i);
}

static const int32_t *ids_at(const struct sequences *s, size_t i) {
  return length_at(s, i) ? sequences_at(s, i) : NULL;
}

static struct ids encode(const char *text) {
  struct error err = {0};
  struct ids ids = {0};
  assert_ok(tokenizer_encode(tokenizer, text, strlen(text), true, &ids, &err));
  return ids;
}

static void assert_ids(const struct sequences *s, size_t i, const struct ids *ids, size_t count) {
  assert_true(i < s->count);
  assert_int_equal(length_at(s, i), count);
  assert_memory_equal(ids_at(s, i), ids->at, count * sizeof *ids->at);
}

static void field_template_and_lines_give_the_documents_tokens(void **state) {
  (void)state;
  struct sequences s = drawn("source: two.jsonl\nfield: text\nsampler: lines\n", 2, 64);
  struct ids first = encode("The first of two texts."), second = encode("Another one");
  assert_ids(&s, 0, &first, first.count);
  assert_ids(&s, 1, &second, second.count);
  assert_int_equal(ids_at(&s, 1)[0], tokenizer_bos(tokenizer));
  sequences_free(&s);
  ids_free(&first);
  s = drawn("source: two.jsonl\ntemplate: \"{{n}}: {{text}}\"\nsampler: lines\n", 1, 4);
  first = encode("1: The first of two texts.");
  assert_ids(&s, 0, &first, 4);
  sequences_free(&s);
  ids_free(&first);
  ids_free(&second);
}

static void packed_joins_documents_with_their_special_tokens(void **state) {
  (void)state;
  struct ids first = encode("The first of two texts."), second = encode("Another one");
  struct error err = {0};
  assert_ok(ids_append(&first, second.at, second.count, &err));
  struct sequences s = drawn("source: two.jsonl\nfield: text\n", 1, (int)first.count);
  assert_ids(&s, 0, &first, first.count);
  sequences_free(&s);
  ids_free(&first);
  ids_free(&second);
}

static void concatenate_joins_texts_before_it_tokenises(void **state) {
  (void)state;
  struct ids whole = encode("The first of two texts.|Another one");
  struct sequences s = drawn("source: two.jsonl\nfield: text\nsampler: concatenate\njoin: \"|\"\n",
                             1, (int)whole.count - 1);
  assert_ids(&s, 0, &whole, whole.count - 1);
  sequences_free(&s);
  ids_free(&whole);
}

static void ids_are_replayed_as_they_stand(void **state) {
  (void)state;
  struct sequences s = drawn("source: ids.jsonl\nids: input_ids\n", 2, 4);
  const int32_t first[] = {5, 6, 7, 8}, second[] = {9};
  assert_int_equal(length_at(&s, 0), 4);
  assert_memory_equal(ids_at(&s, 0), first, sizeof first);
  assert_int_equal(length_at(&s, 1), 1);
  assert_memory_equal(ids_at(&s, 1), second, sizeof second);
  sequences_free(&s);
}

static void a_task_gives_prompts_with_or_without_answers(void **state) {
  (void)state;
  struct sequences s = drawn("source: labels.jsonl\ntask: mood\nsampler: lines\n", 1, 64);
  struct ids ids = encode("good film\nMood: happy");
  assert_ids(&s, 0, &ids, ids.count);
  sequences_free(&s);
  ids_free(&ids);
  s = drawn("source: labels.jsonl\ntask: mood\nanswers: false\nsampler: lines\n", 1, 64);
  ids = encode("good film\nMood:");
  assert_ids(&s, 0, &ids, ids.count);
  sequences_free(&s);
  ids_free(&ids);
}

static void an_included_file_gives_what_the_including_one_leaves_out(void **state) {
  (void)state;
  write_file("configs/calibration/base.yaml",
             "calibration: base\nsource: two.jsonl\nfield: text\nsampler: lines\n");
  struct sequences s = drawn("include: base\ntemplate: \"Text {{text}}\"\n", 1, 64);
  struct ids ids = encode("Text The first of two texts.");
  assert_ids(&s, 0, &ids, ids.count);
  sequences_free(&s);
  ids_free(&ids);
  struct error err = {0};
  struct sequences out = {0};
  assert_fails(draw_from("include: set\n", 1, 1, 8, &out, &err), STATUS_INPUT, "files deep");
}

static void names_are_files_folders_or_paths(void **state) {
  (void)state;
  struct error err = {0};
  struct calibration *c;
  write_file("configs/calibration/set.yaml", "source: two.jsonl\nfield: text\n");
  assert_ok(calibration_open(&c, "set", &search, &err));
  assert_string_equal(calibration_name(c), "set");
  assert_string_equal(path_base(calibration_data(c)), "two.jsonl");
  calibration_close(c);
  assert_ok(calibration_open(&c, "plain", &search, &err));
  assert_string_equal(calibration_name(c), "plain");
  assert_string_equal(path_base(calibration_data(c)), "test.jsonl");
  calibration_close(c);
  assert_ok(calibration_open(&c, in_root("data/plain/"), &search, &err));
  assert_string_equal(calibration_name(c), "plain");
  calibration_close(c);
  assert_ok(calibration_open(&c, in_root("configs/calibration/set.yaml"), &search, &err));
  assert_string_equal(calibration_name(c), "set");
  calibration_close(c);
  assert_fails(calibration_open(&c, "sett", &search, &err), STATUS_INPUT,
               "unknown calibration set 'sett' (did you mean 'set'?)");
}

struct bad {
  const char *text, *part;
};

static void bad_sets_are_refused_with_file_and_line(void **state) {
  (void)state;
  static const struct bad cases[] = {
      {"source: two.jsonl\nfeild: text\n", "set.yaml:2: unknown key 'feild' in a calibration file "
                                           "(did you mean 'field'?)"},
      {"source: two.jsonl\n", "set.yaml: nothing says what a document is"},
      {"field: text\n", "set.yaml: no source"},
      {"source: three.jsonl\nfield: text\n", "set.yaml:1: source: no file 'three.jsonl'"},
      {"source: two.jsonl\nfield: text\nids: text\n", "set.yaml:3: 'ids' beside 'field'"},
      {"source: two.jsonl\nfield: text\nsampler: pack\n",
       "set.yaml:3: unknown sampler 'pack' (did you mean 'packed'?)"},
      {"source: ids.jsonl\nids: input_ids\nsampler: concatenate\n", "set.yaml:3: sampler concat"},
      {"source: two.jsonl\nfield: text\njoin: x\n", "set.yaml:3: join means nothing"},
      {"source: two.jsonl\nfield: text\nanswers: true\n", "set.yaml:3: answers without task"},
      {"source: two.jsonl\ntask: mod\n", "set.yaml:2: "},
      {"calibration: a/b\nsource: two.jsonl\nfield: text\n", "set.yaml:1: calibration 'a/b'"},
      {"include: nobody\n", "set.yaml:1: include: no calibration set or file 'nobody'"},
      {"source: two.jsonl\ntemplate: \"{{\"\n", "set.yaml:2"},
      {"source: two.jsonl\nfield: body\n", "two.jsonl:1: "},
      {"source: two.jsonl\nfield: n\n", "two.jsonl:1: 'n' is a number (expected a text)"},
      {"source: broken.jsonl\nfield: text\n", "broken.jsonl:2: "},
      {"source: empty.jsonl\nfield: text\n", "empty.jsonl: calibration set set is empty"},
      {"source: none.jsonl\nfield: text\n", "none.jsonl: no lines"},
      {"source: big.jsonl\nids: input_ids\n", "big.jsonl:1: token id 4096 is outside"},
      {"source: two.jsonl\nids: text\n", "two.jsonl:1: 'text' is not a list of token ids"},
      {"source: half.jsonl\nids: input_ids\n", "half.jsonl:1: 'input_ids' holds something"},
  };
  int failed = 0;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct error err = {0};
    struct sequences out = {0};
    status st = draw_from(cases[i].text, 1, 1, 2, &out, &err);
    if (st != STATUS_INPUT || !strstr(err.text, cases[i].part)) {
      print_error("case %zu: status %d '%s' lacks '%s'\n", i, (int)st, err.text, cases[i].part);
      failed++;
    }
    sequences_free(&out);
  }
  assert_int_equal(failed, 0);
}

static void a_set_too_small_is_refused_with_numbers(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences out = {0};
  assert_fails(draw_from("source: two.jsonl\nfield: text\n", 10, 128, 1024, &out, &err),
               STATUS_INPUT, "needs 10 draws × 128 samples × 1024 tokens; the file has ");
  assert_fails(draw_from("source: two.jsonl\nfield: text\n", 1, 1, 1025, &out, &err), STATUS_INPUT,
               "length 1025 is above the model's 1024 positions");
}

static void a_users_file_gives_one_sequence_a_line(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences s = {0};
  struct ids first = encode("The first of two texts.");
  assert_ok(calibration_read(in_root("data/two.jsonl"), tokenizer, model, 0, 0, &s, &err));
  assert_int_equal(s.count, 2);
  assert_ids(&s, 0, &first, first.count);
  sequences_free(&s);
  assert_ok(calibration_read(in_root("data/two.jsonl"), tokenizer, model, 1, 3, &s, &err));
  assert_int_equal(s.count, 1);
  assert_ids(&s, 0, &first, 3);
  sequences_free(&s);
  assert_ok(calibration_read(in_root("data/ids.jsonl"), NULL, model, 0, 0, &s, &err));
  assert_int_equal(s.count, 2);
  assert_int_equal(length_at(&s, 0), 5);
  sequences_free(&s);
  ids_free(&first);
}

static void bad_users_files_are_refused_with_their_line(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences s = {0};
  write_file("data/bad.jsonl", "{\"text\": \"a\"}\n{\"text\": \"\"}\n");
#define READ(name, samples, length)                                                                \
  calibration_read(in_root("data/" name), tokenizer, model, samples, length, &s, &err)
  assert_fails(READ("bad.jsonl", 0, 0), STATUS_INPUT, "bad.jsonl:2: 'text' is empty");
  assert_fails(READ("none.jsonl", 0, 0), STATUS_INPUT, "none.jsonl: no lines");
  assert_fails(READ("broken.jsonl", 0, 0), STATUS_INPUT, "broken.jsonl:2: ");
  assert_fails(READ("big.jsonl", 0, 0), STATUS_INPUT, "big.jsonl:1: token id 4096");
  assert_fails(READ("two.jsonl", 3, 0), STATUS_INPUT, "2 lines, and 3 samples");
  assert_fails(READ("two.jsonl", 0, 1025), STATUS_INPUT, "length 1025 is above");
  assert_fails(READ("labels.jsonl", 0, 0), STATUS_INPUT, "neither 'text' nor 'input_ids'");
  assert_true(READ("absent.jsonl", 0, 0) != STATUS_OK);
  write_file("data/bad.jsonl", "{\"input_ids\": []}\n");
  assert_fails(READ("bad.jsonl", 0, 0), STATUS_INPUT, "bad.jsonl:1: no token");
  write_file("data/bad.jsonl", "{\"input_ids\": [1], \"text\": \"a\"}\n");
  assert_fails(READ("bad.jsonl", 0, 0), STATUS_INPUT, "bad.jsonl:1: both");
#undef READ
}

static int set_up(void **state) {
  (void)state;
  const char *tmp = getenv("TMPDIR");
  (void)snprintf(root, sizeof root, "%s/espalier-calib-XXXXXX", tmp ? tmp : "/tmp");
  assert_non_null(mkdtemp(root));
  (void)snprintf(configs, sizeof configs, "%s/configs", root);
  (void)snprintf(data, sizeof data, "%s/data", root);
  write_file("data/two.jsonl", "{\"text\": \"The first of two texts.\", \"n\": 1}\n"
                               "{\"text\": \"Another one\", \"n\": 2}\n");
  write_file("data/plain/test.jsonl", "{\"text\": \"a\"}\n");
  write_file("data/ids.jsonl", "{\"input_ids\": [5, 6, 7, 8, 10]}\n{\"input_ids\": [9]}\n");
  write_file("data/big.jsonl", "{\"input_ids\": [4096]}\n");
  write_file("data/half.jsonl", "{\"input_ids\": [1.5]}\n");
  write_file("data/broken.jsonl", "{\"text\": \"a\"}\n{\"text\": \n");
  write_file("data/empty.jsonl", "{\"text\": \"\"}\n{\"text\": \"\"}\n");
  write_file("data/none.jsonl", "");
  write_file("data/labels.jsonl", "{\"s\": \"good film\", \"label\": 1}\n");
  write_file("configs/tasks/mood.yaml",
             "kind: sentiment\ntype: multiple_choice\ndata: labels.jsonl\n"
             "context: \"{{s}}\\nMood:\"\nchoices: [sad, happy]\nlabel: label\nmetrics: [acc]\n");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  char command[400];
  (void)snprintf(command, sizeof command, "rm -rf '%s'", root);
  tokenizer_close(tokenizer);
  model_close(model);
  return system(command); /* NOLINT(bugprone-command-processor,cert-env33-c) */
}

int main(void) {
  struct error err = {0};
  char folder[600];
  const char *source = getenv("ESPALIER_SOURCE");
  (void)snprintf(folder, sizeof folder, "%s/experiments/demo/nano-llama", source ? source : ".");
  if (model_open(&model, folder, &err) || tokenizer_open(&tokenizer, folder, &err)) {
    (void)fprintf(stderr, "%s\n", err.text);
    return 1;
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(field_template_and_lines_give_the_documents_tokens),
      cmocka_unit_test(packed_joins_documents_with_their_special_tokens),
      cmocka_unit_test(concatenate_joins_texts_before_it_tokenises),
      cmocka_unit_test(ids_are_replayed_as_they_stand),
      cmocka_unit_test(a_task_gives_prompts_with_or_without_answers),
      cmocka_unit_test(an_included_file_gives_what_the_including_one_leaves_out),
      cmocka_unit_test(names_are_files_folders_or_paths),
      cmocka_unit_test(bad_sets_are_refused_with_file_and_line),
      cmocka_unit_test(a_set_too_small_is_refused_with_numbers),
      cmocka_unit_test(a_users_file_gives_one_sequence_a_line),
      cmocka_unit_test(bad_users_files_are_refused_with_their_line),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
