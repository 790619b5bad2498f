/* Added tokens, the template around a text, and the names of BOS and EOS. */
#include "inline.h"

#define MODEL                                                                                      \
  "`model`: {`type`: `BPE`, `vocab`: {`<`: 0, `s`: 1, `>`: 2, `a`: 3, `b`: 4, ` `: 5, `_`: 6, "    \
  "`x`: 7}, `merges`: []}"

static struct tokenizer *open_added(const char *tokens, const char *rest) {
  struct str json = {0};
  struct tokenizer *t;
  struct error err;
  assert_ok(str_addf(&json, &err, "{`added_tokens`: [%s], %s " MODEL "}", tokens, rest));
  assert_ok(inline_open(&t, json.at, NULL, &err));
  str_free(&json);
  return t;
}

static void check(const char *tokens, const char *rest, const char *text, const char *wanted) {
  struct tokenizer *t = open_added(tokens, rest);
  assert_ids(t, text, false, wanted);
  tokenizer_close(t);
}

static void test_the_leftmost_longest_token_is_cut_out(void **state) {
  (void)state;
  static const char tokens[] =
      "{`id`: 10, `content`: `<s>`, `special`: true, `normalized`: false},"
      "{`id`: 11, `content`: `<s>b`, `special`: false, `normalized`: false},"
      "{`id`: 12, `content`: `a<`, `normalized`: false}";
  check(tokens, "", "<s><s>b", "10 11");
  check(tokens, "", "a<s>b", "12 1 2 4");
  check(tokens, "", "<s", "0 1");
  check(tokens, "", "", "");
}

static void test_white_space_goes_to_tokens_that_strip(void **state) {
  (void)state;
  static const char left[] = "{`id`: 10, `content`: `<s>`, `lstrip`: true}";
  static const char right[] = "{`id`: 10, `content`: `<s>`, `rstrip`: true}";
  check(left, "", "a  <s> b", "3 10 5 4");
  check(right, "", "a <s> \u3000\n b", "3 5 10 4");
  check("{`id`: 10, `content`: `<s>`, `lstrip`: true, `rstrip`: true}", "", " <s>  <s> ", "10 10");
}

static void test_single_words_stand_alone(void **state) {
  (void)state;
  static const char token[] = "{`id`: 10, `content`: `sx`, `single_word`: true}";
  check(token, "", "sx asx sx_ sx sxa", "10 5 3 1 7 5 1 7 6 5 10 5 1 7 3");
  check(token, "", "<sx>", "0 10 2");
  check(token, "", "\u00e9sx", "1 7");
}

static void test_the_flag_decides_which_text_is_searched(void **state) {
  (void)state;
  static const char rest[] =
      "`normalizer`: {`type`: `Sequence`, `normalizers`: [{`type`: `Prepend`, `prepend`: `_`}, "
      "{`type`: `Replace`, `pattern`: {`String`: ` `}, `content`: `_`}]},";
  static const char raw[] = "{`id`: 10, `content`: `<s>`, `normalized`: false}";
  static const char normal[] = "{`id`: 10, `content`: `<s>`, `normalized`: true}";
  check(raw, rest, "a<s>b", "6 3 10 6 4");
  check(normal, rest, "a<s>b", "6 3 0 1 2 4");
  check(normal, rest, "a <s>b", "6 3 10 4");
  check(normal, rest, "<s>", "10");
}

static void test_only_the_first_piece_gets_a_sign_under_prepend_scheme_first(void **state) {
  (void)state;
  static const char token[] = "{`id`: 10, `content`: `<s>`, `normalized`: false}";
  static const char rest[] = "`pre_tokenizer`: {`type`: `Metaspace`, `replacement`: `_`, "
                             "`prepend_scheme`: `first`, `split`: false},";
  check(token, rest, "a<s>b", "6 3 10 4");
  check(token, rest, "<s>b", "10 4");
}

static void test_added_tokens_have_ids_and_texts(void **state) {
  (void)state;
  struct tokenizer *t = open_added("{`id`: 40, `content`: `<s>`}, {`id`: 3, `content`: `a`}", "");
  assert_int_equal(tokenizer_size(t), 41);
  assert_string_equal(tokenizer_token(t, 40), "<s>");
  assert_string_equal(tokenizer_token(t, 3), "a");
  tokenizer_close(t);
}

static void test_templates_add_their_ids_only_when_asked(void **state) {
  (void)state;
  static const char rest[] =
      "`post_processor`: {`type`: `Sequence`, `processors`: [{`type`: `ByteLevel`}, {`type`: "
      "`TemplateProcessing`, `single`: [{`SpecialToken`: {`id`: `B`, `type_id`: 0}}, {`Sequence`: "
      "{`id`: `A`, `type_id`: 0}}, {`SpecialToken`: {`id`: `E`, `type_id`: 0}}], `special_tokens`: "
      "{`B`: {`id`: `B`, `ids`: [20, 21], `tokens`: [`B`, `C`]}, `E`: {`id`: `E`, `ids`: [22], "
      "`tokens`: [`E`]}}}]},";
  struct tokenizer *t = open_added("", rest);
  struct ids ids = {0};
  struct error err;
  assert_ids(t, "ab", true, "20 21 3 4 22");
  assert_ids(t, "ab", false, "3 4");
  assert_ids(t, "", true, "20 21 22");
  /* What the list held before stays in front. */
  assert_ok(ids_push(&ids, 99, &err));
  assert_ok(tokenizer_encode(t, "a", 1, true, &ids, &err));
  assert_int_equal(ids.count, 5);
  assert_int_equal(ids.at[0], 99);
  assert_int_equal(ids.at[3], 3);
  ids_free(&ids);
  tokenizer_close(t);
}

static void test_truncation_and_padding_are_ignored(void **state) {
  (void)state;
  check("",
        "`truncation`: {`max_length`: 1, `strategy`: `LongestFirst`}, `padding`: {`strategy`: "
        "{`Fixed`: 8}},",
        "abab", "3 4 3 4");
}

static void test_bos_and_eos_come_from_the_config(void **state) {
  (void)state;
  static const char json[] = "{`added_tokens`: [{`id`: 10, `content`: `<s>`}], " MODEL "}";
  struct tokenizer *t;
  struct error err;
  assert_ok(inline_open(&t, json, "{`bos_token`: `<s>`, `eos_token`: {`content`: `x`}}", &err));
  assert_int_equal(tokenizer_bos(t), 10);
  assert_int_equal(tokenizer_eos(t), 7);
  tokenizer_close(t);
  assert_ok(inline_open(&t, json, "{`bos_token`: null, `eos_token`: `none such`}", &err));
  assert_int_equal(tokenizer_bos(t), -1);
  assert_int_equal(tokenizer_eos(t), -1);
  tokenizer_close(t);
  assert_ok(inline_open(&t, json, NULL, &err));
  assert_int_equal(tokenizer_bos(t), -1);
  tokenizer_close(t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_the_leftmost_longest_token_is_cut_out),
      cmocka_unit_test(test_white_space_goes_to_tokens_that_strip),
      cmocka_unit_test(test_single_words_stand_alone),
      cmocka_unit_test(test_the_flag_decides_which_text_is_searched),
      cmocka_unit_test(test_only_the_first_piece_gets_a_sign_under_prepend_scheme_first),
      cmocka_unit_test(test_added_tokens_have_ids_and_texts),
      cmocka_unit_test(test_templates_add_their_ids_only_when_asked),
      cmocka_unit_test(test_truncation_and_padding_are_ignored),
      cmocka_unit_test(test_bos_and_eos_come_from_the_config),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
