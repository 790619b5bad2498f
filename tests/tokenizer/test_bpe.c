/* The model: what becomes a symbol, what merges first, what happens to what it does not know. */
#include "inline.h"

#define HEAD                                                                                       \
  "{`version`: `1.0`, `added_tokens`: [], `normalizer`: null, `pre_tokenizer`: null, "             \
  "`post_processor`: null, `model`: {`type`: `BPE`, "

static struct tokenizer *open_model(const char *model) {
  struct str json = {0};
  struct tokenizer *t;
  struct error err;
  assert_ok(str_addf(&json, &err, HEAD "%s}}", model));
  assert_ok(inline_open(&t, json.at, NULL, &err));
  str_free(&json);
  return t;
}

static void check(const char *model, const char *text, const char *wanted) {
  struct tokenizer *t = open_model(model);
  assert_ids(t, text, false, wanted);
  tokenizer_close(t);
}

static void test_lower_ranks_merge_first_and_ties_go_left(void **state) {
  (void)state;
  static const char model[] = "`vocab`: {`a`: 0, `b`: 1, `c`: 2, `ab`: 3, `bc`: 4, `aa`: 5}, "
                              "`merges`: [`b c`, `a b`, [`a`, `a`]]";
  check(model, "abc", "0 4");
  check(model, "ab", "3");
  check(model, "aaa", "5 0");
  check(model, "aaab", "5 3");
  check(model, "", "");
}

static void test_merges_build_on_each_other(void **state) {
  (void)state;
  check("`vocab`: {`h`: 0, `e`: 1, `l`: 2, `o`: 3, `he`: 4, `ll`: 5, `hell`: 6, `hello`: 7}, "
        "`merges`: [`h e`, `l l`, `he ll`, `hell o`]",
        "hellohell", "7 6");
}

/* A candidate whose pair is gone is taken at its rank when the pair there now makes the same. */
static void test_two_pairs_may_have_one_product(void **state) {
  (void)state;
  static const char model[] = "`vocab`: {`a`: 0, `aa`: 1, `aaa`: 2, `aaaa`: 3}, "
                              "`merges`: [`a a`, `a aa`, `aa a`, `aa aa`, `a aaa`, `aaa a`]";
  check(model, "aaa", "2");
  check(model, "aaaa", "3");
  check(model, "aaaaa", "1 2");
  check(model, "aaaaaaa", "3 2");
}

static void test_whole_words_come_before_merges_only_when_asked(void **state) {
  (void)state;
  static const char vocab[] = "`vocab`: {`a`: 0, `b`: 1, `ab`: 2, `abb`: 3}, `merges`: [`a b`]";
  char model[256];
  (void)snprintf(model, sizeof model, "`ignore_merges`: true, %s", vocab);
  check(model, "abb", "3");
  check(vocab, "abb", "2 1");
}

static void test_unknown_characters_vanish_and_their_neighbours_join(void **state) {
  (void)state;
  check("`vocab`: {`a`: 0, `b`: 1, `ab`: 2}, `merges`: [`a b`]", "aéb\u4e2d", "2");
}

static void test_unknown_characters_become_the_unknown_token(void **state) {
  (void)state;
  static const char vocab[] =
      "`vocab`: {`a`: 0, `?`: 1, `<u>`: 2}, `merges`: [], `unk_token`: `<u>`";
  char model[256];
  check(vocab, "aéüa\u4e2d", "0 2 2 0 2");
  (void)snprintf(model, sizeof model, "`fuse_unk`: true, %s", vocab);
  check(model, "aéüa\u4e2d", "0 2 0 2");
}

static void test_bytes_fall_back_when_all_of_them_are_tokens(void **state) {
  (void)state;
  check("`byte_fallback`: true, `unk_token`: `<u>`, `vocab`: {`a`: 0, `<0xC3>`: 1, `<0xA9>`: 2, "
        "`<0x0A>`: 3, `<u>`: 4, `<`: 5, `<0xe2>`: 6}, `merges`: []",
        "aé\nü<\xE2\x96\x81", "0 1 2 3 4 5 4");
}

/* As the library has it: bytes do not wait for an unknown character that stands before them. */
static void test_fallen_bytes_pass_an_unknown_character(void **state) {
  (void)state;
  check("`byte_fallback`: true, `unk_token`: `<u>`, `vocab`: {`a`: 0, `<0xC3>`: 1, `<0xA9>`: 2, "
        "`<u>`: 3}, `merges`: []",
        "üéa", "1 2 3 0");
}

static void test_continuing_characters_and_last_ones_are_marked(void **state) {
  (void)state;
  check("`continuing_subword_prefix`: `##`, `vocab`: {`a`: 0, `##a`: 1, `##b`: 2, `ab`: 3, "
        "`aba`: 4}, `merges`: [`a ##b`, `ab ##a`]",
        "abab", "4 2");
  check("`end_of_word_suffix`: `</w>`, `vocab`: {`a`: 0, `b`: 1, `b</w>`: 2, `ab</w>`: 3}, "
        "`merges`: [`a b</w>`]",
        "bab", "1 3");
}

static void test_a_long_text_without_pieces_is_one_word(void **state) {
  (void)state;
  enum { LENGTH = 300000 };
  struct tokenizer *t = open_model(
      "`vocab`: {`a`: 0, `aa`: 1, `aaaa`: 2}, `merges`: [`#version: 0.2`, `a a`, `aa aa`]");
  struct error err;
  struct ids ids = {0};
  char *text = malloc(LENGTH);
  assert_non_null(text);
  memset(text, 'a', LENGTH);
  assert_ok(tokenizer_encode(t, text, LENGTH, false, &ids, &err));
  assert_int_equal(ids.count, LENGTH / 4);
  for (size_t i = 0; i < ids.count; i++) {
    assert_int_equal(ids.at[i], 2);
  }
  free(text);
  ids_free(&ids);
  tokenizer_close(t);
}

static void test_tokens_and_ids_are_found_both_ways(void **state) {
  (void)state;
  struct tokenizer *t = open_model("`vocab`: {`a`: 7, `\u2581b`: 2}, `merges`: []");
  assert_int_equal(tokenizer_size(t), 8);
  assert_string_equal(tokenizer_token(t, 7), "a");
  assert_string_equal(tokenizer_token(t, 2), "\u2581b");
  assert_null(tokenizer_token(t, 3));
  assert_null(tokenizer_token(t, -1));
  assert_null(tokenizer_token(t, 8));
  assert_int_equal(strlen(tokenizer_digest(t)), 32);
  tokenizer_close(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lower_ranks_merge_first_and_ties_go_left),
      cmocka_unit_test(test_merges_build_on_each_other),
      cmocka_unit_test(test_two_pairs_may_have_one_product),
      cmocka_unit_test(test_whole_words_come_before_merges_only_when_asked),
      cmocka_unit_test(test_unknown_characters_vanish_and_their_neighbours_join),
      cmocka_unit_test(test_unknown_characters_become_the_unknown_token),
      cmocka_unit_test(test_bytes_fall_back_when_all_of_them_are_tokens),
      cmocka_unit_test(test_fallen_bytes_pass_an_unknown_character),
      cmocka_unit_test(test_continuing_characters_and_last_ones_are_marked),
      cmocka_unit_test(test_a_long_text_without_pieces_is_one_word),
      cmocka_unit_test(test_tokens_and_ids_are_found_both_ways),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
