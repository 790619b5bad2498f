/* `espalier sensitivity` on a small results file made here. Numbers were computed apart from the
 * program, from the file read with h5py: SciPy 1.10 (f_oneway, binomtest, spearmanr, rankdata), all
 * orders gone through in Python, CPython's random numbers, and masks unpacked with numpy. */
#include "cli/capture.h"
#include "cli/sensitivity_fixture.h"

#include <cjson/cJSON.h>

#include "cli/cli.h"

static char folder[] = "/tmp/espalier_sensitivity_XXXXXX";
static char full[64], bare[64], log_path[64], printed[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(full, sizeof full, "%s/x.h5", folder);
  (void)snprintf(bare, sizeof bare, "%s/y.h5", folder);
  (void)snprintf(log_path, sizeof log_path, "%s/x.journal", folder);
  (void)snprintf(printed, sizeof printed, "%s/out", folder);
  struct error err;
  return sensitive_write(full, log_path, true, &err) == STATUS_OK &&
                 sensitive_write(bare, NULL, false, &err) == STATUS_OK
             ? 0
             : -1;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(full);
  (void)unlink(bare);
  (void)unlink(log_path);
  (void)unlink(printed);
  return rmdir(folder);
}

enum { ARGUMENTS = 10 };

static status sensitivity(char *path, const char *const *more, char **out, struct error *err) {
  char *argv[ARGUMENTS + 2] = {(char *)"sensitivity", path};
  int argc = 2;
  for (; *more; more++) {
    argv[argc++] = (char *)*more;
  }
  return capture(cmd_sensitivity, argc, argv, printed, out, err);
}

/* Whether the lines [count] follow each other in what is printed. */
static void assert_prints(char *path, const char *const *more, const char *lines) {
  struct error err = {0};
  char *out;
  assert_ok(sensitivity(path, more, &out, &err));
  if (!strstr(out, lines)) {
    fail_msg("'%s' lacks '%s'", out, lines);
  }
  free(out);
}
#define PRINTS(path, lines, ...)                                                                   \
  assert_prints((path), (const char *const[]){__VA_ARGS__, NULL}, lines)

static void refuses(const char *part, const char *const *more) {
  struct error err = {0};
  char *out = NULL;
  assert_fails(sensitivity(full, more, &out, &err), STATUS_INPUT, part);
  assert_string_equal(out, "");
  free(out);
}
#define REFUSES(part, ...) refuses((part), (const char *const[]){__VA_ARGS__, NULL})

static void the_head_counts_what_is_missing(void **state) {
  (void)state;
  char wanted[512];
  (void)snprintf(wanted, sizeof wanted,
                 "%s: nano, sparsity 0.5, 16 samples of 128 tokens\n"
                 "data sets: topic acc, kjv perplexity\n"
                 "calibration sets: c4, sst2, wiki\n"
                 "missing: 1 of 29 variants failed and 0 are not done; 3 of 58 cells failed and 0 "
                 "are not done: espalier status %s\n",
                 full, full);
  PRINTS(full, wanted, "--section", "spread");
}

static void spreads_are_over_the_draws_that_are_there(void **state) {
  (void)state;
  PRINTS(full,
         "dataset  method     calibration    n   mean     sd    min    max  dense  difference\n"
         "-----------------------------------------------------------------------------------\n"
         "topic    magnitude  -              1  0.480      -  0.480  0.480  0.780      -0.300\n"
         "topic    wanda      c4             3  0.523  0.025  0.500  0.550  0.780      -0.257\n"
         "topic    wanda      sst2         2/3  0.420  0.028  0.400  0.440  0.780      -0.360\n"
         "topic    wanda      wiki           3  0.597  0.015  0.580  0.610  0.780      -0.183\n"
         "topic    wanda      all          8/9  0.525  0.076  0.400  0.610  0.780      -0.255\n",
         "--section", "spread", "--dataset", "topic");
  PRINTS(full,
         "kjv      wanda      wiki           3    inf      -  18.00    inf  9.500         inf\n",
         "--section", "spread", "--dataset", "kjv");
  PRINTS(
      full,
      "topic,acc,nano,0.5,16,128,pruned,wanda,sst2,2,3,1,0.42,0.0282842712,0.4,0.44,0.78,-0.36\n",
      "--section", "spread", "--format", "csv");
}

static void with_drop_values_are_differences(void **state) {
  (void)state;
  PRINTS(full,
         "topic,acc,nano,0.5,16,128,pruned,wanda,sst2,2,3,1,-0.36,0.0282842712,-0.38,-0.34,0.78,-0."
         "36\n",
         "--section", "spread", "--format", "csv", "--drop");
  PRINTS(
      full,
      "topic,acc,nano,0.5,16,128,pruned,ria,ngram,0,8,8,-0.285714286,-0.835778659,0.600131579,\n",
      "--section", "distance", "--format", "csv", "--drop");
}

static void components_are_scipys_and_infinite_values_have_none(void **state) {
  (void)state;
  PRINTS(full,
         "topic,acc,nano,0.5,16,128,pruned,wanda,3,8,0.0833276189,0.0225092574,,0.0114181872,0."
         "9319925,"
         "0.00469953005,0.0179982002,0.00694349206,0.000506666667,,0.000130375,\n"
         "topic,acc,nano,0.5,16,128,pruned,ria,3,8,0.0816389652,0.0275075747,,0.0116886697,0."
         "898045171,"
         "0.0122987701,0.0245975402,0.00666492063,0.000756666667,,0.000136625,\n"
         "topic,acc,nano,0.5,16,128,pruned,sparsegpt,3,9,0.0438008963,0.0179505494,,0.011392005,"
         "0.856198347,0.00359964004,0.0179982002,0.00191851852,0.000322222222,,0.000129777778,\n"
         "kjv,perplexity,nano,0.5,16,128,pruned,wanda,3,8,,,,,,,,,,,,infinite values have no "
         "variance\n"
         "kjv,perplexity,nano,0.5,16,128,pruned,ria,3,9,5.99826364,0.353553391,,,0.996537796,"
         "0.00359964004,0.0179982002,35.9791667,0.125,,,\n",
         "--section", "components", "--format", "csv");
}

static void an_estimate_below_zero_is_a_marked_zero(void **state) {
  (void)state;
  PRINTS(full,
         "kjv      sparsegpt     2  6  0.000*    0.603         -      0.000  1.0000  1.0000\n",
         "--section", "components", "--dataset", "kjv", "--method", "sparsegpt", "--calibration",
         "c4,wiki");
}

static void what_one_set_or_one_method_cannot_tell_is_said(void **state) {
  (void)state;
  PRINTS(full,
         "topic    wanda         1  3       -    0.025     0.012          -  -       -  one "
         "calibration set\n",
         "--section", "components", "--dataset", "topic", "--calibration", "c4");
  PRINTS(full, "one calibration set has all methods\n", "--section", "ranks", "--calibration",
         "c4");
  PRINTS(full, "one method at each sparsity: nothing to compare\n", "--section", "beats",
         "--method", "wanda");
  PRINTS(full, "one method: nothing to rank\n", "--section", "ranks", "--method", "wanda");
  PRINTS(full, "methods without calibration have one value and are left out\n", "--section",
         "components", "--method", "magnitude");
  PRINTS(full, "no method with calibration\n", "--section", "ranks", "--method", "magnitude");
}

static void pairs_are_formed_where_both_draws_exist(void **state) {
  (void)state;
  PRINTS(
      full,
      "topic,acc,nano,0.5,16,128,pruned,magnitude,wanda,8,2,0,6,0.25,-0.045,0.2890625,1,\n"
      "topic,acc,nano,0.5,16,128,pruned,magnitude,ria,8,3,0,5,0.375,-0.03125,0.7265625,1,\n"
      "topic,acc,nano,0.5,16,128,pruned,magnitude,sparsegpt,9,6,0,3,0.666666667,0.0188888889,"
      "0.5078125,1,\n"
      "topic,acc,nano,0.5,16,128,pruned,wanda,ria,7,3,0,4,0.428571429,-0.00285714286,1,1,\n"
      "topic,acc,nano,0.5,16,128,pruned,wanda,sparsegpt,8,6,1,1,0.8125,0.05625,0.125,1,\n"
      "topic,acc,nano,0.5,16,128,pruned,ria,sparsegpt,8,7,0,1,0.875,0.05375,0.0703125,0.7734375,\n",
      "--section", "beats", "--format", "csv");
  PRINTS(full, "kjv,perplexity,nano,0.5,16,128,pruned,wanda,ria,8,0,0,8,0,inf,0.0078125,0.09375,\n",
         "--section", "beats", "--format", "csv");
  PRINTS(full, "topic    acc         wanda      ria        7/9     3     0       4        0.429",
         "--section", "beats");
}

static void sets_rank_methods_by_the_draws_that_all_have(void **state) {
  (void)state;
  PRINTS(full,
         "topic,acc,nano,0.5,16,128,pruned,ria,1.33333333,3,3,7,0.433333333,0.444444444,1,1,\n"
         "kjv,perplexity,nano,0.5,16,128,pruned,ria,1.33333333,3,3,8,0.444444444,0.361111111,1,1,\n"
         "all,mean rank,nano,0.5,16,128,pruned,ria,1.33333333,3,3,,0.333333333,0.527777778,1,1,\n",
         "--section", "ranks", "--format", "csv");
}

static void masks_overlap_within_and_between_sets(void **state) {
  (void)state;
  PRINTS(full,
         ",,nano,0.5,16,128,pruned,wanda,all,5,4,0.636538462,6,0.258518846,0.333333333,\n"
         ",,nano,0.5,16,128,pruned,wanda,q,5,8,0.75,12,0.180952381,0.333333333,\n"
         ",,nano,0.5,16,128,pruned,wanda,up,5,4,0.5,6,0.555555556,0.333333333,\n"
         ",,nano,0.5,16,128,pruned,ria,all,0,0,,0,,,fewer than two masks\n",
         "--section", "overlap", "--format", "csv");
}

static void losses_are_correlated_with_distances(void **state) {
  (void)state;
  PRINTS(
      full,
      "topic,acc,nano,0.5,16,128,pruned,wanda,ngram,0,8,8,-0.214285714,-0.924050633,0.538461538,\n"
      "kjv,perplexity,nano,0.5,16,128,pruned,wanda,ngram,0,3,3,0.5,,,too few draws for an "
      "interval\n"
      "topic,acc,nano,0.5,16,128,pruned,ria,ngram,0,8,8,-0.285714286,-0.835778659,0.600131579,\n",
      "--section", "distance", "--format", "csv");
}

static void a_file_without_masks_and_distances_says_how_to_get_them(void **state) {
  (void)state;
  PRINTS(bare, "\nthe file has no masks (a grid with `store: {masks: true}` keeps them)\n",
         "--section", "overlap");
  PRINTS(bare,
         "\nthe file has no distances between calibration and evaluation data (espalier distances "
         "adds them)\n",
         "--section", "distance");
}

static void every_section_is_in_the_json(void **state) {
  (void)state;
  struct error err = {0};
  char *out;
  assert_ok(sensitivity(full, (const char *const[]){"--format", "json", NULL}, &out, &err));
  cJSON *root = cJSON_Parse(out);
  assert_non_null(root);
  assert_int_equal(cJSON_GetObjectItem(root, "variants_failed")->valueint, 1);
  static const char *const names[] = {"spread", "components", "beats",
                                      "ranks",  "overlap",    "distance"};
  static const int rows[] = {26, 6, 12, 3, 5, 6};
  for (int i = 0; i < 6; i++) {
    const cJSON *of = cJSON_GetObjectItem(cJSON_GetObjectItem(root, names[i]), "rows");
    assert_int_equal(cJSON_GetArraySize(of), rows[i]);
  }
  const cJSON *row =
      cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "beats"), "rows"), 4);
  assert_string_equal(cJSON_GetObjectItem(row, "A")->valuestring, "wanda");
  assert_true(cJSON_GetObjectItem(row, "P_A_beats_B")->valuedouble == 0.8125);
  cJSON_Delete(root);
  free(out);
}

static void bad_arguments_are_one_line(void **state) {
  (void)state;
  REFUSES("--section: 'spraed' (did you mean spread?)", "--section", "spraed");
  REFUSES("--format csv: one section at a time (--section spread)", "--format", "csv");
  REFUSES("--method: 'wnada' is not in ", "--method", "wnada");
  REFUSES("(did you mean wanda?)", "--method", "wnada");
  REFUSES("--sparsity: '0.7' is not in ", "--sparsity", "0.7");
  REFUSES("--samples: '32' is not in ", "--samples", "32");
  REFUSES("--kind: 'nli' is not in ", "--kind", "nli");
  REFUSES("--dataset: 'topc' is not in ", "--dataset", "topc");
  REFUSES("no pruned model is left to compare", "--method", "dense");
  REFUSES("unexpected argument 'more.h5'", "more.h5");
  struct error err = {0};
  char *out = NULL;
  assert_fails(sensitivity(log_path, (const char *const[]){NULL}, &out, &err), STATUS_INPUT,
               "not an HDF5 file");
  free(out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_head_counts_what_is_missing),
      cmocka_unit_test(spreads_are_over_the_draws_that_are_there),
      cmocka_unit_test(with_drop_values_are_differences),
      cmocka_unit_test(components_are_scipys_and_infinite_values_have_none),
      cmocka_unit_test(an_estimate_below_zero_is_a_marked_zero),
      cmocka_unit_test(what_one_set_or_one_method_cannot_tell_is_said),
      cmocka_unit_test(pairs_are_formed_where_both_draws_exist),
      cmocka_unit_test(sets_rank_methods_by_the_draws_that_all_have),
      cmocka_unit_test(masks_overlap_within_and_between_sets),
      cmocka_unit_test(losses_are_correlated_with_distances),
      cmocka_unit_test(a_file_without_masks_and_distances_says_how_to_get_them),
      cmocka_unit_test(every_section_is_in_the_json),
      cmocka_unit_test(bad_arguments_are_one_line),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
