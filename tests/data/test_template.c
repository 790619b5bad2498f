/* The template language: what it renders, and what it refuses where. */
#include "support.h"

#include "data/template.h"

static const char document[] =
    "{\"s\": \"  Hi \\u00c9t\\u00e9. \", \"n\": 3, \"x\": 0.25, \"yes\": true, \"none\": null,"
    " \"list\": [\"a\", \"b\", \"c\"], \"deep\": {\"list\": [[\"x\", \"y\"]], \"word\": \"w\"},"
    " \"empty\": \"\", \"under\": \"he_said_so\", \"if_x\": \"name\"}";

static struct arena *arena;
static cJSON *json;

static int setup(void **state) {
  (void)state;
  struct error err;
  json = cJSON_Parse(document);
  return json && arena_create(&arena, &err) == STATUS_OK ? 0 : 1;
}

static int teardown(void **state) {
  (void)state;
  cJSON_Delete(json);
  arena_free(arena);
  return 0;
}

static status run(const char *text, char **out, struct error *err) {
  struct template *t;
  struct scope scope = {.file = "d.jsonl", .line = 7, .doc = json, .arena = arena};
  TRY(template_parse(&t, arena, text, "t.yaml", 3, err));
  return template_render(t, &scope, out, err);
}

static void templates_render_as_in_jinja(void **state) {
  (void)state;
  static const struct {
    const char *template, *text;
  } cases[] = {
      {"", ""},
      {"plain { text } with 100% braces\n", "plain { text } with 100% braces\n"},
      {"{{n}} {{ x }} {{yes}} {{ -1 }} {{ 2.5 }}", "3 0.25 True -1 2.5"},
      {"[{{s}}]", "[  Hi \xc3\x89t\xc3\xa9. ]"},
      {"{{ s | strip }}|{{ s | lstrip }}|{{ s | rstrip }}",
       "Hi \xc3\x89t\xc3\xa9.|Hi \xc3\x89t\xc3\xa9. |  Hi \xc3\x89t\xc3\xa9."},
      {"{{ (s | strip)[:-1] }}", "Hi \xc3\x89t\xc3\xa9"},
      {"{{ (s | strip)[3] ~ (s | strip)[-2] }}", "\xc3\x89\xc3\xa9"},
      {"{{ s | strip | lower_first }} {{ s | strip | lower }} {{ s | strip | upper }}",
       "hi \xc3\x89t\xc3\xa9. hi \xc3\xa9t\xc3\xa9. HI \xc3\x89T\xc3\x89."},
      {"{{ 'aBC dE' | capitalize }}", "Abc de"},
      {"{{list[0]}}{{list[-1]}}{{list[n-2]}}", "acb"},
      {"{{ list[1:] | join('+') }} {{ list[:9] | join }} {{ list[2:1] | length }}", "b+c abc 0"},
      {"{{deep.word}} {{deep.list[0][1]}} {{ deep['word'] }}", "w y w"},
      {"{{ s | length }} {{ list | length }} {{ list | first }}{{ list | last }}", "10 3 ac"},
      {"{{ 'a-b-a' | replace('a', 'xy') }}", "xy-b-xy"},
      {"{{ 'a ( b (c ) ) \\'  d \\' (e' | tighten('(', ')') | tighten(\"'\", \"'\") }}",
       "a (b (c) ) 'd' (e"},
      {"{{ '( \xc2\xa0\\n ) ()' | tighten('(', ')') }}", "() ()"},
      {"{{ under | before('_') }} {{ under | after('_') }}", "he said_so"},
      {"{{ (' a b' | split(' ')) | join(',') }}", ",a,b"},
      {"{{ list | index('c') }} {{ 'D' | letter }} {{ ' 12 ' | int + 1 }}", "2 3 13"},
      {"{% if n == 3 %}three{% else %}other{% endif %}", "three"},
      {"{% if n < 3 %}a{% elif n >= 4 %}b{% elif 'b' in list %}c{% else %}d{% endif %}", "c"},
      {"{% if empty %}a{% endif %}{% if not empty and list %}b{% endif %}", "b"},
      {"{% if s | strip | ends_with('.') or missing %}dot{% endif %}", "dot"},
      {"{{ 'a' if n != 3 else 'b' }}{{ 'He' in s }}{{ 'Hi' in s }}{{ 'z' not in list }}",
       "bFalseTrueTrue"},
      {"a \n {{- n -}} \n b {#- gone -#} c", "a3bc"},
      {"{{ 'it\\'s' ~ \"\\n\" ~ n }}", "it's\n3"},
      {"{{ 1 + 2 - n }} {{ 'a' + 'b' ~ n }}", "0 ab3"},
      {"{{ if_x }}", "name"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error err;
    char *out = NULL;
    if (run(cases[i].template, &out, &err) != STATUS_OK) {
      fail_msg("'%s': %s", cases[i].template, err.text);
    }
    if (strcmp(out, cases[i].text) != 0) {
      fail_msg("'%s': '%s', wanted '%s'", cases[i].template, out, cases[i].text);
    }
  }
}

static void wrong_templates_are_refused_with_their_file_and_line(void **state) {
  (void)state;
  static const struct {
    const char *template, *what;
  } cases[] = {
      {"{{ s", "t.yaml:3: '}}' expected"},
      {"{{ }}", "t.yaml:3: a name expected"},
      {"{{ s | stirp }}", "unknown filter 'stirp' (did you mean 'strip'?)"},
      {"{{ s | replace('a') }}", "filter 'replace' takes 2 to 2 arguments, not 1"},
      {"{{ 'open }}", "a text without its closing '"},
      {"{{ 'a\\q' }}", "an escape other than"},
      {"{{ (n }}", "')' expected"},
      {"{{ list[1 }}", "']' expected"},
      {"{{ 'a' if n }}", "'else' expected"},
      {"{% for x in list %}", "unknown statement"},
      {"{% if n %}a", "an if that ends with the end"},
      {"a{% endif %}", "endif without an if"},
      {"{% if n %}{% else %}{% else %}{% endif %}", "an if that ends with else"},
      {"{# never closed", "a comment without its closing"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error err;
    char *out = NULL;
    assert_fails(run(cases[i].template, &out, &err), STATUS_INPUT, cases[i].what);
    assert_true(strncmp(err.text, "t.yaml:3: ", 10) == 0);
  }
}

static void documents_that_do_not_fit_are_refused_with_their_file_and_line(void **state) {
  (void)state;
  static const struct {
    const char *template, *what;
  } cases[] = {
      {"{{ mising }}", "no field 'mising' (there are: s, n, x"},
      {"{{ deep.wrod }}", "no field 'wrod' (there are: list, word)"},
      {"{{ n.word }}", "a number in front of .word"},
      {"{{ list }}", "a list (expected a text)"},
      {"{{ deep }}", "an object (expected a text)"},
      {"{{ none }}", "null (expected a text)"},
      {"{{ n | strip }}", "filter 'strip' met a number (expected texts)"},
      {"{{ list[3] }}", "index 3 of 3 items"},
      {"{{ n[0] }}", "a number in front of [ ]"},
      {"{{ list['a'] }}", "a text as an index"},
      {"{{ s + n }}", "a text + a number"},
      {"{{ s < n }}", "cannot be ordered"},
      {"{{ list ~ s }}", "a list to join"},
      {"{{ list | index('z') }}", "expected one that contains the value given"},
      {"{{ s | before('#') }}", "expected one that contains the text given"},
      {"{{ s | int }}", "expected a whole number"},
      {"{{ s | letter }}", "expected one letter"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct error err;
    char *out = NULL;
    assert_fails(run(cases[i].template, &out, &err), STATUS_INPUT, cases[i].what);
    assert_true(strncmp(err.text, "d.jsonl:7: ", 11) == 0);
    assert_non_null(strstr(err.text, "t.yaml:3"));
  }
}

/* Deep or endless input must end in a refusal, not in a full stack. */
static void nesting_is_bounded(void **state) {
  (void)state;
  static const char *const pieces[] = {"(",  "[",    "-",  "not ",     "a if b else ",
                                       "a.", "a + ", "a[", "a | join("};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
    struct error err;
    struct str text = {0};
    char *out = NULL;
    assert_ok(str_add(&text, "{{ ", 3, &err));
    for (int j = 0; j < 20000; j++) {
      assert_ok(str_add(&text, pieces[i], strlen(pieces[i]), &err));
    }
    assert_int_equal(run(text.at, &out, &err), STATUS_INPUT);
    str_free(&text);
  }
  struct error err;
  struct str text = {0};
  char *out;
  for (int j = 0; j < 20000; j++) {
    assert_ok(str_add(&text, "{% if n %}", 10, &err));
  }
  assert_fails(run(text.at, &out, &err), STATUS_INPUT, "levels of if");
  str_free(&text);
}

static void a_single_expression_keeps_its_value(void **state) {
  (void)state;
  struct error err;
  struct template *t;
  struct value v;
  struct scope scope = {.file = "d.jsonl", .line = 7, .doc = json, .arena = arena};
  assert_ok(template_parse(&t, arena, "{{list}}", "t.yaml", 1, &err));
  assert_ok(template_value(t, &scope, &v, &err));
  assert_int_equal(v.kind, VALUE_LIST);
  assert_int_equal(v.count, 3);
  assert_ok(template_parse_value(&t, arena, " n - 1 ", "t.yaml", 1, &err));
  assert_ok(template_value(t, &scope, &v, &err));
  assert_true(v.number == 2);
  assert_ok(template_parse(&t, arena, "{{n}} ", "t.yaml", 1, &err));
  assert_ok(template_value(t, &scope, &v, &err));
  assert_int_equal(v.kind, VALUE_TEXT);
  assert_fails(template_parse_value(&t, arena, "n n", "t.yaml", 4, &err), STATUS_INPUT,
               "t.yaml:4: text behind the expression");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(templates_render_as_in_jinja),
      cmocka_unit_test(wrong_templates_are_refused_with_their_file_and_line),
      cmocka_unit_test(documents_that_do_not_fit_are_refused_with_their_file_and_line),
      cmocka_unit_test(nesting_is_bounded),
      cmocka_unit_test(a_single_expression_keeps_its_value),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
