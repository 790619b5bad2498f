/* Files and texts that are refused, each with a line that names what is wrong. */
#include "inline.h"

#define VOCAB "`vocab`: {`a`: 0, `b`: 1, `ab`: 2}"
#define MODEL "`model`: {`type`: `BPE`, " VOCAB ", `merges`: [`a b`]}"

static const struct {
  const char *json;
  status code;
  const char *part;
} cases[] = {
    {"", STATUS_INPUT, "not JSON"},
    {"{`model`:\n {\n`type` `BPE`}}", STATUS_INPUT, "tokenizer.json:3: not JSON"},
    {"{} x", STATUS_INPUT, "not JSON"},
    {"[1, 2]", STATUS_INPUT, "not a JSON object"},
    {"{`a`: `\xFF`}", STATUS_INPUT, "tokenizer.json:1: not UTF-8"},
    {"{`model`: {`type`: `BPE`, `vocab`: {`\\u0000`: 0}, `merges`: []}}", STATUS_UNSUPPORTED,
     "\\u0000"},
    {"{}", STATUS_INPUT, "no model (expected one of type BPE)"},
    {"{`model`: `BPE`}", STATUS_INPUT, "no model"},
    {"{`model`: {}}", STATUS_INPUT, "model: type is missing"},
    {"{`model`: {`type`: `Unigram`, `vocab`: [[`a`, 0.5]]}}", STATUS_UNSUPPORTED,
     "model of type 'Unigram' (expected one of BPE)"},
    {"{`model`: {`type`: `BPE`, `merges`: []}}", STATUS_INPUT,
     "tokenizer.json: no vocabulary (expected model.vocab"},
    {"{`model`: {`type`: `BPE`, `vocab`: {}, `merges`: []}}", STATUS_INPUT, "no vocabulary"},
    {"{`model`: {`type`: `BPE`, `vocab`: [`a`], `merges`: []}}", STATUS_INPUT, "no vocabulary"},
    {"{`model`: {`type`: `BPE`, `vocab`: {`a`: `0`}, `merges`: []}}", STATUS_INPUT,
     "the id of token 'a'"},
    {"{`model`: {`type`: `BPE`, `vocab`: {`a`: -1}, `merges`: []}}", STATUS_INPUT, "expected 0 to"},
    {"{`model`: {`type`: `BPE`, `vocab`: {`a`: 1e99}, `merges`: []}}", STATUS_INPUT,
     "expected 0 to"},
    {"{`model`: {`type`: `BPE`, `vocab`: {`a`: 1.5}, `merges`: []}}", STATUS_INPUT,
     "not a whole number"},
    {"{`model`: {`type`: `BPE`, `vocab`: {`a`: 5, `b`: 5}, `merges`: []}}", STATUS_INPUT,
     "both have id 5"},
    {"{`model`: {`type`: `BPE`, `vocab`: {`a`: 5, `a`: 6}, `merges`: []}}", STATUS_INPUT,
     "token 'a' has two ids, 5 and 6"},
    {"{`model`: {`type`: `BPE`, " VOCAB "}}", STATUS_INPUT, "model: merges is missing or"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: 3}}", STATUS_INPUT, "merges is missing or"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: [`ab`]}}", STATUS_INPUT,
     "merge 1 is not a pair"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: [`a b`, `a b c`]}}", STATUS_INPUT,
     "merge 2 is not a pair"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: [[`a`]]}}", STATUS_INPUT, "merge 1 is not a"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: [`a z`]}}", STATUS_INPUT,
     "merge 1 needs the token 'z'"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: [`b a`]}}", STATUS_INPUT,
     "merge 1 needs the token 'ba'"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: [], `unk_token`: `u`}}", STATUS_INPUT,
     "unk_token 'u'"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: [], `dropout`: 0.1}}", STATUS_UNSUPPORTED,
     "dropout"},
    {"{`model`: {`type`: `BPE`, " VOCAB ", `merges`: [], `fuse_unk`: 1}}", STATUS_INPUT,
     "fuse_unk is missing or of a wrong type (expected true or false)"},
    {"{`normalizer`: {`type`: `BertNormalizer`}, " MODEL "}", STATUS_UNSUPPORTED,
     "normalizer of type 'BertNormalizer' (expected one of Sequence, Prepend"},
    {"{`normalizer`: {`type`: `Sequence`, `normalizers`: [{`type`: `Nmt`}]}, " MODEL "}",
     STATUS_UNSUPPORTED, "normalizer of type 'Nmt'"},
    {"{`normalizer`: {`type`: `Sequence`}, " MODEL "}", STATUS_INPUT, "normalizers is missing"},
    {"{`normalizer`: {`type`: `Replace`, `content`: ``}, " MODEL "}", STATUS_INPUT,
     "normalizer Replace without a pattern"},
    {"{`normalizer`: {`type`: `Replace`, `content`: ``, `pattern`: {`String`: ``}}, " MODEL "}",
     STATUS_UNSUPPORTED, "an empty pattern"},
    {"{`normalizer`: {`type`: `Replace`, `content`: ``, `pattern`: {`Regex`: `(a`}}, " MODEL "}",
     STATUS_UNSUPPORTED, "regular expression '(a': end pattern with unmatched parenthesis"},
    {"{`normalizer`: {`type`: `Prepend`}, " MODEL "}", STATUS_INPUT, "prepend is missing"},
    {"{`pre_tokenizer`: {`type`: `UnicodeScripts`}, " MODEL "}", STATUS_UNSUPPORTED,
     "pre_tokenizer of type 'UnicodeScripts' (expected one of Sequence, ByteLevel"},
    {"{`pre_tokenizer`: {`pattern`: 1}, " MODEL "}", STATUS_INPUT,
     "pre_tokenizer: type is missing"},
    {"{`pre_tokenizer`: {`type`: `Split`, `behavior`: `Isolated`}, " MODEL "}", STATUS_INPUT,
     "pre_tokenizer Split without a pattern"},
    {"{`pre_tokenizer`: {`type`: `Split`, `behavior`: `Doubled`, `pattern`: {`String`: "
     "`a`}}, " MODEL "}",
     STATUS_UNSUPPORTED, "behavior 'Doubled' (expected one of Removed, Isolated"},
    {"{`pre_tokenizer`: {`type`: `Split`, `pattern`: {`Regex`: `[z-a]`}}, " MODEL "}",
     STATUS_UNSUPPORTED, "regular expression '[z-a]': empty range"},
    {"{`pre_tokenizer`: {`type`: `Split`, `pattern`: {`Regex`: `\\\\p{Klingon}`}}, " MODEL "}",
     STATUS_UNSUPPORTED, "invalid character property name {Klingon}"},
    {"{`pre_tokenizer`: {`type`: `Metaspace`, `replacement`: `ab`}, " MODEL "}", STATUS_INPUT,
     "replacement 'ab' (expected one character)"},
    {"{`pre_tokenizer`: {`type`: `Metaspace`, `replacement`: ``}, " MODEL "}", STATUS_INPUT,
     "expected one character"},
    {"{`pre_tokenizer`: {`type`: `Metaspace`, `replacement`: `_`, `prepend_scheme`: `last`}, " MODEL
     "}",
     STATUS_UNSUPPORTED, "prepend_scheme 'last'"},
    {"{`post_processor`: {`type`: `RobertaProcessing`}, " MODEL "}", STATUS_UNSUPPORTED,
     "post_processor of type 'RobertaProcessing'"},
    {"{`post_processor`: {`type`: `TemplateProcessing`}, " MODEL "}", STATUS_INPUT,
     "single is missing"},
    {"{`post_processor`: {`type`: `TemplateProcessing`, `single`: [{`SpecialToken`: {`id`: `B`}}], "
     "`special_tokens`: {}}, " MODEL "}",
     STATUS_INPUT, "no ids for special token 'B'"},
    {"{`post_processor`: {`type`: `TemplateProcessing`, `single`: [{`Sequence`: {`id`: `B`}}]}, "
     "" MODEL "}",
     STATUS_INPUT, "sequence 'B' (expected A)"},
    {"{`post_processor`: {`type`: `TemplateProcessing`, `single`: [7]}, " MODEL "}", STATUS_INPUT,
     "neither SpecialToken nor Sequence"},
    {"{`added_tokens`: {}, " MODEL "}", STATUS_INPUT, "added_tokens is not a list"},
    {"{`added_tokens`: [{`id`: 9}], " MODEL "}", STATUS_INPUT, "content is missing"},
    {"{`added_tokens`: [{`content`: `<s>`}], " MODEL "}", STATUS_INPUT, "id of added token '<s>'"},
    {"{`added_tokens`: [{`id`: 1, `content`: `<s>`}], " MODEL "}", STATUS_INPUT,
     "tokens 'b' and '<s>' both have id 1"},
    {"{`added_tokens`: [{`id`: 9, `content`: `b`}], " MODEL "}", STATUS_INPUT,
     "added token 'b' has two ids, 9 and 1"},
    {"{`added_tokens`: [{`id`: 9, `content`: `x`}, {`id`: 9, `content`: `y`}], " MODEL "}",
     STATUS_INPUT, "tokens 'x' and 'y' both have id 9"},
};

static void test_every_bad_file_is_refused_by_name(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct tokenizer *t = NULL;
    struct error err = {0};
    status st = inline_open(&t, cases[i].json, NULL, &err);
    if (st != cases[i].code || !strstr(err.text, cases[i].part) ||
        !strstr(err.text, "tokenizer.json") || strchr(err.text, '\n')) {
      fail_msg("%s: status %d '%s', wanted %d '%s'", cases[i].json, (int)st, err.text,
               (int)cases[i].code, cases[i].part);
    }
    assert_null(t);
  }
}

static void test_a_folder_without_the_file_is_refused(void **state) {
  (void)state;
  struct tokenizer *t;
  struct error err;
  assert_fails(tokenizer_open(&t, "/nowhere/at/all", &err), STATUS_IO,
               "/nowhere/at/all/tokenizer.json: No such file");
}

static void test_a_broken_config_is_refused(void **state) {
  (void)state;
  struct tokenizer *t;
  struct error err;
  assert_fails(inline_open(&t, "{" MODEL "}", "{`bos_token`", &err), STATUS_INPUT,
               "tokenizer_config.json:1: not JSON");
}

static void test_text_that_is_not_utf8_is_refused_with_its_offset(void **state) {
  (void)state;
  struct tokenizer *t;
  struct error err;
  struct ids ids = {0};
  assert_ok(inline_open(&t, "{" MODEL "}", NULL, &err));
  assert_ok(ids_push(&ids, 5, &err));
  assert_fails(tokenizer_encode(t, "ab\xC3", 3, true, &ids, &err), STATUS_INPUT, "byte 2 ");
  assert_fails(tokenizer_encode(t, "\xED\xA0\x80", 3, false, &ids, &err), STATUS_INPUT, "byte 0 ");
  assert_int_equal(ids.count, 1);
  assert_ok(tokenizer_encode(t, "a\0b", 3, false, &ids, &err));
  assert_int_equal(ids.count, 2);
  ids_free(&ids);
  tokenizer_close(t);
}

/* Cut short anywhere a file is refused; with one byte changed it opens or is refused. */
static void test_damaged_files_never_do_worse_than_being_refused(void **state) {
  (void)state;
  static const char good[] =
      "{`added_tokens`: [{`id`: 9, `content`: `<s>`, `lstrip`: true}], `normalizer`: {`type`: "
      "`Replace`, `pattern`: {`Regex`: `[ab]+`}, `content`: `a`}, `pre_tokenizer`: {`type`: "
      "`Split`, `pattern`: {`Regex`: `\\\\p{L}+|[^\\\\s]`}, `behavior`: `Isolated`}, "
      "`post_processor`: {`type`: `TemplateProcessing`, `single`: [{`Sequence`: {`id`: `A`}}], "
      "`special_tokens`: {}}, " MODEL "}";
  struct tokenizer *t;
  struct error err;
  assert_ok(inline_open(&t, good, NULL, &err));
  tokenizer_close(t);
  int opened = 0;
  for (size_t i = 0; i < sizeof good - 1; i += 4) {
    char copy[sizeof good];
    memcpy(copy, good, sizeof good);
    copy[i] = '\0';
    assert_int_not_equal(inline_open(&t, copy, NULL, &err), STATUS_OK);
    for (const char *p = "{]\"0\x80\\"; *p; p++) {
      memcpy(copy, good, sizeof good);
      copy[i] = *p;
      if (inline_open(&t, copy, NULL, &err) == STATUS_OK) {
        struct ids ids = {0};
        (void)tokenizer_encode(t, "ab <s> \u00e9", 9, true, &ids, &err);
        ids_free(&ids);
        tokenizer_close(t);
        opened++;
      }
    }
  }
  assert_true(opened > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_bad_file_is_refused_by_name),
      cmocka_unit_test(test_a_folder_without_the_file_is_refused),
      cmocka_unit_test(test_a_broken_config_is_refused),
      cmocka_unit_test(test_text_that_is_not_utf8_is_refused_with_its_offset),
      cmocka_unit_test(test_damaged_files_never_do_worse_than_being_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
