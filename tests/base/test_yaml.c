/* YAML trees carry line numbers, and what a user cannot have meant is refused where it stands. */
#include "support.h"

#include <unistd.h>

#include "base/file.h"
#include "base/yaml.h"

static struct error err;

static status open_text(struct yaml_file *out, const char *text) {
  char path[] = "/tmp/espalier-yaml-XXXXXX";
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
  status st = yaml_open(out, path, &err);
  unlink(path);
  return st;
}

static void tree_and_lines(void **state) {
  (void)state;
  struct yaml_file f;
  assert_ok(open_text(&f, "# a comment\nname: demo\nlist: [0.5, \"2:4\"]\nmap:\n  a: 1\n  b: yes\n"
                          "none: ~\n"));
  const struct yaml *list = yaml_get(&f.root, "list"), *map = yaml_get(&f.root, "map");
  assert_int_equal(list->kind, YAML_LIST);
  assert_int_equal(list->count, 2);
  assert_string_equal(list->items[1].text, "2:4");
  assert_true(list->items[1].quoted);
  assert_int_equal(map->keys[1].line, 6);
  assert_null(yaml_get(&f.root, "none"));
  assert_null(yaml_get(&f.root, "absent"));
  long a;
  assert_ok(yaml_int(&f, yaml_get(map, "a"), "a", 0, 9, &a, &err));
  assert_int_equal(a, 1);
  bool b;
  assert_fails(yaml_bool(&f, yaml_get(map, "b"), "b", &b, &err), STATUS_INPUT,
               ":6: 'b' is yes (expected true or false)");
  double d;
  assert_ok(yaml_double(&f, &list->items[0], "list", 0, 1, &d, &err));
  assert_true(d == 0.5);
  assert_fails(yaml_double(&f, &list->items[1], "list", 0, 1, &d, &err), STATUS_INPUT,
               "(expected a number)");
  static const char *const names[] = {"name", "list", "map", "none"};
  assert_ok(yaml_check_keys(&f, &f.root, "a grid", names, 4, &err));
  static const char *const few[] = {"nam", "list", "map", "none"};
  assert_fails(yaml_check_keys(&f, &f.root, "a grid", few, 4, &err), STATUS_INPUT,
               ":2: unknown key 'name' in a grid (did you mean 'nam'?)");
  yaml_close(&f);
}

static void refusals(void **state) {
  (void)state;
  static const struct {
    const char *text, *part;
  } cases[] = {
      {"a: 1\nb: [1, 2\nc: 3\n", ":3: YAML: "},
      {"a: 1\na: 2\n", ":2: 'a' stands twice (first on line 1)"},
      {"a: &x 1\nb: *x\n", ":1: an anchor"},
      {"b: *x\n", ":1: an alias"},
      {"a: !!int 1\n", ":1: a tag"},
      {"a: 1\n---\nb: 2\n", ":2: a second YAML document"},
      {"- 1\n- 2\n", ":1: not a map"},
      {"", "an empty file"},
      {"? [a, b]\n: 1\n", ":1: a key is not a plain word"},
      {"a: \"\\0\"\n", ":1: a NUL character"},
      {"a: \xff\xfe\n", "not UTF-8"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct yaml_file f;
    assert_fails(open_text(&f, cases[i].text), STATUS_INPUT, cases[i].part);
  }
  char deep[400] = "a: ";
  memset(deep + 3, '[', 200);
  struct yaml_file f;
  assert_fails(open_text(&f, deep), STATUS_INPUT, "nested deeper");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(tree_and_lines), cmocka_unit_test(refusals)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
