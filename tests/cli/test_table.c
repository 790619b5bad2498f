/* `espalier table`, on a small results file made here: what it prints, to the character. */
#include "cli/capture.h"
#include "cli/cli.h"
#include "cli/results_fixture.h"

static char folder[] = "/tmp/espalier_table_XXXXXX";
static char path[64], printed[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.h5", folder);
  (void)snprintf(printed, sizeof printed, "%s/out", folder);
  struct table_fixture t;
  struct results r = table_results(&t);
  return results_write(path, &r, NULL) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  (void)unlink(printed);
  return rmdir(folder);
}

enum { ARGUMENTS = 10 };

/* Runs the command on the file with more arguments (NULL-terminated, may be NULL); what it prints
 * to standard output is in *out, which the caller frees. */
static status table(const char *const *more, char **out, struct error *err) {
  char *argv[ARGUMENTS + 1] = {(char *)"table", path};
  int argc = 2;
  for (; more && *more; more++) {
    argv[argc++] = (char *)*more;
  }
  return capture(cmd_table, argc, argv, printed, out, err);
}

static void assert_prints(const char *const *more, const char *wanted) {
  struct error err = {0};
  char *got;
  assert_ok(table(more, &got, &err));
  assert_string_equal(got, wanted);
  free(got);
}

static void assert_refuses(const char *const *more, const char *part) {
  struct error err = {0};
  char *got;
  assert_fails(table(more, &got, &err), STATUS_INPUT, part);
  assert_string_equal(got, "");
  free(got);
}

/* The note names the file, whose folder differs from run to run. */
static char *with_note(const char *body, const char *mark) {
  static char text[8192];
  (void)snprintf(text, sizeof text, "%s%s%s%s\n", body, mark,
                 "1 of these cells failed and 2 are not done: espalier status ", path);
  return text;
}

static void the_table_has_dense_first_then_means_and_spreads_over_draws(void **state) {
  (void)state;
  assert_prints(NULL,
                with_note("method     sparsity  calibration  topic          k|v_€\n"
                          "                                  acc            perplexity\n"
                          "-----------------------------------------------------------------\n"
                          "dense      -         -            0.782              9.877\n"
                          "magnitude  0.5       -            0.600              12346\n"
                          "wanda      0.5       c4           0.470 ± 0.014      21.00 ± 0.71\n"
                          "wanda      0.5       sst2         0.230 (1/2)       failed\n"
                          "ria a=0.5  0.5       c4           0.510 ± 0.014      30.00 ± 0.00\n"
                          "ria a=0.5  0.5       sst2         0.410 ± 0.014        inf\n"
                          "ria a=1    0.5       c4           0.510 ± 0.000  1.000e+09 ± 0\n"
                          "ria a=1    0.5       sst2         0.305 ± 0.007      99.95 ± 0.01\n"
                          "\n"
                          "mean ± standard deviation (n - 1) over 2 draws; metric (items): acc for "
                          "topic (200), perplexity for k|v_€ (12-13)\n",
                          ""));
}

static void markdown_has_one_head_and_escapes_its_bars(void **state) {
  (void)state;
  const char *const more[] = {"--format", "markdown",  "--rows", "method,calibration",
                              "--method", "magnitude", NULL};
  assert_prints(
      more,
      "| method | calibration | topic acc | k\\|v_€ perplexity |\n"
      "|:---|:---|---:|---:|\n"
      "| dense | - | 0.782 | 9.877 |\n"
      "| magnitude | - | 0.600 | 12346 |\n"
      "\n"
      "one value per cell; metric (items): acc for topic (200), perplexity for k|v_€ (12-13)\n");
}

static void latex_is_a_tabular_with_its_note_as_comments(void **state) {
  (void)state;
  const char *const more[] = {"--format=latex", "--rows=method,calibration", "--method=wanda",
                              NULL};
  assert_prints(more, with_note("% needs \\usepackage{booktabs}\n"
                                "\\begin{tabular}{llrr}\n"
                                "\\toprule\n"
                                "method & calibration & topic acc & k|v\\_€ perplexity \\\\\n"
                                "\\midrule\n"
                                "dense & - & 0.782 & 9.877 \\\\\n"
                                "wanda & c4 & 0.470 $\\pm$ 0.014 & 21.00 $\\pm$ 0.71 \\\\\n"
                                "wanda & sst2 & 0.230 (1/2) & failed \\\\\n"
                                "\\bottomrule\n"
                                "\\end{tabular}\n"
                                "% mean ± standard deviation (n - 1) over 2 draws; metric (items): "
                                "acc for topic (200), perplexity for k|v_€ (12-13)\n",
                                "% "));
}

static void csv_has_numbers_alone(void **state) {
  (void)state;
  const char *const more[] = {"--format=csv", "--rows=method,calibration", "--method=wanda", NULL};
  assert_prints(more, "method,calibration,topic acc,topic acc sd,topic acc n,k|v_€ "
                      "perplexity,k|v_€ perplexity sd,k|v_€ perplexity n\n"
                      "dense,-,0.782,,1,9.87654,,1\n"
                      "wanda,c4,0.47,0.0141421356,2,21,0.707106781,2\n"
                      "wanda,sst2,0.23,,1,,,0\n");
}

static void what_a_spread_runs_over_is_named(void **state) {
  (void)state;
  const char *const more[] = {"--rows=method", "--dataset=topic", "--metric=acc_norm",
                              "--method=ria,magnitude", NULL};
  assert_prints(more, "method     topic\n"
                      "           acc_norm\n"
                      "------------------------\n"
                      "dense      0.882\n"
                      "magnitude  0.700\n"
                      "ria a=0.5  0.560 ± 0.059\n"
                      "ria a=1    0.508 ± 0.118\n"
                      "\n"
                      "mean ± standard deviation (n - 1) over up to 4 variants (draws, calibration "
                      "sets); metric (items): acc_norm for topic (200)\n");
}

static void any_field_may_be_a_column(void **state) {
  (void)state;
  const char *const more[] = {"--rows=dataset", "--columns=method,calibration",
                              "--method=magnitude", NULL};
  assert_prints(
      more,
      "dataset  dense  magnitude\n"
      "         -      -\n"
      "-------------------------\n"
      "topic    0.782  0.600\n"
      "k|v_€    9.877  12346\n"
      "\n"
      "one value per cell; metric (items): acc for topic (200), perplexity for k|v_€ (12-13)\n");
}

static void models_alone_do_not_mix_with_the_dense_one(void **state) {
  (void)state;
  const char *const more[] = {"--rows=model", "--dataset=topic", "--method=magnitude", NULL};
  assert_prints(more, "model         topic\n"
                      "              acc\n"
                      "-------------------\n"
                      "nano (dense)  0.782\n"
                      "nano          0.600\n"
                      "\n"
                      "one value per cell; metric (items): acc for topic (200)\n");
}

static void bad_usage_is_refused_with_a_suggestion(void **state) {
  (void)state;
  static const struct {
    const char *more[5], *part;
  } cases[] = {
      {{"--rows", "metod"}, "--rows: unknown field 'metod' (did you mean method?)"},
      {{"--rows", "qqqqqqqqqqqqq"}, "(expected model, method, sparsity, "},
      {{"--rows", "method,method"}, "--rows: 'method' is given twice"},
      {{"--rows", "method", "--columns", "method"}, "--columns: 'method' is given twice"},
      {{"--rows", "method", "--columns", "sparsity"}, "leave out dataset"},
      {{"--rows", "method,,draw"}, "an empty name"},
      {{"--dataset", "topics"}, "--dataset: 'topics' is not in "},
      {{"--dataset", "topics"}, "(did you mean topic?)"},
      {{"--method", "wnada"}, "(did you mean wanda?)"},
      {{"--metric", "acc_nrom"}, "(did you mean acc_norm?)"},
      {{"--format", "html"}, "--format: 'html' (expected one of text, markdown, latex, csv)"},
      {{"another.h5"}, "unexpected argument 'another.h5'"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    assert_refuses(cases[i].more, cases[i].part);
  }
}

static void a_file_that_is_not_there_is_told_from_one_not_yet_built(void **state) {
  (void)state;
  struct error err = {0};
  char missing[80], journal[80];
  (void)snprintf(missing, sizeof missing, "%s/y.h5", folder);
  (void)snprintf(journal, sizeof journal, "%s/y.journal", folder);
  char *argv[] = {(char *)"table", missing, NULL};
  assert_fails(cmd_table(2, argv, &err), STATUS_IO, "y.h5: No such file");
  assert_ok(file_write(journal, "", 0, &err));
  assert_fails(cmd_table(2, argv, &err), STATUS_INPUT, "y.journal is: run the experiment again");
  (void)unlink(journal);
  assert_fails(cmd_table(1, argv, &err), STATUS_INPUT, "a results file is missing");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table_has_dense_first_then_means_and_spreads_over_draws),
      cmocka_unit_test(markdown_has_one_head_and_escapes_its_bars),
      cmocka_unit_test(latex_is_a_tabular_with_its_note_as_comments),
      cmocka_unit_test(csv_has_numbers_alone),
      cmocka_unit_test(what_a_spread_runs_over_is_named),
      cmocka_unit_test(any_field_may_be_a_column),
      cmocka_unit_test(models_alone_do_not_mix_with_the_dense_one),
      cmocka_unit_test(bad_usage_is_refused_with_a_suggestion),
      cmocka_unit_test(a_file_that_is_not_there_is_told_from_one_not_yet_built),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
