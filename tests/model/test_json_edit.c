/* Edits of JSON texts change one value and not a byte beside it. */
#include "model/json_edit.h"
#include "support.h"

static void test_one_value_changes_and_nothing_else(void **state) {
  (void)state;
  static const struct {
    const char *json, *result; /* result NULL: the key is not there */
  } cases[] = {
      {"{\"k\": 1}", "{\"k\": NEW}"},
      {"{\"k\":null,\"b\":1e-05}", "{\"k\":NEW,\"b\":1e-05}"},
      {"{ \"a\" : [1, {\"k\": 2}] , \"k\" : \"x,}\\\"y\" }",
       "{ \"a\" : [1, {\"k\": 2}] , \"k\" : NEW }"},
      {"{\"a\": {\"k\": \"}\"}, \"k\":\t{\"k\": [[], {}]}\n}",
       "{\"a\": {\"k\": \"}\"}, \"k\":\tNEW\n}"},
      {"{\"a\": \"\\\\\", \"k\": true, \"z\": 10000.0}",
       "{\"a\": \"\\\\\", \"k\": NEW, \"z\": 10000.0}"},
      {"{\"k\": 1, \"k\": 2}", "{\"k\": 1, \"k\": NEW}"},
      {"{\"kk\": 1, \"a\": \"k\", \"b\": {\"k\": 1}}", NULL},
      {"{}", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct str out = {0};
    struct error err = {0};
    bool found;
    assert_ok(json_set(&out, cases[i].json, "k", "NEW", &found, &err));
    assert_int_equal(found, cases[i].result != NULL);
    assert_string_equal(out.at, cases[i].result ? cases[i].result : cases[i].json);
    str_free(&out);
  }
}

static void test_a_new_key_stands_first(void **state) {
  (void)state;
  struct str out = {0};
  struct error err = {0};
  assert_ok(json_prepend(&out, "{\"a\": 1}\n", "k", "\"x\"", &err));
  assert_string_equal(out.at, "{\n  \"k\": \"x\",\"a\": 1}\n");
  str_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_one_value_changes_and_nothing_else),
      cmocka_unit_test(test_a_new_key_stands_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
