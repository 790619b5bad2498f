/* Statistics of a draw, and what a pool says of the documents it used. */
#include "calib/scratch.h"

#include <math.h>

#include "calib/dense.h"
#include "calib/statistics.h"

static struct sequences three(void) {
  struct error err = {0};
  struct sequences s = {0};
  const int32_t ids[] = {5, 6, 7, 6, 5, 900, 6};
  assert_ok(sequences_add(&s, ids, 4, &err));
  assert_ok(sequences_add(&s, ids + 4, 1, &err));
  assert_ok(sequences_add(&s, ids + 5, 2, &err));
  return s;
}

static void lengths_and_vocabulary_are_counted(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences s = three();
  struct draw_statistics d;
  assert_ok(draw_statistics(&d, model, &s, false, &err));
  assert_int_equal(d.sequences, 3);
  assert_int_equal(d.tokens, 7);
  assert_int_equal(d.distinct, 4);
  assert_int_equal(d.vocabulary, 4096);
  assert_true(d.length.low == 1 && d.length.median == 2 && d.length.high == 4);
  assert_false(d.has_perplexity);
  const int32_t two[] = {1, 2};
  assert_ok(sequences_add(&s, two, 2, &err));
  assert_ok(sequences_add(&s, two, 1, &err));
  assert_ok(sequences_add(&s, two, 1, &err));
  assert_ok(draw_statistics(&d, model, &s, false, &err));
  assert_true(d.length.median == 1.5);
  sequences_free(&s);
}

static void perplexity_weighs_every_predicted_token_alike(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences s = three();
  struct draw_statistics d;
  double nll[3];
  assert_ok(dense_nll(model, &s, nll, &err));
  assert_ok(draw_statistics(&d, model, &s, true, &err));
  assert_true(d.has_perplexity);
  assert_true(fabs(log(d.perplexity) - (nll[0] + nll[2]) / 4) < 1e-12);
  double first = exp(nll[0] / 3), last = exp(nll[2]);
  assert_true(d.perplexities.low == fmin(first, last));
  assert_true(d.perplexities.high == fmax(first, last));
  sequences_free(&s);
}

static void sequences_of_one_token_have_no_perplexity(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences s = {0};
  struct draw_statistics d;
  const int32_t one = 9;
  assert_ok(sequences_add(&s, &one, 1, &err));
  assert_ok(draw_statistics(&d, model, &s, true, &err));
  assert_false(d.has_perplexity);
  sequences_free(&s);
}

static struct usage usage_of(const char *yaml, int samples) {
  struct error err = {0};
  struct calibration *c;
  struct pool *pool;
  struct sequences s = {0};
  struct usage u = {0};
  const struct draw draw = {0, 0, 1, samples, samples, 4};
  write_file("configs/calibration/set.yaml", yaml);
  assert_ok(calibration_open(&c, "set", &search, &err));
  assert_ok(pool_open(&pool, c, tokenizer, model, &err));
  pool_usage(pool, &u);
  assert_int_equal(u.used, 0);
  u = (struct usage){0};
  assert_ok(pool_draw(pool, &draw, &s, &err));
  pool_usage(pool, &u);
  sequences_free(&s);
  pool_close(pool);
  calibration_close(c);
  return u;
}

static void used_documents_are_those_that_windows_touch(void **state) {
  (void)state;
  struct usage u = usage_of("source: ids.jsonl\nids: input_ids\n", 2);
  assert_true(u.documents == 4 && u.used == 2 && !u.joined);
  u = usage_of("source: ids.jsonl\nids: input_ids\nsampler: packed\n", 3); /* all windows */
  assert_int_equal(u.used, 4);
  u = usage_of("source: ids.jsonl\nids: input_ids\nsampler: packed\n", 1); /* 3|1, 4 or 1|3 */
  assert_true(u.used == 1 || u.used == 2);
  u = usage_of("source: ids.jsonl\nids: input_ids\nsampler: random_window\n", 2);
  assert_int_equal(u.used, 1); /* the one longer than the window */
  u = usage_of("source: words.jsonl\nfield: text\nsampler: concatenate\n", 1);
  assert_true(u.documents == 2 && u.joined);
}

static int set_up(void **state) {
  (void)scratch_open(state);
  write_file("data/ids.jsonl", "{\"input_ids\": [3, 4, 5]}\n{\"input_ids\": [6, 7, 8, 9, 10]}\n"
                               "{\"input_ids\": [11]}\n{\"input_ids\": [12, 13, 14]}\n");
  write_file("data/words.jsonl",
             "{\"text\": \"a light in the morning\"}\n{\"text\": \"garden\"}\n");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lengths_and_vocabulary_are_counted),
      cmocka_unit_test(perplexity_weighs_every_predicted_token_alike),
      cmocka_unit_test(sequences_of_one_token_have_no_perplexity),
      cmocka_unit_test(used_documents_are_those_that_windows_touch),
  };
  return cmocka_run_group_tests(tests, set_up, scratch_close);
}
