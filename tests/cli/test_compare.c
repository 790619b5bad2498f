/* `espalier compare` on a small results file made here: what it prints, to the character. The
 * numbers were computed apart from the program, with SciPy and CPython's random numbers. */
#include "cli/capture.h"

#include <math.h>

#include "cli/cli.h"
#include "store/results.h"

enum { VARIANTS = 7, DATASETS = 3, ITEMS = 12, WINDOWS = 5, CHOICES = 2 };

static const struct dataset_info datasets[DATASETS] = {
    {"topic", "topic"}, {"text", "language_modeling"}, {"pairs", "similarity"}};

#define CUT(id, method, parameters, sparsity, set, draw)                                           \
  {                                                                                                \
    (id), "nano", (method), (parameters), (sparsity), (set), (draw) < 0 ? 0 : 16,                  \
        (draw) < 0 ? 0 : 128, (draw), (draw) < 0 ? "" : "pruned", 0, false                         \
  }
static const struct variant_info variants[VARIANTS] = {
    CUT("aa00", "dense", "{}", "0", "", -1),
    CUT("ab01", "magnitude", "{}", "0.5", "", -1),
    CUT("bb02", "wanda", "{}", "0.5", "c4", 0),
    CUT("bc03", "wanda", "{}", "0.5", "c4", 1),
    CUT("cc04", "ria", "{\"a\":0.5}", "2:4", "c4", 1),
    CUT("cd05", "ria", "{\"a\":0.5}", "2:4", "c4", 2),
    CUT("ce06", "ria", "{\"a\":1}", "2:4", "c4", 1),
};
static const char *const right[VARIANTS] = {"110111011101", "010010000100", "110101011001",
                                            "100111010100", "111101011001", "100111010111",
                                            "110101011001"};

struct fixture {
  struct variant_record pruned;
  struct cell_record cells[VARIANTS][DATASETS];
  struct metric_row metrics[VARIANTS][DATASETS];
  float choices[VARIANTS][ITEMS][CHOICES], windows[VARIANTS][WINDOWS];
  int32_t gold[ITEMS], none[WINDOWS];
  int8_t correct[VARIANTS][ITEMS], unknown[WINDOWS];
  const struct variant_record *variant_records[VARIANTS];
  const struct cell_record *cell_records[VARIANTS * DATASETS];
};

/* Gold is choice 0 of even items; the right choice's log-likelihood is larger by a quarter. Windows
 * have 63 targets. Predictions of `pairs` are those of `topic`. */
static void fill(struct fixture *f, int v) {
  double sum = 0;
  int hits = 0;
  for (int i = 0; i < ITEMS; i++) {
    f->gold[i] = i % 2;
    f->correct[v][i] = right[v][i] == '1';
    hits += f->correct[v][i];
    int said = f->correct[v][i] ? i % 2 : 1 - i % 2;
    f->choices[v][i][said] = -1.0F - (float)v;
    f->choices[v][i][1 - said] = -1.25F - (float)v;
  }
  for (int i = 0; i < WINDOWS; i++) {
    f->windows[v][i] = -180.0F - (float)(8 * v + i * (v % 3));
    f->none[i] = f->unknown[i] = -1;
    sum += f->windows[v][i];
  }
  double acc = hits / (double)ITEMS, perplexity = exp(-sum / WINDOWS / 63);
  f->metrics[v][0] = (struct metric_row){"acc", acc, 0.1, ITEMS};
  f->metrics[v][1] = (struct metric_row){"perplexity", perplexity, NAN, WINDOWS};
  f->metrics[v][2] = (struct metric_row){"f1", 0.5, 0.1, ITEMS};
  const struct cell_record task = {.metric_count = 1,
                                   .items = ITEMS,
                                   .choices = CHOICES,
                                   .loglikelihoods = &f->choices[v][0][0],
                                   .gold = f->gold,
                                   .correct = f->correct[v],
                                   .correct_norm = f->correct[v]};
  f->cells[v][0] = f->cells[v][2] = task;
  f->cells[v][1] = (struct cell_record){.metric_count = 1,
                                        .items = WINDOWS,
                                        .choices = 1,
                                        .loglikelihoods = f->windows[v],
                                        .gold = f->none,
                                        .correct = f->unknown,
                                        .correct_norm = f->unknown};
  for (int d = 0; d < DATASETS; d++) {
    f->cells[v][d].metrics = &f->metrics[v][d];
    f->cell_records[v * DATASETS + d] = &f->cells[v][d];
  }
}

static char folder[] = "/tmp/espalier_compare_XXXXXX";
static char path[64], other[64], printed[64];

static status write_fixture(const char *to, int odd, struct error *err) {
  static struct fixture f;
  f = (struct fixture){.pruned = {.achieved_sparsity = 0.5, .ranks = 1}};
  for (int v = 0; v < VARIANTS; v++) {
    f.variant_records[v] = &f.pruned;
    fill(&f, v);
  }
  f.gold[3] = odd;
  f.cell_records[1 * DATASETS + 1] = NULL;
  struct results r = {.variants = variants,
                      .variant_count = VARIANTS,
                      .datasets = datasets,
                      .dataset_count = DATASETS,
                      .variant_records = f.variant_records,
                      .cell_records = f.cell_records};
  return results_write(to, &r, err);
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.h5", folder);
  (void)snprintf(other, sizeof other, "%s/y.h5", folder);
  (void)snprintf(printed, sizeof printed, "%s/out", folder);
  struct error err;
  return write_fixture(path, 1, &err) == STATUS_OK && write_fixture(other, 0, &err) == STATUS_OK
             ? 0
             : -1;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  (void)unlink(other);
  (void)unlink(printed);
  return rmdir(folder);
}

enum { ARGUMENTS = 8 };

static status compare(const char *const *more, char **out, struct error *err) {
  char *argv[ARGUMENTS + 2] = {(char *)"compare", path};
  int argc = 2;
  for (; *more; more++) {
    argv[argc++] = strcmp(*more, "OTHER") == 0 ? other : (char *)*more;
  }
  return capture(cmd_compare, argc, argv, printed, out, err);
}

static void assert_prints(const char *const *more, const char *wanted) {
  struct error err = {0};
  char *got;
  assert_ok(compare(more, &got, &err));
  assert_string_equal(got, wanted);
  free(got);
}

static void two_variants_are_compared_item_by_item(void **state) {
  (void)state;
  const char *const more[] = {"dense", "wanda:0.5:c4:0", NULL};
  assert_prints(
      more, "A: nano dense\n"
            "B: nano wanda 0.5 c4 16x128 draw 0\n"
            "\n"
            "dataset  metric      items      A      B   B - A     low    high  lost  gained       "
            "p  p Holm\n"
            "--------------------------------------------------------------------------------------"
            "--------\n"
            "topic    acc            12  0.750  0.583  -0.167  -0.417  +0.000     2       0  "
            "0.5000  1.0000\n"
            "text     perplexity      5  17.41  23.92  +6.506  +5.612  +7.434     5       0       "
            "-       -\n"
            "pairs    f1             12  0.800  0.667  -0.133  -0.369  +0.000     2       0  "
            "0.5000  1.0000\n"
            "\n"
            "low, high: 95 % of 10000 resamples (seed 0) of the items; lost, gained: items right "
            "with A alone, with B alone (perplexity: likelier with A, with B)\n"
            "p: McNemar's exact test, two-sided; p Holm: corrected over the data sets tested\n");
}

static void draws_are_paired_by_number_and_items_counted_once(void **state) {
  (void)state;
  const char *const more[] = {"dense", "wanda", NULL};
  assert_prints(
      more, "A: nano dense\n"
            "B: nano wanda 0.5 c4 16x128 draws 0 1\n"
            "\n"
            "dataset  metric      items      A      B   B - A     low    high  lost  gained       "
            "p  p Holm\n"
            "--------------------------------------------------------------------------------------"
            "--------\n"
            "topic    acc            12  0.750  0.542  -0.208  -0.417  +0.000     5       0  "
            "0.0625  0.1250\n"
            "text     perplexity      5  17.41  24.70  +7.290  +5.906  +8.073    10       0       "
            "-       -\n"
            "pairs    f1             12  0.800  0.619  -0.181  -0.434  +0.000     5       0  "
            "0.0625  0.1250\n"
            "\n"
            "low, high: 95 % of 10000 resamples (seed 0) of the items and of the draws; lost, "
            "gained: items right with A alone, with B alone (perplexity: likelier with A, with B)\n"
            "p: McNemar's exact test, two-sided, for these very draws (low and high count their "
            "spread in), an item counted once, on the side of most of its "
            "flips; p Holm: corrected over the data sets tested\n"
            "2 pairs of draws: A, B and B - A are means over them, lost and gained sums\n");
}

static void json_has_every_number(void **state) {
  (void)state;
  const char *const more[] = {"aa", "bb", "--format=json", "--dataset=topic", NULL};
  struct error err = {0};
  char *got;
  assert_ok(compare(more, &got, &err));
  const char *from = strstr(got, "\"resamples\"");
  assert_non_null(from);
  assert_string_equal(from, "\"resamples\":\t10000,\n"
                            "\t\"seed\":\t0,\n"
                            "\t\"left_out\":\t0,\n"
                            "\t\"datasets\":\t[{\n"
                            "\t\t\t\"dataset\":\t\"topic\",\n"
                            "\t\t\t\"metric\":\t\"acc\",\n"
                            "\t\t\t\"pairs\":\t1,\n"
                            "\t\t\t\"items\":\t12,\n"
                            "\t\t\t\"a\":\t0.75,\n"
                            "\t\t\t\"b\":\t0.583333333,\n"
                            "\t\t\t\"difference\":\t-0.166666667,\n"
                            "\t\t\t\"sd\":\tnull,\n"
                            "\t\t\t\"low\":\t-0.416666667,\n"
                            "\t\t\t\"high\":\t0,\n"
                            "\t\t\t\"lost\":\t2,\n"
                            "\t\t\t\"gained\":\t0,\n"
                            "\t\t\t\"down\":\t2,\n"
                            "\t\t\t\"up\":\t0,\n"
                            "\t\t\t\"p\":\t0.5,\n"
                            "\t\t\t\"p_holm\":\t0.5\n"
                            "\t\t}]\n"
                            "}\n");
  free(got);
}

static void csv_has_every_number(void **state) {
  (void)state;
  const char *const more[] = {"ab", "method=wanda,draw=1", "--format=csv", NULL};
  assert_prints(more,
                "dataset,metric,pairs,items,a,b,difference,sd,low,high,lost,gained,down,up,p,p_"
                "holm,untested\n"
                "topic,acc,1,12,0.25,0.5,0.25,,-0.0833333333,0.583333333,1,4,1,4,0.375,0.75,\n"
                "text,,0,0,,,,,,,0,0,0,0,,,not done\n"
                "pairs,f1,1,12,0.307692308,0.571428571,0.263736264,,-0.175824176,0.666666667,1,4,1,"
                "4,0.375,0.75,\n");
}

static void draws_without_a_partner_are_left_out_and_counted(void **state) {
  (void)state;
  const char *const more[] = {"wanda", "method=ria,sparsity=2:4,a=0.50", "--dataset=topic", NULL};
  assert_prints(
      more,
      "A: nano wanda 0.5 c4 16x128 draws 0 1\n"
      "B: nano ria a=0.5 2:4 c4 16x128 draws 1 2\n"
      "\n"
      "dataset  metric  items      A      B   B - A     low    high  lost  gained       p  p Holm\n"
      "------------------------------------------------------------------------------------------\n"
      "topic    acc        12  0.500  0.667  +0.167  -0.250  +0.500     2       4  0.6875  0.6875\n"
      "\n"
      "low, high: 95 % of 10000 resamples (seed 0) of the items; lost, gained: items right with A "
      "alone, with B alone (perplexity: likelier with A, with B)\n"
      "p: McNemar's exact test, two-sided; p Holm: corrected over the data sets tested\n"
      "left out: 2 whose draw the other side has not\n");
}

static void flipped_items_are_listed_with_both_rows(void **state) {
  (void)state;
  const char *const more[] = {"dense", "wanda", "--items", "topic", NULL};
  assert_prints(more, "lost    item 1  draw 1  gold 1  A: -1.250 -1.000  B: -4.000 -4.250\n"
                      "lost    item 4  draw 0  gold 0  A: -1.000 -1.250  B: -3.250 -3.000\n"
                      "lost    item 8  draw 1  gold 0  A: -1.000 -1.250  B: -4.250 -4.000\n"
                      "lost    item 9  draw 0  gold 1  A: -1.250 -1.000  B: -3.000 -3.250\n"
                      "lost    item 11  draw 1  gold 1  A: -1.250 -1.000  B: -4.000 -4.250\n");
  const char *const csv[] = {"dense", "magnitude", "--items=topic", "--format=csv", NULL};
  assert_prints(csv, "item,draw,gold,flip,a,b\n"
                     "0,-1,0,lost,-1 -1.25,-2.25 -2\n"
                     "3,-1,1,lost,-1.25 -1,-2 -2.25\n"
                     "5,-1,1,lost,-1.25 -1,-2 -2.25\n"
                     "7,-1,1,lost,-1.25 -1,-2 -2.25\n"
                     "8,-1,0,lost,-1 -1.25,-2.25 -2\n"
                     "11,-1,1,lost,-1.25 -1,-2 -2.25\n");
  const char *const json[] = {"dense", "bb", "--items=topic", "--format=json", NULL};
  assert_prints(json, "[\n"
                      "  {\"item\": 4, \"draw\": 0, \"gold\": 0, \"flip\": \"lost\", \"a\": [-1, "
                      "-1.25], \"b\": [-3.25, -3]},\n"
                      "  {\"item\": 9, \"draw\": 0, \"gold\": 1, \"flip\": \"lost\", \"a\": "
                      "[-1.25, -1], \"b\": [-3, -3.25]}\n"
                      "]\n");
  const char *const none[] = {"bb", "ce06", "--items=topic", NULL};
  assert_prints(none, "no item flipped\n");
}

static void two_files_are_compared_where_their_items_are_the_same(void **state) {
  (void)state;
  const char *const more[] = {"OTHER", "dense", "magnitude", "--format=csv", NULL};
  assert_prints(more, "dataset,metric,pairs,items,a,b,difference,sd,low,high,lost,gained,down,up,p,"
                      "p_holm,untested\n"
                      "topic,acc,0,0,,,,,,,0,0,0,0,,,the gold labels differ: other items\n"
                      "text,perplexity,0,0,,,,,,,0,0,0,0,,,no items of both in the results\n"
                      "pairs,f1,0,0,,,,,,,0,0,0,0,,,the gold labels differ: other items\n");
}

static void bad_selectors_are_one_clear_line(void **state) {
  (void)state;
  static const struct {
    const char *more[6], *part;
  } cases[] = {
      {{"dense"}, "expected FILE.h5 [FILE.h5] A B"},
      {{"dense", "wanda", "x", "y"}, "unexpected argument 'y'"},
      {{"dense", "zz"}, "'zz' names no variant of "},
      {{"dense", "b"}, ""},
      {{"dense", "a"}, "'a' names 2 variants of "},
      {{"dense", "ria"}, "that differ in parameters (expected one variant, or the draws of one)"},
      {{"dense", "wanda:0.5:c4:0:1"}, "too many parts"},
      {{"dense", "wanda::c4"}, "sparsity has no value"},
      {{"dense", "wanda:0.5:sst2"}, "names no variant"},
      {{"dense", "metod=wanda"}, "unknown field 'metod' (did you mean method?)"},
      {{"dense", "method=wanda,c4"}, "'c4' is no FIELD=VALUE"},
      {{"dense", "wanda", "--dataset=topics"}, "--dataset: 'topics' is not in "},
      {{"dense", "wanda", "--metric=mcc"}, "--metric: 'mcc' is not in "},
      {{"dense", "wanda", "--items=text"}, "neither right nor wrong"},
      {{"dense", "magnitude", "--items=text"}, "--items: text: no items of both"},
      {{"dense", "wanda", "--items=topic,text"}, "one data set at a time"},
      {{"dense", "wanda", "--items=topic", "--dataset=topic"}, "exclude each other"},
      {{"wanda", "method=ria,draw=2,a=0.5"}, "no draw in common"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct error err = {0};
    char *got;
    status st = compare(cases[i].more, &got, &err);
    if (*cases[i].part) {
      assert_fails(st, STATUS_INPUT, cases[i].part);
      assert_string_equal(got, "");
    } else {
      assert_ok(st);
    }
    free(got);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_variants_are_compared_item_by_item),
      cmocka_unit_test(draws_are_paired_by_number_and_items_counted_once),
      cmocka_unit_test(json_has_every_number),
      cmocka_unit_test(csv_has_every_number),
      cmocka_unit_test(draws_without_a_partner_are_left_out_and_counted),
      cmocka_unit_test(flipped_items_are_listed_with_both_rows),
      cmocka_unit_test(two_files_are_compared_where_their_items_are_the_same),
      cmocka_unit_test(bad_selectors_are_one_clear_line),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
