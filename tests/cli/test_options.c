/* Options are read strictly, and every refusal is one line that helps. */
#include "support.h"

#include "cli/cli.h"
#include "cli/duration.h"

static struct error err;

struct wanted {
  const char *file, *output;
  int count, kind, params;
  bool quiet;
};

static const struct argp_option options[] = {
    {"output", 'o', "FILE", 0, "a file", 0}, {"count", 300, "N", 0, "a number", 0},
    {"kind", 301, "KIND", 0, "a choice", 0}, {"param", 302, "P", 0, "repeatable", 0},
    {"quiet", 'q', 0, 0, "a flag", 0},       {0}};

static error_t parse(int key, char *arg, struct argp_state *state) {
  static const char *const kinds[] = {"plain", "fancy"};
  const struct cli_input *in = state->input;
  struct wanted *w = in->options;
  switch (key) {
  case 'o':
    w->output = arg;
    return 0;
  case 300:
    return cli_int(in, "--count", arg, 1, 10, &w->count);
  case 301:
    return cli_choice(in, "--kind", arg, kinds, 2, &w->kind);
  case 302:
    w->params++;
    return 0;
  case 'q':
    w->quiet = true;
    return 0;
  case ARGP_KEY_ARG:
    if (w->file) {
      return cli_refuse(in, "'%s' is a second file", arg);
    }
    w->file = arg;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const struct argp argp = {options, parse, "FILE", "A test.", NULL, NULL, NULL};
static const struct argp no_arguments = {options, NULL, NULL, "A test.", NULL, NULL, NULL};

/* words: separated by spaces, the command's name first. */
static status read(const struct argp *a, struct wanted *w, const char *words) {
  static const char *const repeatable[] = {"param", NULL};
  static char text[256];
  char *argv[32], *save = NULL;
  int argc = 0;
  *w = (struct wanted){0};
  (void)snprintf(text, sizeof text, "%s", words);
  for (char *p = strtok_r(text, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
    argv[argc++] = p;
  }
  argv[argc] = NULL;
  return cli_parse(a, repeatable, argc, argv, w, &err);
}

static void every_form_of_an_option_is_read(void **state) {
  (void)state;
  struct wanted w;
  assert_ok(read(&argp, &w, "cmd file.yaml --output a --count=7 -q --param x --param=y"));
  assert_string_equal(w.file, "file.yaml");
  assert_string_equal(w.output, "a");
  assert_int_equal(w.count, 7);
  assert_int_equal(w.params, 2);
  assert_true(w.quiet);
  assert_ok(read(&argp, &w, "cmd -qoz --kind fancy"));
  assert_string_equal(w.output, "z");
  assert_int_equal(w.kind, 1);
  assert_ok(read(&argp, &w, "cmd -- --output"));
  assert_string_equal(w.file, "--output");
  assert_ok(read(&argp, &w, "cmd -"));
  assert_string_equal(w.file, "-");
}

static void an_unknown_option_names_the_nearest(void **state) {
  (void)state;
  struct wanted w;
  assert_fails(read(&argp, &w, "cmd --ouput x"), STATUS_INPUT, "did you mean --output?");
  assert_fails(read(&argp, &w, "cmd --quite"), STATUS_INPUT, "did you mean --quiet?");
  assert_fails(read(&argp, &w, "cmd --zzzzzzzz"), STATUS_INPUT, "unknown option --zzzzzzzz");
  assert_fails(read(&argp, &w, "cmd -x"), STATUS_INPUT, "unknown option -x");
  assert_fails(read(&argp, &w, "cmd --outp x"), STATUS_INPUT, "unknown option --outp");
}

static void an_option_given_twice_is_refused(void **state) {
  (void)state;
  struct wanted w;
  assert_fails(read(&argp, &w, "cmd --count 1 --count 1"), STATUS_INPUT, "--count is given twice");
  assert_fails(read(&argp, &w, "cmd -o a --output=b"), STATUS_INPUT, "--output is given twice");
}

static void values_are_asked_for_where_they_belong(void **state) {
  (void)state;
  struct wanted w;
  assert_fails(read(&argp, &w, "cmd --count"), STATUS_INPUT, "--count needs a value (N)");
  assert_fails(read(&argp, &w, "cmd -o"), STATUS_INPUT, "-o needs a value (FILE)");
  assert_fails(read(&argp, &w, "cmd --quiet=1"), STATUS_INPUT, "--quiet takes no value");
  assert_fails(read(&argp, &w, "cmd --count 11"), STATUS_INPUT, "from 1 to 10");
  assert_fails(read(&argp, &w, "cmd --count 1x"), STATUS_INPUT, "'1x'");
  assert_fails(read(&argp, &w, "cmd --kind odd"), STATUS_INPUT, "one of plain, fancy");
}

static void arguments_too_many_are_refused(void **state) {
  (void)state;
  struct wanted w;
  assert_fails(read(&argp, &w, "cmd a b"), STATUS_INPUT, "'b' is a second file");
  assert_fails(read(&no_arguments, &w, "cmd a"), STATUS_INPUT, "unexpected argument 'a'");
}

static void durations_are_read_as_slurm_writes_them(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double seconds; /* -1: refused */
  } cases[] = {{"90", 90},      {"1:30", 90},      {"2:00:05", 7205}, {"1-00:00:10", 86410},
               {"", -1},        {"x", -1},         {"1:", -1},        {"1:60", -1},
               {"1:2:3:4", -1}, {"UNLIMITED", -1}, {"-5", -1},        {"5s", -1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    double seconds = -1;
    bool good = duration_parse(cases[i].text, &seconds);
    assert_int_equal(good, cases[i].seconds >= 0);
    if (good) {
      assert_true(seconds == cases[i].seconds);
    }
  }
  char text[32];
  duration_print(7205, text, sizeof text);
  assert_string_equal(text, "2:00:05");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_form_of_an_option_is_read),
      cmocka_unit_test(an_unknown_option_names_the_nearest),
      cmocka_unit_test(an_option_given_twice_is_refused),
      cmocka_unit_test(values_are_asked_for_where_they_belong),
      cmocka_unit_test(arguments_too_many_are_refused),
      cmocka_unit_test(durations_are_read_as_slurm_writes_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
