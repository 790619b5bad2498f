/* `espalier table --columns kind` and --drop, on a small results file made here. */
#include "cli/capture.h"

#include <math.h>

#include "cli/cli.h"
#include "store/results.h"

enum { VARIANTS = 4, DATASETS = 5, ITEMS = 8 };

static const struct dataset_info datasets[DATASETS] = {{"one", "sentiment"},
                                                       {"text", "language_modeling"},
                                                       {"two", "sentiment"},
                                                       {"three", "inference"},
                                                       {"words", "language_modeling"}};
static const struct variant_info variants[VARIANTS] = {
    {"v0", "nano", "dense", "{}", "0", "", 0, 0, -1, "", 0, false},
    {"v1", "nano", "wanda", "{}", "0.5", "c4", 16, 128, 0, "pruned", 1, false},
    {"v2", "nano", "wanda", "{}", "0.5", "c4", 16, 128, 1, "pruned", 2, false},
    {"v3", "nano", "magnitude", "{}", "0.5", "", 0, 0, -1, "", 3, false},
};
/* Of "one", the data set whose items are kept. */
static const char *const right[VARIANTS] = {"11111100", "11011000", "11110010", "10000001"};
static const double values[VARIANTS][DATASETS] = {{0.75, 10, 0.9, 0.625, 0.5},
                                                  {0.5, 12, 0.8, 0.5, 0.25},
                                                  {0.625, 13, 0.85, 0.375, 0.5},
                                                  {0.25, 100.5, 0, 0.125, 0.125}};
static const char *const metric_names[DATASETS] = {"acc", "perplexity", "f1", "acc", "acc"};

static char folder[] = "/tmp/espalier_kind_XXXXXX";
static char path[64], printed[64];

static status write_fixture(struct error *err) {
  static struct variant_record pruned = {.ranks = 1};
  static struct cell_record cells[VARIANTS][DATASETS];
  static struct metric_row metrics[VARIANTS][DATASETS];
  static int8_t correct[VARIANTS][ITEMS];
  static float likelihoods[ITEMS];
  static int32_t gold[ITEMS];
  const struct variant_record *variant_records[VARIANTS];
  const struct cell_record *cell_records[VARIANTS * DATASETS];
  for (int v = 0; v < VARIANTS; v++) {
    variant_records[v] = &pruned;
    for (int i = 0; i < ITEMS; i++) {
      correct[v][i] = right[v][i] == '1';
    }
    for (int d = 0; d < DATASETS; d++) {
      metrics[v][d] = (struct metric_row){.value = values[v][d],
                                          .stderr_ = d == 1 ? NAN : 0.03 + 0.01 * d,
                                          .items = d == 1 ? 20 : ITEMS};
      (void)snprintf(metrics[v][d].name, sizeof metrics[v][d].name, "%s", metric_names[d]);
      cells[v][d] = (struct cell_record){.metric_count = 1, .metrics = &metrics[v][d]};
      cell_records[v * DATASETS + d] = &cells[v][d];
    }
    cells[v][0].items = ITEMS;
    cells[v][0].choices = 1;
    cells[v][0].loglikelihoods = likelihoods;
    cells[v][0].gold = gold;
    cells[v][0].correct = cells[v][0].correct_norm = correct[v];
  }
  cell_records[3 * DATASETS + 2] = NULL;
  struct results r = {.variants = variants,
                      .variant_count = VARIANTS,
                      .datasets = datasets,
                      .dataset_count = DATASETS,
                      .variant_records = variant_records,
                      .cell_records = cell_records};
  return results_write(path, &r, err);
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.h5", folder);
  (void)snprintf(printed, sizeof printed, "%s/out", folder);
  struct error err;
  return write_fixture(&err) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  (void)unlink(printed);
  return rmdir(folder);
}

static status table(const char *const *more, char **out, struct error *err) {
  char *argv[10] = {(char *)"table", path};
  int argc = 2;
  for (; *more; more++) {
    argv[argc++] = (char *)*more;
  }
  return capture(cmd_table, argc, argv, printed, out, err);
}

/* What is printed up to the line about missing cells, which names the file. */
static void assert_prints(const char *const *more, const char *wanted) {
  struct error err = {0};
  char *got;
  assert_ok(table(more, &got, &err));
  char *missing = strstr(got, "0 of these cells failed");
  if (missing) {
    *missing = '\0';
  }
  assert_string_equal(got, wanted);
  free(got);
}

static void kinds_are_averaged_and_perplexities_are_not(void **state) {
  (void)state;
  const char *const more[] = {"--columns", "kind", "--rows=method", NULL};
  assert_prints(more,
                "method     sentiment            text          inference      language_modeling\n"
                "           mean                 perplexity    acc            acc\n"
                "------------------------------------------------------------------------------\n"
                "dense      0.825 ± 0.029        10.00         0.625 ± 0.060  0.500 ± 0.070\n"
                "wanda      0.694 ± 0.029        12.50 ± 0.71  0.438 ± 0.060  0.375 ± 0.070\n"
                "magnitude  0.250 ± 0.030 (1/2)  100.5         0.125 ± 0.060  0.125 ± 0.070\n"
                "\n"
                "unweighted mean of a kind's data sets ± its standard error over their items, "
                "draws averaged before; a data set alone ± standard deviation (n - 1) over its "
                "draws; data sets (items): sentiment 2: one acc (8), two f1 (8); text: text "
                "perplexity (20); inference: three acc (8); language_modeling: words acc (8)\n");
}

static void drops_have_the_errors_of_paired_items(void **state) {
  (void)state;
  const char *const more[] = {"--columns", "kind", "--rows=method", "--drop", NULL};
  assert_prints(
      more, "method     sentiment             text            inference       language_modeling\n"
            "           mean                  perplexity      acc             acc\n"
            "----------------------------------------------------------------------------------\n"
            "dense       0.825 ± 0.029         10.00           0.625 ± 0.060   0.500 ± 0.070\n"
            "wanda      -0.131 ± 0.104        +2.500 ± 0.707  -0.188 ± 0.085  -0.125 ± 0.099\n"
            "magnitude  -0.500 ± 0.267 (1/2)  +90.50          -0.500 ± 0.085  -0.375 ± 0.099\n"
            "\n"
            "differences to the dense model, whose own rows are absolute; unweighted mean of a "
            "kind's data sets ± its standard error over their items, draws averaged before; a data "
            "set alone ± standard deviation (n - 1) over its draws; data sets (items): sentiment "
            "2: one acc (8), two f1 (8); text: text perplexity (20); inference: three acc (8); "
            "language_modeling: words acc (8)\n"
            "8 of the differences have no items in common on record: their errors are as of "
            "independent samples, usually too large\n");
}

static void drops_of_data_sets_are_differences_of_their_values(void **state) {
  (void)state;
  const char *const more[] = {"--rows=method", "--drop", "--dataset=one,text", NULL};
  assert_prints(
      more,
      "method     one             text\n"
      "           acc             perplexity\n"
      "-----------------------------------------\n"
      "dense       0.750           10.00\n"
      "wanda      -0.188 ± 0.088  +2.500 ± 0.707\n"
      "magnitude  -0.500          +90.50\n"
      "\n"
      "differences to the dense model, whose own rows are absolute; mean ± standard deviation (n - "
      "1) over 2 draws; metric (items): acc for one (8), perplexity for text (20)\n");
}

static void csv_says_what_its_numbers_are(void **state) {
  (void)state;
  const char *const more[] = {"--columns=kind", "--rows=method",          "--drop",
                              "--format=csv",   "--dataset=one,two,text", NULL};
  assert_prints(more, "method,sentiment mean - dense,sentiment mean se,sentiment mean n,text "
                      "perplexity - dense,text perplexity sd,text perplexity n\n"
                      "dense,0,,2,0,,1\n"
                      "wanda,-0.13125,0.103769963,2,2.5,0.707106781,2\n"
                      "magnitude,-0.5,0.267261242,1,90.5,,1\n");
}

static void kinds_may_share_columns_with_other_fields(void **state) {
  (void)state;
  const char *const more[] = {"--columns=kind,method", "--rows=model", "--dataset=one,two,text",
                              NULL};
  assert_prints(
      more,
      "model  sentiment      sentiment      sentiment            text        text          text\n"
      "       dense          wanda          magnitude            dense       wanda         "
      "magnitude\n"
      "       mean           mean           mean                 perplexity  perplexity    "
      "perplexity\n"
      "--------------------------------------------------------------------------------------------"
      "--\n"
      "nano   0.825 ± 0.029  0.694 ± 0.029  0.250 ± 0.030 (1/2)  10.00       12.50 ± 0.71  100.5\n"
      "\n"
      "unweighted mean of a kind's data sets ± its standard error over their items, draws averaged "
      "before; a data set alone ± standard deviation (n - 1) over its draws; data sets (items): "
      "sentiment 2: one acc (8), two f1 (8); text: text perplexity (20)\n");
}

static void kind_is_a_column_and_not_beside_its_data_sets(void **state) {
  (void)state;
  struct error err = {0};
  char *got;
  const char *const rows[] = {"--rows=kind", NULL};
  assert_fails(table(rows, &got, &err), STATUS_INPUT, "--rows: unknown field 'kind'");
  free(got);
  const char *const both[] = {"--columns=kind,dataset", NULL};
  assert_fails(table(both, &got, &err), STATUS_INPUT, "'dataset' is given twice");
  free(got);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kinds_are_averaged_and_perplexities_are_not),
      cmocka_unit_test(drops_have_the_errors_of_paired_items),
      cmocka_unit_test(drops_of_data_sets_are_differences_of_their_values),
      cmocka_unit_test(csv_says_what_its_numbers_are),
      cmocka_unit_test(kinds_may_share_columns_with_other_fields),
      cmocka_unit_test(kind_is_a_column_and_not_beside_its_data_sets),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
