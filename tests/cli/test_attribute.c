/* `espalier attribute` on a small results file made here. The link's numbers were computed apart
 * from the program with SciPy, NumPy and CPython's random numbers, from the losses it prints. */
#include "cli/attribute_fixture.h"
#include "cli/capture.h"

#include <cjson/cJSON.h>

#include "cli/cli.h"

static char folder[] = "/tmp/espalier_attribute_XXXXXX";
static char full[64], bare[64], printed[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(full, sizeof full, "%s/x.h5", folder);
  (void)snprintf(bare, sizeof bare, "%s/y.h5", folder);
  (void)snprintf(printed, sizeof printed, "%s/out", folder);
  struct error err;
  bool made = attributed_write(full, true, &err) == STATUS_OK &&
              attributed_write(bare, false, &err) == STATUS_OK;
  return made ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(full);
  (void)unlink(bare);
  (void)unlink(printed);
  return rmdir(folder);
}

enum { ARGUMENTS = 12 };

static status attribute(const char *const *words, char **out, struct error *err) {
  char *argv[ARGUMENTS + 2] = {(char *)"attribute"};
  int argc = 1;
  for (; *words; words++) {
    argv[argc++] = (char *)*words;
  }
  return capture(cmd_attribute, argc, argv, printed, out, err);
}

/* Whether the lines follow each other in what is printed. */
static void assert_prints(const char *lines, const char *const *words) {
  struct error err = {0};
  char *out;
  assert_ok(attribute(words, &out, &err));
  if (!strstr(out, lines)) {
    fail_msg("'%s' lacks '%s'", out, lines);
  }
  free(out);
}
#define PRINTS(lines, ...) assert_prints((lines), (const char *const[]){__VA_ARGS__, NULL})

static void refuses(status code, const char *part, const char *const *words) {
  struct error err = {0};
  char *out = NULL;
  assert_fails(attribute(words, &out, &err), code, part);
  assert_string_equal(out, "");
  free(out);
}
#define REFUSES(part, ...) refuses(STATUS_INPUT, (part), (const char *const[]){__VA_ARGS__, NULL})

static void words_come_with_their_intervals_and_best_units(void **state) {
  (void)state;
  PRINTS(
      "dataset  word   occurrences  influence    low   high  found  best units            first "
      "writes\n"
      "-----------------------------------------------------------------------------------------"
      "---------\n"
      "topic    badly            7      0.750  0.500  1.000    1/2  1:5 (9.5), 0:2 (4.5)  worse, "
      "bad, not\n"
      "topic    größe            3      0.500      -      -      1  0:2 (3.5)\n"
      "topic    slow            12      0.250  0.125  0.500      1  1:5 (2.5)             worse, "
      "bad, not\n"
      "mood     badly ",
      full, "--section", "words");
  PRINTS("mood,nano,badly,7,0.75,0.5,1,2,1,1:5 (9.5),\"worse, bad, not\"\n", full, "--section",
         "words", "--neurons", "1", "--format", "csv");
}

static void units_have_scores_and_what_they_write(void **state) {
  (void)state;
  PRINTS("topic,nano,badly,1,5,9.5,0.001,yes,2.5,0.125,0.25,\"worse, bad, not\"\n"
         "topic,nano,badly,0,2,4.5,0.25,no,0.75,0.5,0.0625,\n",
         full, "--section", "units", "--format", "csv");
  PRINTS("topic,nano,badly,1,5,9.5,0.001,yes,2.5,0.125,0.25,\"worse, bad, not\"\n"
         "topic,nano,größe,0,2,",
         full, "--section", "units", "--neurons", "1", "--format", "csv");
  PRINTS("dataset  block  unit  kind          mean  spread\n"
         "------------------------------------------------\n"
         "mood         0     3  massive    900.500  12.000\n"
         "mood         1     7  always on    4.500   0.250\n",
         full, "--section", "apart", "--dataset", "mood");
}

static void matched_units_are_judged_beside_random_ones(void **state) {
  (void)state;
  PRINTS(
      "topic    matched     1      2     0.500  -0.250  -0.375  -0.125       -1.500    -2.000     "
      "-1.000\n"
      "topic    random      2      2     0.719  -0.031  -0.062  +0.000       -0.125    -0.250     "
      "+0.000\n",
      full, "--section", "causal");
  PRINTS("\ntopic: zeroing the 2 matched units changes the gold answer's log-likelihood by -1.500 "
         "(-2.000 to -1.000), random units of the same blocks and mean activation by -0.125 on "
         "average; 0 of 2 random sets lose as much (p 0.333): the matched units matter, but not "
         "shown to matter more than random ones\n",
         full, "--section", "causal");
  PRINTS("topic,nano,\"random, all\",2,2,0.71875,-0.03125,-0.0625,0,-0.125,-0.25,0\n"
         "topic,nano,random,1,2,0.75,0,-0.125,0.125,0,-0.25,0.25\n"
         "topic,nano,random,1,2,0.6875,-0.0625,-0.25,0.125,-0.25,-0.5,0\n",
         full, "--section", "causal", "--draws", "--format", "csv");
}

static void losses_are_means_over_draws_and_failures_are_told(void **state) {
  (void)state;
  PRINTS("topic    wanda   c4             3     0.307  0.025     0.700  0.050    0.010       "
         "-1.000    "
         "    0.110          +0.113     0.500     3           1\n",
         full, "--section", "losses");
  PRINTS("mood     ria     sst2         2/3     0.665  0.049     0.525  0.175    0.021 ", full,
         "--section", "losses");
  PRINTS("\nmood: no attribution of ria, sst2, draw 1: not finite\n", full, "--section", "losses");
  PRINTS("topic,nano,0.5,16,128,pruned,wanda,sst2,2,1,0.38,,0.66,0.09,,-1,0.16,0.3074847,0.5,0.25,"
         "0.75,3,1\n",
         full, "--section", "losses", "--draws", "--format", "csv");
  PRINTS("topic,nano,0.5,16,128,pruned,wanda,c4,,0,,2,1\n"
         "topic,nano,0.5,16,128,pruned,wanda,c4,,1,0.5,1,0\n",
         full, "--section", "layers", "--format", "csv");
}

static void the_link_is_python_s_and_said_in_words(void **state) {
  (void)state;
  PRINTS("all points,NSA loss,0.799506518,0.742604517,0.920581417,0.000199980002,both others,"
         "0.837956105,0.78858927,0.933286839,0.000199980002,23,2,6\n"
         "all points,layer output error,0.577811031,-0.148604132,0.735406602,0.00179982002,NSA "
         "loss,0.616900915,-0.231183193,0.802635916,0.000599940006,23,2,6\n"
         "all points,perplexity rise,0.758501079,0.213415925,0.860618818,0.000199980002,NSA loss,"
         "0.80614308,0.284595319,0.905352346,0.000199980002,23,2,6\n"
         "within data sets,NSA loss,0.983981091,0.909068297,1,0.000199980002,both others,"
         "0.952381882,0.65658883,1,0.000199980002,23,2,6\n"
         "within data sets,layer output error,0.642062587,-0.243007103,0.818101476,0.00199980002,"
         "NSA loss,-0.190673037,-0.434447912,0.46112785,0.408759124,23,2,6\n"
         "within data sets,perplexity rise,0.824833239,0.164237952,0.945874374,0.000199980002,NSA "
         "loss,0.0578549985,-0.203581055,0.660984148,0.797120288,23,2,6\n",
         full, "--section", "link", "--format", "csv");
  PRINTS("\n23 points (pruned model and data set), 2 data sets, 6 draws\n"
         "over all points: where NSA's loss is larger, accuracy drops more (rho 0.800, 95 % 0.743 "
         "to 0.921, p 0.0002)\n",
         full, "--section", "link");
  PRINTS("\nwithin data sets: given layer output error and perplexity, NSA's loss still says "
         "something of the drop (partial 0.952, 95 % 0.657 to 1.000, p 0.0002)\n"
         "within data sets: of the three, NSA's loss goes most with the drop (rho 0.984)\n",
         full, "--section", "link");
}

static void few_points_are_not_correlated(void **state) {
  (void)state;
  PRINTS("3 points (pruned model and data set) with all numbers: too few to correlate (expected at "
         "least 5)\n",
         full, "--section", "link", "--dataset", "topic", "--method", "ria", "--calibration", "c4");
  PRINTS("\nwithin data sets: NSA's loss is not shown to go with the drop in accuracy (rho 0.800, "
         "p 0.1368)\n",
         full, "--section", "link", "--dataset", "mood", "--calibration", "sst2");
}

static void json_has_every_usual_section(void **state) {
  (void)state;
  struct error err = {0};
  char *out;
  assert_ok(attribute((const char *const[]){full, "--format", "json", NULL}, &out, &err));
  cJSON *root = cJSON_Parse(out);
  static const char *const names[] = {"words", "causal", "losses", "link"};
  assert_int_equal(cJSON_GetArraySize(root), 4);
  for (size_t i = 0; i < 4; i++) {
    const cJSON *rows = cJSON_GetObjectItem(cJSON_GetObjectItem(root, names[i]), "rows");
    assert_true(cJSON_GetArraySize(rows) > 0);
  }
  cJSON_Delete(root);
  free(out);
}

static void what_is_not_there_is_refused(void **state) {
  (void)state;
  REFUSES("no attributions (an experiment has them with 'attribution:", bare);
  REFUSES("--dataset: 'topc' is not in", full, "--dataset", "topc");
  REFUSES("did you mean topic?", full, "--dataset", "topc");
  REFUSES("--method: 'wnada' is not in", full, "--method", "wnada");
  REFUSES("--section: 'word' (did you mean words?)", full, "--section", "word");
  REFUSES("--section: 'zzzzzz' (expected words, units, apart, causal, losses, layers or link)",
          full, "--section", "zzzzzz");
  REFUSES("--format csv: one section at a time", full, "--format", "csv");
  REFUSES("(one results file is enough)", full, bare);
}

static void a_file_and_a_pair_have_options_of_their_own(void **state) {
  (void)state;
  REFUSES("a results file, or --model, --pruned and --dataset, are missing", "--draws");
  REFUSES("--limit is for a pair of checkpoints, not for a results file", full, "--limit", "3");
  REFUSES("--method is for a results file, not for a pair", "--pruned", "x", "--method", "wanda");
  REFUSES("--pruned needs --model DIR", "--pruned", "x", "--dataset", "sst2");
  REFUSES("--pruned needs --dataset NAME", "--pruned", "x", "--model", "y");
  REFUSES("--influence lexicon needs --lexicon FILE", "--pruned", "x", "--model", "y", "--dataset",
          "z", "--influence", "lexicon");
  REFUSES("--lexicon needs --influence lexicon", "--pruned", "x", "--model", "y", "--dataset", "z",
          "--lexicon", "w");
  REFUSES("--model: unknown model 'y'", "--pruned", "x", "--model", "y", "--dataset", "z");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_come_with_their_intervals_and_best_units),
      cmocka_unit_test(units_have_scores_and_what_they_write),
      cmocka_unit_test(matched_units_are_judged_beside_random_ones),
      cmocka_unit_test(losses_are_means_over_draws_and_failures_are_told),
      cmocka_unit_test(the_link_is_python_s_and_said_in_words),
      cmocka_unit_test(few_points_are_not_correlated),
      cmocka_unit_test(json_has_every_usual_section),
      cmocka_unit_test(what_is_not_there_is_refused),
      cmocka_unit_test(a_file_and_a_pair_have_options_of_their_own),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
