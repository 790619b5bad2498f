/* Mixtures: shares, their order, and what is refused. */
#include "calib/scratch.h"

#include "base/str.h"

enum { LENGTH = 8 };

/* Set NAME: `windows` documents of LENGTH ids, each the id `first` + its number. */
static void write_set(const char *name, int first, int windows) {
  struct error err = {0};
  struct str text = {0};
  char path[64], yaml[128];
  for (int i = 0; i < windows; i++) {
    assert_ok(str_addf(&text, &err, "{\"input_ids\": ["));
    for (int k = 0; k < LENGTH; k++) {
      assert_ok(str_addf(&text, &err, "%s%d", k ? ", " : "", first + i));
    }
    assert_ok(str_addf(&text, &err, "]}\n"));
  }
  (void)snprintf(path, sizeof path, "data/%s.jsonl", name);
  write_file(path, text.at);
  (void)snprintf(path, sizeof path, "configs/calibration/%s.yaml", name);
  (void)snprintf(yaml, sizeof yaml, "source: %s.jsonl\nids: input_ids\nsampler: packed\n", name);
  write_file(path, yaml);
  str_free(&text);
}

/* Of the first `samples` sequences, how many come from each of sets a, b, c. */
static void count_parts(const struct sequences *s, size_t samples, int *counts) {
  counts[0] = counts[1] = counts[2] = 0;
  for (size_t i = 0; i < samples; i++) {
    counts[sequences_at(s, i)[0] / 1000 - 1]++;
  }
}

static void every_prefix_holds_every_share(void **state) {
  (void)state;
  static const int weights[][3] = {{7, 2, 1}, {1, 1, 1}, {60, 39, 1}, {5, 5, 10}, {13, 8, 5}};
  for (size_t w = 0; w < sizeof weights / sizeof weights[0]; w++) {
    char yaml[160];
    (void)snprintf(yaml, sizeof yaml,
                   "mixture: [{set: a, weight: %d}, {set: b, weight: %d}, {set: c, weight: %d}]\n",
                   weights[w][0], weights[w][1], weights[w][2]);
    const int total = weights[w][0] + weights[w][1] + weights[w][2];
    const struct draw draw = {4, 0, 1, 100, 100, LENGTH};
    struct sequences s = drawn_as(yaml, &draw);
    int all[3], counts[3];
    count_parts(&s, 100, all);
    for (size_t i = 0; i < 3; i++) { /* largest remainder: within one of the weight's share */
      assert_true(abs(all[i] * total - 100 * weights[w][i]) < total);
    }
    for (size_t n = 1; n <= 100; n++) {
      count_parts(&s, n, counts);
      for (size_t i = 0; i < 3; i++) {
        int apart = counts[i] * 100 - (int)n * all[i];
        assert_true(apart > -100 && apart < 100);
      }
    }
    sequences_free(&s);
  }
}

static void remainders_go_to_the_largest(void **state) {
  (void)state;
  const struct draw draw = {0, 0, 1, 10, 10, LENGTH};
  struct sequences s = drawn_as(
      "mixture: [{set: a, weight: 0.46}, {set: b, weight: 0.37}, {set: c, weight: 0.17}]\n", &draw);
  int counts[3];
  count_parts(&s, 10, counts); /* 4.6, 3.7, 1.7: the seventh tenths go first */
  assert_int_equal(counts[0], 4);
  assert_int_equal(counts[1], 4);
  assert_int_equal(counts[2], 2);
  sequences_free(&s);
}

static void parts_draw_as_they_would_alone(void **state) {
  (void)state;
  const char *yaml = "mixture: [{set: a, weight: 0.75}, {set: b, weight: 0.25}]\n";
  const struct draw eight = {6, 1, 3, 8, 8, LENGTH}, four = {6, 1, 3, 4, 8, LENGTH};
  const struct draw other = {6, 2, 3, 8, 8, LENGTH}, alone = {6, 1, 3, 6, 6, LENGTH};
  struct sequences all = drawn_as(yaml, &eight), few = drawn_as(yaml, &four);
  struct sequences next = drawn_as(yaml, &other), a = drawn_as("include: a\n", &alone);
  assert_prefix(&few, &all);
  assert_apart(&all, &next);
  for (size_t i = 0, k = 0; i < all.count; i++) {
    if (sequences_at(&all, i)[0] < 2000) {
      assert_true(same_sequence(&all, i, &a, k++));
    }
  }
  sequences_free(&all);
  sequences_free(&few);
  sequences_free(&next);
  sequences_free(&a);
}

static void a_mixture_may_hold_a_mixture(void **state) {
  (void)state;
  write_file("configs/calibration/inner.yaml",
             "mixture: [{set: a, weight: 1}, {set: b, weight: 1}]\n");
  const struct draw draw = {0, 0, 1, 8, 8, LENGTH};
  struct sequences s = drawn_as("mixture: [{set: inner, weight: 1}, {set: c, weight: 1}]\n", &draw);
  int counts[3];
  count_parts(&s, 8, counts);
  assert_int_equal(counts[0], 2);
  assert_int_equal(counts[1], 2);
  assert_int_equal(counts[2], 4);
  sequences_free(&s);
}

static void bad_mixtures_are_refused_with_file_and_line(void **state) {
  (void)state;
  write_file("configs/calibration/self.yaml",
             "mixture: [{set: self, weight: 1}, {set: a, weight: 1}]\n");
  static const struct bad cases[] = {
      {"mixture: a\n", "set.yaml:1: mixture: expected a list of at least two"},
      {"mixture: [{set: a, weight: 1}]\n", "set.yaml:1: mixture: expected a list of at least two"},
      {"mixture:\n  - {set: a, weight: 1}\n  - {set: b}\n", "set.yaml:3: no 'weight'"},
      {"mixture:\n  - {set: a, weight: 1}\n  - {set: b, weigth: 1}\n",
       "set.yaml:3: unknown key 'weigth' in a part of a mixture (did you mean 'weight'?)"},
      {"mixture:\n  - {set: a, weight: 1}\n  - {set: b, weight: 0}\n", "set.yaml:3: weight: 0"},
      {"mixture:\n  - {set: a, weight: 1}\n  - {set: b, weight: -1}\n",
       "set.yaml:3: 'weight' is -1"},
      {"mixture:\n  - {set: a, weight: 1}\n  - {set: a, weight: 2}\n",
       "set.yaml:3: set: a stands twice"},
      {"mixture:\n  - {set: a, weight: 1}\n  - {set: nobody, weight: 2}\n",
       "set.yaml:3: set: unknown calibration set 'nobody'"},
      {"mixture: [{set: a, weight: 1}, {set: b, weight: 1}]\nsampler: packed\n",
       "set.yaml:2: sampler means nothing beside mixture"},
      {"mixture: [{set: a, weight: 1}, {set: b, weight: 1}]\nfield: text\n",
       "'mixture' beside 'field'"},
      {"mixture: [{set: self, weight: 1}, {set: b, weight: 1}]\n",
       "sets that name other sets more than 4 deep"},
      {"mixture: [{set: a, weight: 99}, {set: b, weight: 1}]\n",
       "b's share of 10 samples is 0.1 of a sequence"},
      {"mixture: [{set: a, weight: 1}, {set: tiny, weight: 1}]\n",
       "set.yaml: part tiny (5 of 10): "},
      {"mixture: [{set: a, weight: 1}, {set: tiny, weight: 1}]\n",
       "tiny.jsonl: calibration set tiny needs 1 draw × 5 samples × 8 tokens; the file has 24 "
       "tokens = 3 windows"},
  };
  const struct draw draw = {0, 0, 1, 10, 10, LENGTH};
  assert_refused(cases, sizeof cases / sizeof cases[0], &draw);
}

static int set_up(void **state) {
  (void)scratch_open(state);
  write_set("a", 1000, 120);
  write_set("b", 2000, 120);
  write_set("c", 3000, 120);
  write_set("tiny", 10, 3);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_prefix_holds_every_share),
      cmocka_unit_test(remainders_go_to_the_largest),
      cmocka_unit_test(parts_draw_as_they_would_alone),
      cmocka_unit_test(a_mixture_may_hold_a_mixture),
      cmocka_unit_test(bad_mixtures_are_refused_with_file_and_line),
  };
  return cmocka_run_group_tests(tests, set_up, scratch_close);
}
