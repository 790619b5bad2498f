/* Every pre-tokeniser and every option of it, alone and in sequence. The wanted pieces are those of
 * Hugging Face's tokenizers 0.23.3. */
#include "inline.h"
#include "tokenizer/json.h"
#include "tokenizer/pretokenize.h"

static const struct {
  const char *json, *text, *pieces;
} cases[] = {
    {"{`type`: `ByteLevel`, `add_prefix_space`: false, `use_regex`: true}",
     "Hello world's  12x é!\n", "Hello|Ġworld|'s|Ġ|Ġ12|x|ĠÃ©|!|Ċ"},
    {"{`type`: `ByteLevel`, `add_prefix_space`: false, `use_regex`: true}", " a", "Ġa"},
    {"{`type`: `ByteLevel`, `add_prefix_space`: true, `use_regex`: true}", "Hi", "ĠHi"},
    {"{`type`: `ByteLevel`, `add_prefix_space`: true, `use_regex`: true}", " Hi", "ĠHi"},
    {"{`type`: `ByteLevel`, `add_prefix_space`: false, `use_regex`: false}", "a b\u00AD\177",
     "aĠbÂŃġ"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `[ab]`}, `behavior`: `Removed`, `invert`: false}",
     "xabycbb", "x|yc"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `[ab]`}, `behavior`: `Isolated`, `invert`: false}",
     "xabycbb", "x|a|b|yc|b|b"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `[ab]`}, `behavior`: `MergedWithPrevious`, `invert`: "
     "false}",
     "xabycbb", "xa|b|ycb|b"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `[ab]`}, `behavior`: `MergedWithPrevious`, `invert`: "
     "false}",
     "abx", "a|b|x"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `[ab]`}, `behavior`: `MergedWithNext`, `invert`: "
     "false}",
     "xabycbb", "x|a|byc|b|b"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `[ab]`}, `behavior`: `MergedWithNext`, `invert`: "
     "false}",
     "abx", "a|bx"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `[ab]`}, `behavior`: `Contiguous`, `invert`: false}",
     "xabycbb", "x|ab|yc|bb"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `[ab]+`}, `behavior`: `Removed`, `invert`: true}",
     "xabycbb", "ab|bb"},
    {"{`type`: `Split`, `pattern`: {`String`: `.`}, `behavior`: `Isolated`, `invert`: false}",
     "a.b..c", "a|.|b|.|.|c"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `x*`}, `behavior`: `Isolated`, `invert`: false}",
     "axxbé", "a|xx|b|é"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `(?i:'s|'t)|\\\\p{Lu}\\\\p{Ll}+|\\\\p{^L}|\\\\P{N}`}, "
     "`behavior`: `Isolated`, `invert`: false}",
     "He'S'ſ\u1C89\u1C8A12\U00010D50\U00010D70", "He|'S|'ſ|\u1C89\u1C8A|1|2|\U00010D50\U00010D70"},
    {"{`type`: `Split`, `pattern`: {`Regex`: "
     "`[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|[]\\\\]a-c]`}, `behavior`: `Isolated`, `invert`: "
     "false}",
     "(ab \U0001E5D1x]]", "(ab| \U0001E5D1x|]|]"},
    {"{`type`: `Split`, `pattern`: {`Regex`: `\\\\p{Han}+`}, `behavior`: `Isolated`, `invert`: "
     "false}",
     "a中\U00031350\U0002EBF0b", "a|中\U00031350\U0002EBF0|b"},
    {"{`type`: `Digits`, `individual_digits`: true}", "a123\u0663Ⅷ½b", "a|1|2|3|\u0663|Ⅷ|½|b"},
    {"{`type`: `Digits`, `individual_digits`: false}", "a123\u0663b4", "a|123\u0663|b|4"},
    {"{`type`: `Metaspace`, `replacement`: `▁`, `prepend_scheme`: `always`, `split`: true}",
     "Hey you  there", "▁Hey|▁you|▁|▁there"},
    {"{`type`: `Metaspace`, `replacement`: `▁`, `prepend_scheme`: `always`, `split`: true}", " x",
     "▁x"},
    {"{`type`: `Metaspace`, `replacement`: `▁`, `prepend_scheme`: `never`, `split`: true}",
     "Hey you", "Hey|▁you"},
    {"{`type`: `Metaspace`, `replacement`: `_`, `prepend_scheme`: `first`, `split`: false}",
     "Hey you", "_Hey_you"},
    {"{`type`: `Metaspace`, `replacement`: `_`, `prepend_scheme`: `first`, `split`: false}", "_a",
     "_a"},
    {"{`type`: `Sequence`, `pretokenizers`: [{`type`: `WhitespaceSplit`}, {`type`: `Metaspace`, "
     "`replacement`: `▁`, `prepend_scheme`: `first`, `split`: true}]}",
     "a b", "▁a|b"},
    {"{`type`: `Sequence`, `pretokenizers`: [{`type`: `WhitespaceSplit`}, {`type`: `Metaspace`, "
     "`replacement`: `▁`, `prepend_scheme`: `first`, `split`: true}]}",
     " a b", "a|b"},
    {"{`type`: `Whitespace`}", "don't stop, a\u200Db\u3000x²_1", "don|'|t|stop|,|a\u200Db|x|²|_1"},
    {"{`type`: `WhitespaceSplit`}", " a,b\u00A0c\u200Bd\034e\n", "a,b|c\u200Bd\034e"},
    {"{`type`: `Punctuation`, `behavior`: `Isolated`}", "a,b--c$«»\u166D\u2E5D",
     "a|,|b|-|-|c|$|«|»|\u166D|\u2E5D"},
    {"{`type`: `Punctuation`, `behavior`: `Contiguous`}", "Hey--you!?", "Hey|--|you|!?"},
    {"{`type`: `CharDelimiterSplit`, `delimiter`: `-`}", "a--b-", "a|b"},
    {"{`type`: `Sequence`, `pretokenizers`: [{`type`: `Digits`, `individual_digits`: true}, "
     "{`type`: `ByteLevel`, `add_prefix_space`: false, `use_regex`: true}]}",
     "in 2024, we", "in|Ġ|2|0|2|4|,|Ġwe"},
};

/* Pieces of a text into w, as pretokenizer_apply makes them of the beginning. */
static status apply(const struct pretokenizer *p, const char *text, struct pre_work *w,
                    struct scan *scan, struct error *err) {
  struct traced in = {0};
  status st = traced_original(&in, text, strlen(text), 0, err);
  st = st == STATUS_OK ? pretokenizer_apply(p, &in, 0, strlen(text), true, w, scan, err) : st;
  traced_free(&in);
  return st;
}

static char *pieces_of(const char *json, const char *text) {
  struct error err;
  struct pretokenizer p = {0};
  struct pre_work w = {0};
  struct scan scan = {0};
  struct str joined = {0};
  cJSON *node = cJSON_Parse(json);
  assert_non_null(node);
  assert_ok(pretokenizer_read(&p, node, "inline", &err));
  assert_ok(apply(&p, text, &w, &scan, &err));
  assert_ok(str_add(&joined, "", 0, &err));
  for (size_t i = 0; i < w.pieces.count; i++) {
    const struct piece *at = &w.pieces.at[i];
    assert_ok(str_add(&joined, "|", i > 0, &err));
    assert_ok(str_add(&joined, w.pieces.text.text.at + at->start, at->end - at->start, &err));
  }
  cJSON_Delete(node);
  pretokenizer_free(&p);
  pre_work_free(&w);
  scan_free(&scan);
  return joined.at;
}

static void test_pieces_are_the_librarys(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char *json = inline_json(cases[i].json), *got = pieces_of(json, cases[i].text);
    if (strcmp(got, cases[i].pieces) != 0) {
      fail_msg("%s of '%s': '%s', wanted '%s'", json, cases[i].text, got, cases[i].pieces);
    }
    free(json);
    free(got);
  }
}

static void test_no_pretokeniser_leaves_one_piece_and_an_empty_text_none(void **state) {
  (void)state;
  struct error err;
  struct pretokenizer p = {0};
  struct pre_work w = {0};
  struct scan scan = {0};
  assert_ok(pretokenizer_read(&p, NULL, "inline", &err));
  assert_ok(apply(&p, "a b", &w, &scan, &err));
  assert_int_equal(w.pieces.count, 1);
  assert_int_equal(w.pieces.at[0].end, 3);
  assert_ok(apply(&p, "", &w, &scan, &err));
  assert_int_equal(w.pieces.count, 0);
  pre_work_free(&w);
}

static void test_old_files_say_add_prefix_space_instead_of_prepend_scheme(void **state) {
  (void)state;
  char *json = inline_json("{`type`: `Metaspace`, `replacement`: `_`, `add_prefix_space`: false}");
  char *got = pieces_of(json, "a b");
  assert_string_equal(got, "a|_b");
  free(got);
  free(json);
  json = inline_json("{`type`: `Metaspace`, `replacement`: `_`, `add_prefix_space`: true}");
  got = pieces_of(json, "a b");
  assert_string_equal(got, "_a|_b");
  free(got);
  free(json);
}

static void test_an_expression_that_never_ends_is_given_up_with_a_reason(void **state) {
  (void)state;
  struct error err;
  struct pretokenizer p = {0};
  struct pre_work w = {0};
  struct scan scan = {0};
  const char *text = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!c";
  char *json =
      inline_json("{`type`: `Split`, `pattern`: {`Regex`: `(a|a|b)*c`}, `behavior`: `Isolated`}");
  cJSON *node = cJSON_Parse(json);
  assert_ok(pretokenizer_read(&p, node, "inline", &err));
  assert_fails(apply(&p, text, &w, &scan, &err), STATUS_UNSUPPORTED, "gave up at byte 0");
  cJSON_Delete(node);
  free(json);
  pretokenizer_free(&p);
  pre_work_free(&w);
  scan_free(&scan);
}

int main(void) {
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  (void)onig_initialize(encodings, 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pieces_are_the_librarys),
      cmocka_unit_test(test_no_pretokeniser_leaves_one_piece_and_an_empty_text_none),
      cmocka_unit_test(test_old_files_say_add_prefix_space_instead_of_prepend_scheme),
      cmocka_unit_test(test_an_expression_that_never_ends_is_given_up_with_a_reason),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
