/* Attribution of a model whose answers are known (built_model.h): its deciding words and their
 * units are found, they and no others cause the answers, and units that answer to everything do
 * not take their place. */
#include "built_bench.h"

/* Exactly the words that decide are chosen. */
static void assert_words(const struct attribution_base *base) {
  bool seen[BUILT_KEYS] = {false};
  assert_int_equal(base->word_count, BUILT_KEYS);
  for (size_t i = 0; i < base->word_count; i++) {
    int key = key_of(base->words[i].text);
    assert_false(seen[key]);
    seen[key] = true;
    assert_int_equal(base->words[i].occurrences, ITEMS / BUILT_KEYS);
    assert_true(base->words[i].low > 0 && base->words[i].influence > 0.5);
  }
}

/* Of every word, the units that the test calls found are exactly its own two. */
static void assert_units(const struct attribution_base *base) {
  int found[BUILT_KEYS] = {0};
  for (size_t i = 0; i < base->match_count; i++) {
    const struct attribution_match *m = &base->matches[i];
    const struct attribution_unit *u = &base->units[m->unit];
    int key = key_of(base->words[m->word].text);
    bool own = u->block == BUILT_BLOCK && built_key_of(u->unit) == key;
    assert_true(m->found == own);
    assert_true(own ? m->score > 3 && m->p < 1e-6 && m->activation > 5 : m->score <= 0);
    found[key] += own;
  }
  for (int k = 0; k < BUILT_KEYS; k++) {
    assert_int_equal(found[k], 2);
  }
}

static void its_words_and_their_units_are_found(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct built_shape){0});
  struct attribution_options o = two_units();
  const struct attribution_base *base = attribute(&b, &o);
  assert_near(base->accuracy, 1, 0);
  assert_words(base);
  assert_int_equal(base->match_count, 2 * BUILT_KEYS);
  assert_int_equal(base->unit_count, 2 * BUILT_KEYS);
  assert_units(base);
  assert_int_equal(base->apart_count, 0);
  assert_int_equal(base->dead[BUILT_BLOCK], 0);
  assert_int_equal(base->dead[0], BUILT_UNITS);
  assert_int_equal(base->dead[2], BUILT_UNITS);
  o.neurons = 10; /* more than a word has: the rest is not called found */
  base = attribute(&b, &o);
  assert_int_equal(base->match_count, 10 * BUILT_KEYS);
  assert_units(base);
  bench_close(&b);
}

static void an_example_shows_the_unit_at_its_word_alone(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct built_shape){0});
  struct attribution_options o = two_units();
  const struct attribution_base *base = attribute(&b, &o);
  assert_int_equal(base->example_count, BUILT_KEYS);
  for (size_t i = 0; i < base->example_count; i++) {
    const struct attribution_example *x = &base->examples[i];
    const struct attribution_match *m = &base->matches[x->match];
    const char *word = base->words[m->word].text;
    int seen = 0;
    assert_int_equal(x->tokens, WORDS + 3);
    assert_true(strncmp(x->text, "Review: ", 8) == 0);
    for (int k = 0; k < x->tokens; k++) {
      size_t n = strlen(word);
      const char *at = x->text + x->starts[k] + strspn(x->text + x->starts[k], " ");
      bool here = strncmp(at, word, n) == 0 && (at[n] == ' ' || at[n] == '\0');
      assert_near(x->activation[k], here ? m->activation : 0, here ? 1e-4 : 0);
      seen += here;
    }
    assert_int_equal(seen, 1);
  }
  bench_close(&b);
}

static void zeroing_the_units_turns_every_answer_and_random_ones_none(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  bench_open(&b, &(struct built_shape){0});
  struct attribution_options o = two_units();
  const struct attribution_base *base = attribute(&b, &o);
  assert_ok(attribution_check(b.attribution, b.runner, &nobody, &err));
  assert_int_equal(base->causal_count, 21);
  const struct attribution_causal *matched = &base->causal[0];
  assert_true(matched->set == 0 && matched->units == 2 * BUILT_KEYS);
  assert_near(matched->accuracy, 0, 0);
  assert_near(matched->accuracy_change, -1, 0);
  assert_true(matched->accuracy_low == -1 && matched->accuracy_high == -1);
  assert_true(matched->gold_high < -1 && matched->gold_low <= matched->gold_change);
  for (size_t i = 1; i < base->causal_count; i++) {
    const struct attribution_causal *c = &base->causal[i];
    assert_true(c->set == (int32_t)i && c->units == 2 * BUILT_KEYS);
    assert_near(c->accuracy_change, 0, 0);
    assert_true(fabs(c->gold_change) < 0.1 * fabs(matched->gold_change));
  }
  bench_close(&b);
}

static const struct built_shape with_units_for_everything = {.massive = 50, .always_on = 12};

static void sums_are_fooled_by_units_that_answer_to_everything(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  bench_open(&b, &with_units_for_everything);
  struct attribution_options o = two_units();
  o.score = SCORE_SUM;
  const struct attribution_base *base = attribute(&b, &o);
  assert_words(base);
  assert_int_equal(base->match_count, 2 * BUILT_KEYS);
  for (size_t i = 0; i < base->match_count; i++) {
    const struct attribution_match *m = &base->matches[i];
    const struct attribution_unit *u = &base->units[m->unit];
    assert_int_equal(u->block, BUILT_BLOCK);
    assert_int_equal(u->unit, i % 2 ? 12 : 50);
    assert_false(m->found);
    double uses = base->words[m->word].occurrences;
    assert_near(m->score, m->activation * uses, 1e-3 * m->score);
  }
  assert_ok(attribution_check(b.attribution, b.runner, &nobody, &err));
  assert_near(base->causal[0].accuracy_change, 0, 0);
  bench_close(&b);
}

static void z_is_not_fooled_and_lists_them_apart(void **state) {
  (void)state;
  struct error err;
  struct bench b;
  bench_open(&b, &with_units_for_everything);
  struct attribution_options o = two_units();
  const struct attribution_base *base = attribute(&b, &o);
  assert_words(base);
  assert_int_equal(base->match_count, 2 * BUILT_KEYS);
  assert_units(base);
  assert_int_equal(base->apart_count, 2);
  const struct attribution_apart_unit *massive = &base->apart[0], *always = &base->apart[1];
  assert_true(massive->block == BUILT_BLOCK && massive->unit == 50 &&
              massive->kind == APART_MASSIVE);
  assert_true(always->block == BUILT_BLOCK && always->unit == 12 &&
              always->kind == APART_ALWAYS_ON);
  assert_true(massive->mean > 500 && always->mean > 15 && always->spread < 1e-2);
  assert_ok(attribution_check(b.attribution, b.runner, &nobody, &err));
  assert_near(base->causal[0].accuracy_change, -1, 0);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(its_words_and_their_units_are_found),
      cmocka_unit_test(an_example_shows_the_unit_at_its_word_alone),
      cmocka_unit_test(zeroing_the_units_turns_every_answer_and_random_ones_none),
      cmocka_unit_test(sums_are_fooled_by_units_that_answer_to_everything),
      cmocka_unit_test(z_is_not_fooled_and_lists_them_apart),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
