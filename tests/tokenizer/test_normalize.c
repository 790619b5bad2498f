/* Every normaliser, alone and in sequence. The wanted texts are those of Hugging Face's tokenizers
 * 0.23.3. */
#include "inline.h"
#include "tokenizer/json.h"
#include "tokenizer/normalize.h"

static const struct {
  const char *json, *text, *normal;
} cases[] = {
    {"{`type`: `NFC`}", "e\u0301 \u212B \u1100\u1161\u11A8 가\u11A7 \u0958",
     "é Å 각 가\u11A7 \u0915\u093C"},
    {"{`type`: `NFC`}", "a\u0301\u0323", "\u1EA1\u0301"},
    {"{`type`: `NFC`}", "\U00011935\U00011930 \U00011938", "\U00011935\U00011930 \U00011938"},
    {"{`type`: `NFC`}", "a\u0898\u0301 a\u0316\u0301", "a\u0898\u0301 á\u0316"},
    {"{`type`: `NFD`}", "é 각", "e\u0301 \u1100\u1161\u11A8"},
    {"{`type`: `NFD`}", "\u1E9B\u0323", "ſ\u0323\u0307"},
    {"{`type`: `NFD`}", "\U00011938", "\U00011938"},
    {"{`type`: `NFKC`}", "ﬁ ① ½ \uFF21 \u32FF \u1E9B\u0323", "fi 1 1\u20442 A \u32FF \u1E69"},
    {"{`type`: `NFKD`}", "ﬁé \uA7F2", "fie\u0301 \uA7F2"},
    {"{`type`: `Lowercase`}", "ÀÉİΣ \u1E9E ABC \u1C89\uA7CB\U00010D50Ⅷ",
     "àéi\u0307σ ß abc \u1C8Aɤ\U00010D70\u2177"},
    {"{`type`: `Strip`, `strip_left`: true, `strip_right`: true}", " \u3000a b\t\n", "a b"},
    {"{`type`: `Strip`, `strip_left`: true, `strip_right`: true}", "  ", ""},
    {"{`type`: `Strip`, `strip_left`: false, `strip_right`: true}", " a ", " a"},
    {"{`type`: `StripAccents`}", "e\u0301a\u20DDб\u0306\U0001E4EC", "eaб\U0001E4EC"},
    {"{`type`: `Prepend`, `prepend`: `▁`}", "a", "▁a"},
    {"{`type`: `Prepend`, `prepend`: `▁`}", "", ""},
    {"{`type`: `Replace`, `pattern`: {`String`: ` `}, `content`: `▁`}", "a b  c", "a▁b▁▁c"},
    {"{`type`: `Replace`, `pattern`: {`Regex`: `\\\\s+$|^\\\\s+`}, `content`: ``}", "  a b  ",
     "a b"},
    {"{`type`: `Replace`, `pattern`: {`Regex`: `x*`}, `content`: `-`}", "axxb", "-a-b-"},
    {"{`type`: `Replace`, `pattern`: {`String`: `.`}, `content`: `$0`}", "a.b", "a$0b"},
    {"{`type`: `ByteLevel`}", "a é", "aĠÃ©"},
    {"{`type`: `Sequence`, `normalizers`: [{`type`: `NFD`}, {`type`: `StripAccents`}, {`type`: "
     "`Sequence`, `normalizers`: [{`type`: `Lowercase`}, {`type`: `Prepend`, `prepend`: `x`}]}]}",
     "É a", "xe a"},
};

/* The normal form; *first is what normalizer_apply makes of true. */
static struct str normal_of(const char *json, const char *text, bool *first) {
  struct error err;
  struct normalizer n = {0};
  struct traced at = {0}, spare = {0};
  struct scan scan = {0};
  cJSON *node = cJSON_Parse(json);
  assert_non_null(node);
  *first = true;
  assert_ok(normalizer_read(&n, node, "inline", &err));
  assert_ok(str_add(&at.text, text, strlen(text), &err));
  assert_ok(normalizer_apply(&n, &at, &spare, &scan, first, &err));
  cJSON_Delete(node);
  normalizer_free(&n);
  traced_free(&spare);
  scan_free(&scan);
  return at.text;
}

static void test_texts_are_the_librarys(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bool first;
    char *json = inline_json(cases[i].json);
    struct str got = normal_of(json, cases[i].text, &first);
    if (strcmp(got.at, cases[i].normal) != 0) {
      fail_msg("%s of '%s': '%s', wanted '%s'", json, cases[i].text, got.at, cases[i].normal);
    }
    free(json);
    str_free(&got);
  }
}

static void test_a_beginning_that_was_removed_is_known(void **state) {
  (void)state;
  bool first;
  struct str got = normal_of("{\"type\": \"Strip\"}", " a", &first);
  assert_false(first);
  str_free(&got);
  got = normal_of("{\"type\": \"Strip\"}", "a ", &first);
  assert_true(first);
  str_free(&got);
  got = normal_of("{\"type\": \"StripAccents\"}", "\u0301a", &first);
  assert_false(first);
  str_free(&got);
}

int main(void) {
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  (void)onig_initialize(encodings, 1);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_texts_are_the_librarys),
      cmocka_unit_test(test_a_beginning_that_was_removed_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
