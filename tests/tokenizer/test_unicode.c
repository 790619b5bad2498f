/* Character classes and normal forms over all of Unicode, against the library's own tables. */
#include <cjson/cJSON.h>

#include "base/file.h"
#include "support.h"
#include "tokenizer/normal_form.h"
#include "tokenizer/pattern.h"
#include "tokenizer/unicode.h"

enum { CODES = 0x110000 };

static char folder[1024];

static cJSON *read_json(const char *name) {
  struct error err;
  char path[1100], *text;
  size_t size;
  (void)snprintf(path, sizeof path, "%s/%s", folder, name);
  assert_ok(file_read(&text, &size, path, &err));
  cJSON *root = cJSON_Parse(text);
  free(text);
  assert_non_null(root);
  return root;
}

static const cJSON *by_code[CODES];

/* Makes by_code the members of an object whose keys are code points in hexadecimal. */
static void index_codes(const cJSON *object) {
  const cJSON *item;
  memset(by_code, 0, sizeof by_code);
  cJSON_ArrayForEach(item, object) {
    by_code[strtoul(item->string, NULL, 16)] = item;
  }
}

static bool is_surrogate(uint32_t code) {
  return code >= 0xD800 && code <= 0xDFFF;
}

/* How many code points an expression classes otherwise than a list of ranges does. */
static int count_wrong(const char *source, const cJSON *ranges, bool inside) {
  struct error err;
  struct pattern pattern;
  struct scan scan = {0};
  int wrong = 0;
  const cJSON *range = ranges->child;
  assert_ok(pattern_regex(&pattern, source, "inline", "a test", &err));
  for (uint32_t code = 0; code < CODES; code++) {
    while (range && code > (uint32_t)cJSON_GetArrayItem(range, 1)->valueint) {
      range = range->next;
    }
    bool listed = range && code >= (uint32_t)cJSON_GetArrayItem(range, 0)->valueint;
    bool found;
    size_t start, end;
    char letter[4];
    if (is_surrogate(code)) {
      continue;
    }
    size_t bytes = utf8_encode(code, letter);
    scan_start(&scan, &pattern, letter, bytes);
    assert_ok(scan_next(&scan, &found, &start, &end, &err));
    wrong += found != (listed == inside);
  }
  scan_free(&scan);
  pattern_free(&pattern);
  return wrong;
}

static void test_classes_are_the_librarys_for_every_code_point(void **state) {
  (void)state;
  static const struct {
    const char *source, *class;
    bool inside;
  } cases[] = {
      {"\\p{L}", "L", true},      {"[\\p{L}]", "L", true},    {"[^\\p{L}]", "L", false},
      {"\\P{L}", "L", false},     {"\\p{^L}", "L", false},    {"[^\\P{L}]", "L", true},
      {"\\p{Letter}", "L", true}, {"(?i:\\p{N})", "N", true}, {"[a\\p{n}&&[^a]]", "N", true},
      {"\\p{N}", "N", true},      {"[^\\p{N}]", "N", false},  {"\\p{M}", "M", true},
      {"\\p{Mark}", "M", true},   {"\\s", "s", true},         {"\\S", "s", false},
  };
  cJSON *classes = read_json("unicode_classes.json");
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const cJSON *ranges = cJSON_GetObjectItem(classes, cases[i].class);
    int wrong = count_wrong(cases[i].source, ranges, cases[i].inside);
    if (wrong) {
      fail_msg("%s: %d code points", cases[i].source, wrong);
    }
  }
  for (const cJSON *range = cJSON_GetObjectItem(classes, "s")->child; range; range = range->next) {
    assert_true(unicode_is_space((uint32_t)cJSON_GetArrayItem(range, 0)->valueint));
    assert_true(unicode_is_space((uint32_t)cJSON_GetArrayItem(range, 1)->valueint));
  }
  cJSON_Delete(classes);
}

/* Appends the code points of "e9 301" as UTF-8. */
static void add_codes(struct str *out, const char *hex) {
  for (const char *p = hex; *p;) {
    char *end, letter[4];
    size_t n = utf8_encode((uint32_t)strtoul(p, &end, 16), letter);
    assert_int_equal(str_add(out, letter, n, NULL), STATUS_OK);
    p = end + (*end == ' ');
  }
}

/* Appends the normal form, which is the same whether origins are kept or not. */
static status form_of(struct str *out, const char *text, size_t bytes, bool compose,
                      bool compatible, struct error *err) {
  struct traced in = {0}, plain = {0}, kept = {0};
  TRY(traced_start(&in, true, err));
  TRY(traced_start(&plain, false, err));
  TRY(traced_start(&kept, true, err));
  TRY(traced_original(&in, text, bytes, 0, err));
  TRY(normal_form(&plain, &in, compose, compatible, err));
  TRY(normal_form(&kept, &in, compose, compatible, err));
  assert_int_equal(plain.text.count, kept.text.count);
  assert_memory_equal(plain.text.at, kept.text.at, plain.text.count + 1);
  TRY(str_add(out, plain.text.at, plain.text.count, err));
  traced_free(&in);
  traced_free(&plain);
  traced_free(&kept);
  return STATUS_OK;
}

static void test_nfc_of_every_code_point_is_the_librarys(void **state) {
  (void)state;
  cJSON *classes = read_json("unicode_classes.json");
  const cJSON *changed = cJSON_GetObjectItem(classes, "nfc_single");
  index_codes(changed);
  struct str got = {0}, wanted = {0};
  struct error err;
  int wrong = 0, seen = 0;
  for (uint32_t code = 1; code < CODES; code++) {
    char key[8], letter[4];
    if (is_surrogate(code)) {
      continue;
    }
    (void)snprintf(key, sizeof key, "%x", code);
    size_t bytes = utf8_encode(code, letter);
    const cJSON *other = by_code[code];
    got.count = wanted.count = 0;
    add_codes(&wanted, other ? other->valuestring : key);
    assert_ok(form_of(&got, letter, bytes, true, false, &err));
    wrong += got.count != wanted.count || memcmp(got.at, wanted.at, got.count) != 0;
    seen += other != NULL;
  }
  assert_int_equal(wrong, 0);
  assert_int_equal(seen, cJSON_GetArraySize(changed));
  str_free(&got);
  str_free(&wanted);
  cJSON_Delete(classes);
}

static void test_pairs_compose_as_in_unicode_9(void **state) {
  (void)state;
  cJSON *nfc = read_json("unicode_nfc9.json");
  struct str got = {0}, pair = {0}, wanted = {0};
  struct error err;
  const cJSON *row;
  int wrong = 0;
  cJSON_ArrayForEach(row, cJSON_GetObjectItem(nfc, "compose")) {
    got.count = pair.count = wanted.count = 0;
    add_codes(&pair, cJSON_GetArrayItem(row, 0)->valuestring);
    add_codes(&pair, cJSON_GetArrayItem(row, 1)->valuestring);
    add_codes(&wanted, cJSON_GetArrayItem(row, 2)->valuestring);
    assert_ok(form_of(&got, pair.at, pair.count, true, false, &err));
    wrong += !got.at || !wanted.at || strcmp(got.at, wanted.at) != 0;
  }
  assert_int_equal(wrong, 0);
  str_free(&got);
  str_free(&pair);
  str_free(&wanted);
  cJSON_Delete(nfc);
}

/* Between x and U+0316 (class 220) a mark of a higher class moves behind; one without a class, or
 * whose class the library does not know, does not. */
static void test_marks_have_the_classes_of_unicode_9(void **state) {
  (void)state;
  cJSON *nfc = read_json("unicode_nfc9.json");
  static bool decomposes[CODES];
  struct str got = {0}, text = {0};
  struct error err;
  int wrong = 0;
  index_codes(cJSON_GetObjectItem(nfc, "decomp"));
  for (uint32_t code = 0; code < CODES; code++) {
    decomposes[code] = by_code[code] || (code >= 0xAC00 && code < 0xD7A4);
  }
  index_codes(cJSON_GetObjectItem(nfc, "ccc"));
  for (uint32_t code = 0x300; code < CODES; code++) {
    char key[8];
    (void)snprintf(key, sizeof key, "%x", code);
    if (is_surrogate(code) || code == 0x316 || decomposes[code]) {
      continue;
    }
    const cJSON *class = by_code[code];
    got.count = text.count = 0;
    add_codes(&text, "78");
    add_codes(&text, key);
    add_codes(&text, "316");
    assert_ok(form_of(&got, text.at, text.count, false, false, &err));
    bool moved = strncmp(got.at + 1, "\u0316", 2) == 0;
    wrong += moved != (class && class->valueint > 220);
  }
  assert_int_equal(wrong, 0);
  str_free(&got);
  str_free(&text);
  cJSON_Delete(nfc);
}

static void test_only_well_formed_utf8_passes(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t good;
  } cases[] = {
      {"a\xC3\xA9", 3},
      {"\xE2\x96\x81", 3},
      {"\xF0\x9F\x98\x80", 4},
      {"\xF4\x8F\xBF\xBF", 4},
      {"a\x80", 1},
      {"ab\xC3", 2},
      {"\xC0\x80", 0},
      {"\xE0\x80\x80", 0},
      {"\xED\xA0\x80", 0},
      {"\xF0\x80\x80\x80", 0},
      {"\xF4\x90\x80\x80", 0},
      {"\xF5\x80\x80\x80", 0},
      {"x\xE2\x96", 1},
      {"\xFF", 0},
      {"\xED\x9F\xBF", 3},
      {"\xF0\x9F\x98", 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(utf8_check(cases[i].text, strlen(cases[i].text)), cases[i].good);
  }
  for (uint32_t code = 0; code < CODES; code += code < 0x900 ? 1 : 17) {
    char letter[4];
    size_t bytes = utf8_encode(code, letter), back;
    if (!is_surrogate(code)) {
      assert_int_equal(utf8_check(letter, bytes), bytes);
      assert_int_equal(utf8_decode(letter, &back), code);
      assert_int_equal(back, bytes);
    }
  }
}

int main(void) {
  char base[900];
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  (void)onig_initialize(encodings, 1);
  const struct CMUnitTest alone[] = {cmocka_unit_test(test_only_well_formed_utf8_passes)};
  int failed = cmocka_run_group_tests(alone, NULL, NULL);
  if (failed || !support_folder("reference", base, sizeof base)) {
    return failed ? failed : support_skip("tokenizer.unicode", "no reference folder");
  }
  (void)snprintf(folder, sizeof folder, "%s/tokenizers", base);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_classes_are_the_librarys_for_every_code_point),
      cmocka_unit_test(test_nfc_of_every_code_point_is_the_librarys),
      cmocka_unit_test(test_pairs_compose_as_in_unicode_9),
      cmocka_unit_test(test_marks_have_the_classes_of_unicode_9),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
