/* Tasks' prompts as documents: description, examples, answers. */
#include "calib/scratch.h"

enum { ITEMS = 6 };

static const char *const moods[] = {"sad", "happy"};

/* The text of a sequence's tokens must be the text's. */
static void assert_text(const struct sequences *s, size_t i, const char *text) {
  struct error err = {0};
  struct ids ids = {0};
  assert_ok(tokenizer_encode(tokenizer, text, strlen(text), true, &ids, &err));
  assert_int_equal(sequences_length(s, i), ids.count);
  assert_memory_equal(sequences_at(s, i), ids.at, ids.count * sizeof *ids.at);
  ids_free(&ids);
}

static void example(char *out, size_t size, int i) {
  (void)snprintf(out, size, "film %d\nMood: %s\n\n", i, moods[i % 2]);
}

static const struct draw all = {0, 0, 1, ITEMS, ITEMS, 256};

/* Which examples come is the harness's matter; here: two different ones, never the item itself,
 * with their answers, and the item behind them. */
static void assert_examples(bool answers) {
  char yaml[160];
  (void)snprintf(yaml, sizeof yaml,
                 "source: moods.jsonl\ntask: mood\nshots: 2\nanswers: %s\nsampler: lines\n",
                 answers ? "true" : "false");
  struct sequences s = drawn_as(yaml, &all);
  for (int i = 0; i < ITEMS; i++) {
    char text[256], one[64], two[64];
    int found = 0;
    for (int a = 0; a < ITEMS; a++) {
      for (int b = 0; b < ITEMS; b++) {
        struct error err = {0};
        struct ids ids = {0};
        example(one, sizeof one, a);
        example(two, sizeof two, b);
        (void)snprintf(text, sizeof text, "%s%sfilm %d\nMood:%s%s", one, two, i, answers ? " " : "",
                       answers ? moods[i % 2] : "");
        assert_ok(tokenizer_encode(tokenizer, text, strlen(text), true, &ids, &err));
        if (ids.count == sequences_length(&s, (size_t)i) &&
            memcmp(ids.at, sequences_at(&s, (size_t)i), ids.count * sizeof *ids.at) == 0) {
          assert_true(a != i && b != i && a != b);
          found++;
        }
        ids_free(&ids);
      }
    }
    assert_int_equal(found, 1);
  }
  sequences_free(&s);
}

static void examples_stand_before_prompts_with_their_answers(void **state) {
  (void)state;
  assert_examples(true);
  assert_examples(false);
}

static void a_description_stands_before_all(void **state) {
  (void)state;
  struct sequences s = drawn_as("source: moods.jsonl\ntask: told\nsampler: lines\n", &all);
  assert_text(&s, 1, "What mood?\n\nfilm 1\nMood: happy");
  sequences_free(&s);
}

static void no_shots_is_the_prompt_alone(void **state) {
  (void)state;
  struct sequences s =
      drawn_as("source: moods.jsonl\ntask: mood\nshots: 0\nsampler: lines\n", &all);
  assert_text(&s, 2, "film 2\nMood: sad");
  sequences_free(&s);
}

static void bad_shots_are_refused(void **state) {
  (void)state;
  static const struct bad cases[] = {
      {"source: moods.jsonl\nfield: s\nshots: 1\n", "set.yaml:3: shots without task"},
      {"source: moods.jsonl\ntask: mood\nshots: -1\n", "set.yaml:3: 'shots' is -1"},
      {"source: moods.jsonl\ntask: mood\nshots: many\n", "set.yaml:3: 'shots' is"},
      {"source: moods.jsonl\ntask: mood\nshots: 6\n", "6 examples for 6 shots of task mood"},
      {"source: moods.jsonl\ntask: texts\nshots: 1\n",
       "set.yaml:3: shots: task texts has texts, not prompts with answers"},
  };
  assert_refused(cases, sizeof cases / sizeof cases[0], &all);
}

static int set_up(void **state) {
  (void)scratch_open(state);
  char lines[600] = "";
  size_t at = 0;
  for (int i = 0; i < ITEMS; i++) {
    at += (size_t)snprintf(lines + at, sizeof lines - at, "{\"s\": \"film %d\", \"label\": %d}\n",
                           i, i % 2);
  }
  write_file("data/moods.jsonl", lines);
#define MOOD                                                                                       \
  "kind: sentiment\ntype: multiple_choice\ndata: moods.jsonl\n"                                    \
  "context: \"{{s}}\\nMood:\"\nchoices: [sad, happy]\nlabel: label\nmetrics: [acc]\n"
  write_file("configs/tasks/mood.yaml", MOOD);
  write_file("configs/tasks/told.yaml", MOOD "description: \"What mood?\\n\\n\"\n");
  write_file("configs/tasks/texts.yaml", "kind: language_modeling\ntype: perplexity\n"
                                         "data: moods.jsonl\ntext: \"{{s}}\"\n"
                                         "metrics: [perplexity]\n");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(examples_stand_before_prompts_with_their_answers),
      cmocka_unit_test(a_description_stands_before_all),
      cmocka_unit_test(no_shots_is_the_prompt_alone),
      cmocka_unit_test(bad_shots_are_refused),
  };
  return cmocka_run_group_tests(tests, set_up, scratch_close);
}
