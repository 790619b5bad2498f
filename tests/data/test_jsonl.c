/* JSONL: lines keep their numbers, and what is no object per line is refused by them. */
#include "files.h"

#include "data/jsonl.h"
#include "data/text.h"

static void lines_keep_their_numbers_over_blank_ones(void **state) {
  (void)state;
  struct error err;
  struct jsonl j;
  const char *path =
      files_put("a.jsonl", "{\"x\": 1}\n\n  \t\r\n{\"x\": \"\\u00e9\"}\r\n{\"x\": 3}");
  assert_ok(jsonl_open(&j, path, 0, &err));
  assert_int_equal(j.count, 3);
  assert_int_equal(j.at[0].line, 1);
  assert_int_equal(j.at[1].line, 4);
  assert_int_equal(j.at[2].line, 5);
  assert_string_equal(cJSON_GetObjectItem(j.at[1].json, "x")->valuestring, "\xc3\xa9");
  char digest[DIGEST_TEXT];
  assert_ok(digest_file(path, digest, &err));
  assert_string_equal(j.digest, digest);
  jsonl_close(&j);
}

static void a_limit_stops_reading_but_not_the_digest(void **state) {
  (void)state;
  struct error err;
  struct jsonl all, two;
  const char *path = files_put("b.jsonl", "{\"x\": 1}\n{\"x\": 2}\n{\"x\": 3}\n");
  assert_ok(jsonl_open(&all, path, 0, &err));
  assert_ok(jsonl_open(&two, path, 2, &err));
  assert_int_equal(all.count, 3);
  assert_int_equal(two.count, 2);
  assert_string_equal(all.digest, two.digest);
  jsonl_close(&all);
  jsonl_close(&two);
}

static void broken_lines_are_refused_with_file_and_line(void **state) {
  (void)state;
  static const struct {
    const char *text, *what;
  } cases[] = {
      {"{\"x\": 1}\n{\"x\": }\n", "b.jsonl:2: broken JSON"},
      {"{\"x\": 1}\n\n[1, 2]\n", "b.jsonl:3: not an object"},
      {"{\"x\": 1} {\"x\": 2}\n", "b.jsonl:1: text behind the object"},
      {"{\"x\": \"a\xff\"}\n", "b.jsonl:1: byte 9 is not UTF-8"},
      {"{\"x\": \"\xed\xa0\x80\"}\n", "b.jsonl:1: byte 8 is not UTF-8"},
      {"{\"x\": \"\xc0\x80\"}\n", "b.jsonl:1: byte 8 is not UTF-8"},
      {"{\"x\": \"\\ud800\"}\n", "b.jsonl:1: broken JSON"},
      {"{\"x\": \"a\\u0000b\"}\n", "b.jsonl:1: a NUL character"},
      {"{\"x\": \"unclosed\n", "b.jsonl:1: broken JSON"},
      {"", "b.jsonl: no lines"},
      {"\n \n", "b.jsonl: no lines"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error err;
    struct jsonl j;
    assert_fails(jsonl_open(&j, files_put("b.jsonl", cases[i].text), 0, &err), STATUS_INPUT,
                 cases[i].what);
  }
}

static void an_escaped_backslash_before_u0000_is_text(void **state) {
  (void)state;
  struct error err;
  struct jsonl j;
  assert_ok(jsonl_open(&j, files_put("c.jsonl", "{\"x\": \"\\\\u0000\"}\n"), 0, &err));
  assert_string_equal(cJSON_GetObjectItem(j.at[0].json, "x")->valuestring, "\\u0000");
  jsonl_close(&j);
}

static void a_missing_file_is_named(void **state) {
  (void)state;
  struct error err;
  struct jsonl j;
  assert_fails(jsonl_open(&j, files_path("none.jsonl"), 0, &err), STATUS_IO, "none.jsonl");
}

static void text_counts_code_points_and_python_s_spaces(void **state) {
  (void)state;
  const char *text = "\xe3\x80\x80 a\xc3\xa9\xf0\x9f\x98\x80\xc2\xa0\n";
  size_t n = strlen(text);
  assert_int_equal(text_invalid(text, n), n);
  assert_int_equal(text_points(text, n), 7);
  assert_int_equal(text_space_left(text, n), 4);
  assert_int_equal(text_space_right(text, n), 3);
  assert_int_equal(text_offset(text, n, 4), 7);
  assert_int_equal(text_offset(text, n, 9), n);
  assert_int_equal(text_lower('A'), 'a');
  assert_int_equal(text_lower(0xc9), 0xe9);
  assert_int_equal(text_upper(0xe9), 0xc9);
  assert_int_equal(text_lower(0xd7), 0xd7);
  assert_int_equal(text_upper(0x430), 0x410);
  assert_int_equal(text_upper(0x101), 0x100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_keep_their_numbers_over_blank_ones),
      cmocka_unit_test(a_limit_stops_reading_but_not_the_digest),
      cmocka_unit_test(broken_lines_are_refused_with_file_and_line),
      cmocka_unit_test(an_escaped_backslash_before_u0000_is_text),
      cmocka_unit_test(a_missing_file_is_named),
      cmocka_unit_test(text_counts_code_points_and_python_s_spaces),
  };
  return cmocka_run_group_tests(tests, files_setup, files_teardown);
}
