/* `espalier table --published`: measured and published numbers side by side, and the files and
 * grids of configs/published and experiments that it is for. */
#include "cli/capture.h"

#include <glob.h>
#include <math.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/cli.h"
#include "cli/published.h"
#include "grid/grid.h"
#include "store/results.h"

enum { VARIANTS = 8, DATASETS = 2, WINDOWS = 3 };

static const struct dataset_info datasets[DATASETS] = {{"wikitext2", "language_modeling"},
                                                       {"rte", "inference"}};
static const struct variant_info variants[VARIANTS] = {
    {"v0", "OPT-125M", "dense", "{}", "0", "", 0, 0, -1, "", 0, false},
    {"v1", "OPT-125M", "wanda", "{}", "0.5", "c4", 128, 2048, 0, "pruned", 1, false},
    {"v2", "OPT-125M", "wanda", "{}", "0.5", "c4", 128, 2048, 1, "pruned", 2, false},
    {"v3", "OPT-125M", "wanda", "{}", "0.5", "ptb", 64, 2048, 0, "pruned", 3, false},
    {"v4", "OPT-125M", "ria", "{\"a\":1,\"scope\":\"layer\"}", "0.5", "c4", 128, 2048, 0, "pruned",
     4, false},
    {"v5", "OPT-125M", "wanda", "{}", "4:8", "c4", 128, 2048, 0, "pruned", 5, false},
    {"v6", "nano", "dense", "{}", "0", "", 0, 0, -1, "", 6, false},
    {"v7", "opt-350m", "dense", "{}", "0", "", 0, 0, -1, "", 7, false},
};
static const double perplexities[VARIANTS] = {27.5, 39, 40, 41, 50, 60, 9, 22};

static const char source[] = "published: paper\n"
                             "source: A paper, table 1\n"
                             "caveat: Read from a picture.\n"
                             "models:\n"
                             "  OPT 125M: [facebook-opt-125m, opt-125m*]\n"
                             "  OPT 350M: opt-350m\n"
                             "  OPT 1.3B: opt-1.3b\n"
                             "tables:\n"
                             "  - dataset: wikitext2\n"
                             "    metric: perplexity\n"
                             "    window: 2048\n"
                             "    calibration: c4\n"
                             "    samples: 128\n"
                             "    length: 2048\n"
                             "    models: [OPT 125M, OPT 350M, OPT 1.3B]\n"
                             "    rows:\n"
                             "      - {method: dense, values: [27.66, ~, 14.62]}\n"
                             "      - {method: wanda, sparsity: 0.50, values: [38.9, 36.2, ~],\n"
                             "         sd: [0.25, ~, ~]}\n"
                             "      - {method: ria, sparsity: 0.5, values: [35.5, ~, ~]}\n"
                             "      - {method: alps, sparsity: 0.5, values: [33, ~, ~]}\n"
                             "  - dataset: wikitext2\n"
                             "    metric: perplexity\n"
                             "    window: 1024\n"
                             "    models: [OPT 350M]\n"
                             "    rows:\n"
                             "      - {method: dense, values: [25]}\n"
                             "  - dataset: rte\n"
                             "    metric: acc\n"
                             "    models: [OPT 125M]\n"
                             "    rows:\n"
                             "      - {method: dense, values: [0.51]}\n";

static char folder[] = "/tmp/espalier_published_XXXXXX";
static char path[64], paper[64], printed[64];

static status write_fixture(struct error *err) {
  static struct variant_record pruned = {.ranks = 1};
  static struct cell_record cells[VARIANTS][DATASETS];
  static struct metric_row metrics[VARIANTS][DATASETS];
  static float windows[VARIANTS][WINDOWS];
  static int32_t gold[WINDOWS] = {-1, -1, -1};
  static int8_t correct[WINDOWS] = {-1, -1, -1};
  const struct variant_record *variant_records[VARIANTS];
  const struct cell_record *cell_records[VARIANTS * DATASETS];
  for (int v = 0; v < VARIANTS; v++) {
    variant_records[v] = &pruned;
    metrics[v][0] = (struct metric_row){"perplexity", perplexities[v], NAN, WINDOWS};
    metrics[v][1] = (struct metric_row){"acc", 0.5 + 0.01 * v, 0.02, 277};
    for (int i = 0; i < WINDOWS; i++) {
      windows[v][i] = (float)(-2047 * log(perplexities[v])) + (float)(i - 1);
    }
    cells[v][0] = (struct cell_record){.metric_count = 1,
                                       .metrics = &metrics[v][0],
                                       .items = WINDOWS,
                                       .choices = 1,
                                       .loglikelihoods = windows[v],
                                       .gold = gold,
                                       .correct = correct,
                                       .correct_norm = correct};
    cells[v][1] = (struct cell_record){.metric_count = 1, .metrics = &metrics[v][1]};
    cell_records[v * DATASETS] = &cells[v][0];
    cell_records[v * DATASETS + 1] = v ? NULL : &cells[v][1];
  }
  struct results r = {.variants = variants,
                      .variant_count = VARIANTS,
                      .datasets = datasets,
                      .dataset_count = DATASETS,
                      .variant_records = variant_records,
                      .cell_records = cell_records};
  TRY(results_write(path, &r, err));
  return file_write(paper, source, strlen(source), err);
}

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.h5", folder);
  (void)snprintf(paper, sizeof paper, "%s/paper.yaml", folder);
  (void)snprintf(printed, sizeof printed, "%s/out", folder);
  struct error err;
  return write_fixture(&err) == STATUS_OK ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  (void)unlink(paper);
  (void)unlink(printed);
  return rmdir(folder);
}

static status table(const char *const *more, char **out, struct error *err) {
  char *argv[10] = {(char *)"table", path, (char *)"--published", paper};
  int argc = 4;
  for (; *more; more++) {
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

static void matching_cells_stand_side_by_side_and_the_others_are_named(void **state) {
  (void)state;
  const char *const more[] = {NULL};
  assert_prints(more, "model     method  sparsity  data set   metric           measured      "
                      "published     difference  made with\n"
                      "----------------------------------------------------------------------------"
                      "---------------------------------------------------------\n"
                      "OPT-125M  dense   -         wikitext2  perplexity@2048  27.50         27.66 "
                      "        -0.16       3 items\n"
                      "OPT-125M  wanda   0.5       wikitext2  perplexity@2048  39.50 ± 0.71  38.90 "
                      "± 0.25  +0.60       c4 128x2048, 3 items\n"
                      "OPT-125M  wanda   0.5       wikitext2  perplexity@2048  41.00         38.90 "
                      "± 0.25  +2.10       ptb 64x2048, not c4 128x2048, 3 items\n"
                      "OPT-125M  dense   -         rte        acc              0.5000        "
                      "0.5100        -0.0100     277 items\n"
                      "\n"
                      "paper: A paper, table 1\n"
                      "Read from a picture.\n"
                      "3 of 8 published numbers are measured; ± standard deviation (n - 1) over "
                      "draws or as published\n"
                      "published, not measured: OPT 350M wanda 0.50 wikitext2@2048, OPT 125M ria "
                      "0.5 wikitext2@2048, OPT 125M alps 0.5 wikitext2@2048, OPT 350M dense "
                      "wikitext2@1024, and 1 of models that are not in the results\n"
                      "measured, not published: 4 (default parameters ria: 1, sparsity 4:8 of "
                      "wanda: 1, model nano: 1, window 2048 of wikitext2: 1)\n");
}

static void csv_has_the_matches_alone(void **state) {
  (void)state;
  const char *const more[] = {"--format=csv", NULL};
  assert_prints(more,
                "model,method,sparsity,dataset,metric,window,calibration,samples,length,n,items,"
                "measured,sd,published,published_sd,difference\n"
                "OPT-125M,dense,0,wikitext2,perplexity,2048,,,,1,3,27.5,,27.66,,-0.16\n"
                "OPT-125M,wanda,0.5,wikitext2,perplexity,2048,c4,128,2048,2,3,39.5,0.707106781,38."
                "9,0.25,0.6\n"
                "OPT-125M,wanda,0.5,wikitext2,perplexity,2048,ptb,64,2048,1,3,41,,38.9,0.25,2.1\n"
                "OPT-125M,dense,0,rte,acc,,,,,1,277,0.5,,0.51,,-0.01\n");
}

static void options_of_pivots_do_not_go_with_it(void **state) {
  (void)state;
  struct error err = {0};
  char *got;
  const char *const rows[] = {"--rows=method", NULL}, *const latex[] = {"--format=latex", NULL};
  assert_fails(table(rows, &got, &err), STATUS_INPUT, "--published goes with --format alone");
  free(got);
  assert_fails(table(latex, &got, &err), STATUS_INPUT, "text or csv, not latex");
  free(got);
}

static void bad_files_are_refused_with_their_line(void **state) {
  (void)state;
  static const struct {
    const char *text, *part;
  } cases[] = {
      {"source: x\n", "no models"},
      {"models: {a: b}\ntables: []\n", "no source"},
      {"source: x\nmodels: {a: b}\ntabels: []\n", ":3: "},
      {"source: x\nmodels: {a: {b: c}}\ntables: []\n", "a: expected a pattern"},
      {"source: x\nmodels: {a: b}\ntables:\n  - {metric: acc, models: [a], rows: []}\n",
       ":4: no dataset"},
      {"source: x\nmodels: {a: b}\ntables:\n"
       "  - {dataset: d, metric: acc, models: [c], rows: []}\n",
       "'c' is not among the file's models"},
      {"source: x\nmodels: {a: b}\ntables:\n"
       "  - {dataset: d, metric: acc, models: [a], rows: [{method: dense, values: [1, 2]}]}\n",
       "values: 2 numbers for 1 models"},
      {"source: x\nmodels: {a: b}\ntables:\n"
       "  - {dataset: d, metric: acc, models: [a], rows: [{method: wanda, values: [1]}]}\n",
       "no sparsity"},
      {"source: x\nmodels: {a: b}\ntables:\n"
       "  - {dataset: d, metric: acc, models: [a], rows: [{method: dense, values: [x]}]}\n",
       ":4: 'values' is x (expected a number)"},
  };
  char bad[80];
  (void)snprintf(bad, sizeof bad, "%s/bad.yaml", folder);
  struct search search = {0};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct error err = {0};
    struct published p;
    assert_ok(file_write(bad, cases[i].text, strlen(cases[i].text), &err));
    assert_fails(published_open(&p, bad, &search, &err), STATUS_INPUT, cases[i].part);
  }
  (void)unlink(bad);
  struct error err = {0};
  struct published p;
  assert_fails(published_open(&p, "no-such-paper", &search, &err), STATUS_INPUT,
               "'no-such-paper' is neither in configs/published nor a file");
}

/* The source tree's folder `below`, in out. */
static void source_path(const char *below, char *out, size_t size) {
  const char *root = getenv("ESPALIER_SOURCE");
  (void)snprintf(out, size, "%s/%s", root ? root : ".", below);
}

static void every_file_of_configs_published_is_read(void **state) {
  (void)state;
  char pattern[512];
  source_path("configs/published/*.yaml", pattern, sizeof pattern);
  glob_t files;
  assert_int_equal(glob(pattern, 0, NULL, &files), 0);
  assert_true(files.gl_pathc >= 10);
  struct search search = {0};
  for (size_t i = 0; i < files.gl_pathc; i++) {
    struct error err = {0};
    struct published p;
    assert_ok(published_open(&p, files.gl_pathv[i], &search, &err));
    assert_true(p.count > 0);
    for (size_t k = 0; k < p.count; k++) {
      bool perplexity = strcmp(p.cells[k].metric, "perplexity") == 0;
      assert_true(perplexity ? p.cells[k].window > 0 && p.cells[k].value > 1
                             : p.cells[k].value > 0 && p.cells[k].value < 1);
    }
    published_close(&p);
  }
  globfree(&files);
}

/* A grid of a paper needs its checkpoints and nothing else that is not there. */
static void the_grids_of_papers_lack_their_models_alone(void **state) {
  (void)state;
  static const char *const grids[] = {"wanda-wikitext2", "sparsegpt-wikitext2", "ria-nm",
                                      "calibration-zeroshot"};
  static const char *const models[] = {"llama-7b",  "llama-13b", "llama-30b",
                                       "llama-65b", "opt-125m",  "opt-350m",
                                       "opt-1.3b",  "opt-2.7b",  "meta-llama-3-8b"};
  char configs[512], grid[512], model[128];
  source_path("configs", configs, sizeof configs);
  const char *const folders[] = {configs, NULL}, *const none[] = {NULL};
  const char *const there[] = {folder, NULL};
  for (size_t i = 0; i < sizeof grids / sizeof grids[0]; i++) {
    struct error err = {0};
    struct grid *g;
    char below[64];
    (void)snprintf(below, sizeof below, "experiments/%s.yaml", grids[i]);
    source_path(below, grid, sizeof grid);
    struct places places = {.search = {.configs = folders, .data = none}, .models = none};
    assert_fails(grid_open(&g, grid, &places, &err), STATUS_INPUT, "unknown model '");
    for (size_t k = 0; k < sizeof models / sizeof models[0]; k++) {
      (void)snprintf(model, sizeof model, "%s/%s", folder, models[k]);
      assert_int_equal(mkdir(model, 0700), 0);
    }
    places.models = there;
    assert_ok(grid_open(&g, grid, &places, &err));
    grid_close(g);
    for (size_t k = 0; k < sizeof models / sizeof models[0]; k++) {
      (void)snprintf(model, sizeof model, "%s/%s", folder, models[k]);
      assert_int_equal(rmdir(model), 0);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(matching_cells_stand_side_by_side_and_the_others_are_named),
      cmocka_unit_test(csv_has_the_matches_alone),
      cmocka_unit_test(options_of_pivots_do_not_go_with_it),
      cmocka_unit_test(bad_files_are_refused_with_their_line),
      cmocka_unit_test(every_file_of_configs_published_is_read),
      cmocka_unit_test(the_grids_of_papers_lack_their_models_alone),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
