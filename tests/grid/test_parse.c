/* Experiment files: what they become, and the line that each mistake gets. */
#include "files.h"

static struct scratch scratch;

/* A file of the grid below with some lines changed; every bad file is written out in full. */
#define HEAD "models: [tiny]\nmethods: [wanda]\nsparsity: [0.5]\ncalibration:\n  sets: [c4]\n"
#define DATA "datasets: [sst2]\n"
#define GOOD HEAD DATA

struct bad {
  const char *text;
  const char *line; /* "7", or "" when the message is about the whole file */
  const char *part; /* of the message */
  status code;      /* 0: STATUS_INPUT */
};

static const struct bad bad_files[] = {
    {"models: [tiny\nmethods: [wanda]\n", "2", "YAML", 0},
    {"- tiny\n- wanda\n", "1", "not a map", 0},
    {GOOD "---\nmodels: [tiny]\n", "7", "document", 0},
    {GOOD "sparsiti: [0.5]\n", "7",
     "unknown key 'sparsiti' in an experiment file (did you mean "
     "'sparsity'?)",
     0},
    {GOOD "limit: 3\nlimit: 4\n", "8", "'limit' stands twice", 0},
    {"methods: [wanda]\nsparsity: [0.5]\ncalibration: {sets: [c4]}\n" DATA, "", "no models", 0},
    {"models: [tiny]\n" DATA, "", "no methods (expected 'methods: [NAME]')", 0},
    {HEAD, "", "no datasets", 0},
    {"models: [tini]\nmethods: [dense]\n" DATA, "1", "unknown model 'tini' (did you mean 'tiny'?)",
     0},
    {"models: []\nmethods: [dense]\n" DATA, "1", "'models' is empty", 0},
    {"models: {a: b}\nmethods: [dense]\n" DATA, "1", "'models' is a map (expected a list)", 0},
    {"models: [[tiny]]\nmethods: [dense]\n" DATA, "1", "'models' is a list (expected a text)", 0},
    {"models: [tiny, tiny]\nmethods: [dense]\n" DATA, "1", "equal entries in a list: tiny", 0},
    {"models: [tiny, alias]\nmethods: [dense]\n" DATA, "1",
     "equal entries in a list: tiny and alias", 0},
    {"models: [broken]\nmethods: [dense]\n" DATA, "1", "path: no folder 'nowhere'", 0},
    {"models: [tiny]\nmethods:\n  - wonda\nsparsity: [0.5]\n" DATA, "3",
     "unknown method 'wonda' (did you mean 'wanda'?)", 0},
    {"models: [tiny]\nmethods: {wanda: {}}\n" DATA, "2", "'methods' is a map (expected a list", 0},
    {"models: [tiny]\nmethods:\n  - wanda: {}\n    ria: {}\n" DATA, "3", "neither a name nor one",
     0},
    {"models: [tiny]\nmethods:\n  - sparsegpt: {blocksiz: 128}\n" DATA, "3",
     "no parameter 'blocksiz' (did you mean 'blocksize'?)", 0},
    {"models: [tiny]\nmethods:\n  - wanda: {damp: 1}\n" DATA, "3", "no parameter 'damp'", 0},
    {"models: [tiny]\nmethods:\n  - sparsegpt: {damp: much}\n" DATA, "3",
     "parameter damp is 'much' (expected a number)", 0},
    {"models: [tiny]\nmethods:\n  - sparsegpt: {damp: -0.1}\n" DATA, "3", "parameter damp is -0.1",
     0},
    {"models: [tiny]\nmethods:\n  - ria: {a: [0.5, 0.50]}\n" DATA, "3",
     "equal entries in a list: 0.5 and 0.50", 0},
    {"models: [tiny]\nmethods:\n  - ria: 0.5\n" DATA, "3", "parameters of ria", 0},
    {"models: [tiny]\nmethods:\n  - ria\n  - wanda\n  - ria: {a: [1.0, 0.5]}\nsparsity: [0.5]\n"
     "calibration: {sets: [c4]}\n" DATA,
     "5", "equal entries in a list: ria", 0},
    {"models: [tiny]\nmethods: [ria-bad]\n" DATA, "2", "unknown key 'scop' in a method file", 0},
    {"models: [tiny]\nmethods: [wanda]\n" DATA, "2", "wanda needs a sparsity", 0},
    {"models: [tiny]\nmethods: [magnitude, wanda]\nsparsity: 0.5\n" DATA, "2",
     "wanda needs calibration data", 0},
    {"models: [tiny]\nmethods: [magnitude]\nsparsity: [-0.5]\n" DATA, "3",
     "sparsity -0.5 is out of range", 0},
    {"models: [tiny]\nmethods: [magnitude]\nsparsity:\n  - 0.5\n  - 1.0\n" DATA, "5",
     "sparsity 1.0 is out of range", 0},
    {"models: [tiny]\nmethods: [magnitude]\nsparsity: [half]\n" DATA, "3", "'half' is no number",
     0},
    {"models: [tiny]\nmethods: [magnitude]\nsparsity: [\"3:2\"]\n" DATA, "3",
     "pattern 3:2 is impossible", 0},
    {"models: [tiny]\nmethods: [magnitude]\nsparsity: [0.5, 0.50]\n" DATA, "3",
     "equal entries in a list: 0.5 and 0.50", 0},
    {"models: [tiny]\nmethods: [magnitude]\nsparsity: [nan]\n" DATA, "3", "sparsity", 0},
    {"models: [tiny]\nmethods:\n  - sparsegpt: {blocksize: 30}\nsparsity: [\"2:4\"]\n"
     "calibration: {sets: [c4]}\n" DATA,
     "3", "sparsegpt", 0},
    {"models: [tiny]\nmethods: [wanda]\nsparsity: [0.5]\ncalibration: [c4]\n" DATA, "4",
     "calibration is a list", 0},
    {"models: [tiny]\nmethods: [wanda]\nsparsity: [0.5]\ncalibration: {samples: 3}\n" DATA, "4",
     "calibration without sets", 0},
    {"models: [tiny]\nmethods: [wanda]\nsparsity: [0.5]\ncalibration:\n  sets: [c5]\n" DATA, "5",
     "unknown calibration set 'c5' (did you mean 'c4'?)", 0},
    {HEAD "  sets2: 1\n" DATA, "6", "unknown key 'sets2' in calibration (did you mean 'sets'?)", 0},
    {HEAD "  samples: 0\n" DATA, "6", "'samples' is 0", 0},
    {HEAD "  samples: [8, 16, 8]\n" DATA, "6", "equal entries in a list: 8 stands twice", 0},
    {HEAD "  samples: 12.5\n" DATA, "6", "'samples' is 12.5 (expected a whole number)", 0},
    {HEAD "  samples: \"12\"\n" DATA, "6", "is the text", 0},
    {HEAD "  length: -2\n" DATA, "6", "'length' is -2", 0},
    {HEAD "  draws: 0\n" DATA, "6", "'draws' is 0", 0},
    {HEAD "  draws: [1, 2]\n" DATA, "6", "'draws' is a list", 0},
    {HEAD "  propagate: dens\n" DATA, "6", "unknown propagate 'dens' (did you mean 'dense'?)", 0},
    {HEAD "  propagate: [dense, pruned]\n" DATA, "6", "'propagate' is a list", 0},
    {HEAD "datasets: [sst3]\n", "6", "unknown data set 'sst3' (did you mean 'sst2'?)", 0},
    {HEAD "datasets: [sst2, sst2]\n", "6", "equal entries in a list: sst2 stands twice", 0},
    {HEAD "datasets:\n", "", "no datasets", 0},
    {GOOD "limit: 0\n", "7", "'limit' is 0 (leave the key out for all items)", 0},
    {GOOD "limit: -1\n", "7", "'limit' is -1", 0},
    {GOOD "limit: 99999999999999999999\n", "7", "'limit'", 0},
    {GOOD "shots: -1\n", "7", "'shots' is -1", 0},
    {GOOD "window: 1\n", "7", "'window' is 1", 0},
    {GOOD "seed: -1\n", "7", "'seed' is -1", 0},
    {GOOD "bos: yes\n", "7", "'bos' is yes (expected true or false)", 0},
    {GOOD "precision: float16\n", "7", "unknown precision 'float16' (did you mean 'bfloat16'?)", 0},
    {GOOD "precision: [float32, bfloat16]\n", "7", "'precision' is a list", 0},
    {GOOD "store: {item: true}\n", "7", "unknown key 'item' in store (did you mean 'items'?)", 0},
    {GOOD "store: {items: 1}\n", "7", "'items' is 1 (expected true or false)", 0},
    {GOOD "experiment: ../up\n", "7", "experiment '../up' (expected letters", 0},
    {GOOD "experiment: [a]\n", "7", "'experiment' is a list", 0},
    {GOOD "exclude: wanda\n", "7", "an entry of 'exclude' is no map", 0},
    {GOOD "exclude:\n  - {metod: wanda}\n", "8",
     "unknown key 'metod' in exclude (did you mean "
     "'method'?)",
     0},
    {GOOD "exclude:\n  - {method: ria}\n", "8", "exclude: no method 'ria' in this grid", 0},
    {GOOD "exclude:\n  - {sparsity: 0.7}\n", "8", "exclude: no sparsity '0.7' in this grid", 0},
    {GOOD "exclude:\n  - {draw: 1}\n", "8", "exclude: no draw '1' in this grid", 0},
    {GOOD "exclude:\n  - {method: dense}\n", "8", "the dense baseline belongs to every table", 0},
    {GOOD "exclude:\n  - {method: wanda}\n", "8", "exclude leaves nothing of the grid", 0},
    {GOOD "exclude:\n  - {dataset: sst2}\n", "8", "exclude leaves nothing of the grid", 0},
    {GOOD "exclude:\n  - {method: wanda, damp: 1}\n", "8", "unknown key 'damp' in exclude", 0},
    {GOOD "seed: !!int 3\n", "7", "tag", 0},
    {"", "", "", 0},
};

static void every_mistake_gets_its_line(void **state) {
  (void)state;
  char path[300], where[400];
  int failed = 0;
  (void)snprintf(path, sizeof path, "%s/grid.yaml", scratch.root);
  for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
    const struct bad *b = &bad_files[i];
    struct error err = {0};
    struct grid *g = NULL;
    scratch_write(&scratch, "grid.yaml", b->text);
    status st = grid_open(&g, path, &scratch.places, &err);
    status wanted = b->code ? b->code : STATUS_INPUT;
    (void)snprintf(where, sizeof where, "%s:%s%s", path, b->line, b->line[0] ? ":" : "");
    if (st != wanted || !strstr(err.text, where) || !strstr(err.text, b->part) ||
        strchr(err.text, '\n')) {
      failed++;
      print_error("case %zu: status %d '%s', wanted %d '%s ... %s' for:\n%s", i, (int)st, err.text,
                  (int)wanted, where, b->part, b->text);
      grid_close(st == STATUS_OK ? g : NULL);
    }
  }
  assert_int_equal(failed, 0);
}

static struct grid *open_text(const char *text) {
  struct error err = {0};
  struct grid *g = NULL;
  char path[300];
  scratch_write(&scratch, "good.yaml", text);
  (void)snprintf(path, sizeof path, "%s/good.yaml", scratch.root);
  assert_ok(grid_open(&g, path, &scratch.places, &err));
  return g;
}

static void absent_keys_get_their_defaults(void **state) {
  (void)state;
  struct grid *g = open_text(GOOD);
  assert_string_equal(g->experiment, "good");
  assert_int_equal(g->sample_count, 1);
  assert_int_equal(g->samples[0].value, 128);
  assert_int_equal(g->length_count, 1);
  assert_int_equal(g->lengths[0].value, 0);
  assert_int_equal(g->draws, 1);
  assert_int_equal(g->limit, 0);
  assert_int_equal(g->shots, 0);
  assert_int_equal(g->window, 0);
  assert_int_equal(g->seed, 0);
  assert_false(g->bos);
  assert_int_equal(g->precision, PRECISION_FLOAT32);
  assert_true(g->store_items);
  assert_int_equal(g->exclude_count, 0);
  grid_close(g);
}

static void every_key_is_read(void **state) {
  (void)state;
  struct grid *g = open_text("experiment: all-of_it.1\n"
                             "models: tiny\n"
                             "methods:\n"
                             "  - dense\n"
                             "  - magnitude:\n"
                             "  - sparsegpt: {damp: [0.01, 0.1], blocksize: [64, 128]}\n"
                             "  - ria-row\n"
                             "sparsity: [0.50, 2:4, \"4:8\"]\n"
                             "calibration:\n"
                             "  sets: [c4, texts]\n"
                             "  samples: [8, 16]\n"
                             "  length: [32, 64]\n"
                             "  draws: 3\n"
                             "  propagate: dense\n"
                             "datasets: [sst2]\n"
                             "limit: 100\n"
                             "precision: bfloat16\n"
                             "seed: 7\n"
                             "shots: 2\n"
                             "window: 48\n"
                             "exclude:\n"
                             "  - {method: magnitude, sparsity: [\"2:4\", 0.5]}\n"
                             "  - {method: sparsegpt, damp: 0.1, draw: [1, 2]}\n"
                             "store: {items: false, masks: true}\n");
  assert_string_equal(g->experiment, "all-of_it.1");
  assert_string_equal(g->models[0].name, "tiny");
  assert_int_equal(g->method_count, 4);
  assert_int_equal(g->propagate, PROPAGATE_DENSE);
  assert_string_equal(g->methods[2].label, "sparsegpt");
  assert_int_equal(g->methods[2].count, 4);
  int block = method_param_index(g->methods[2].method, "blocksize");
  int damp = method_param_index(g->methods[2].method, "damp");
  const double blocks[] = {64, 64, 128, 128}, damps[] = {0.01, 0.1, 0.01, 0.1};
  for (int i = 0; i < 4; i++) {
    assert_true(g->methods[2].params[i].value[block] == blocks[i]);
    assert_true(g->methods[2].params[i].value[damp] == damps[i]);
  }
  assert_string_equal(g->methods[3].label, "ria-row");
  assert_string_equal(g->methods[3].method->name, "ria");
  assert_int_equal(g->sparsity_count, 3);
  assert_string_equal(g->sparsity[0].text, "0.5");
  assert_string_equal(g->sparsity[1].text, "2:4");
  assert_int_equal(g->sparsity[2].value.m, 8);
  assert_int_equal(g->set_count, 2);
  assert_int_equal(g->samples[1].value, 16);
  assert_int_equal(g->lengths[1].value, 64);
  assert_int_equal(g->draws, 3);
  assert_int_equal(g->limit, 100);
  assert_int_equal(g->seed, 7);
  assert_int_equal(g->shots, 2);
  assert_int_equal(g->window, 48);
  assert_int_equal(g->precision, PRECISION_BFLOAT16);
  assert_false(g->store_items);
  assert_true(g->store_masks);
  assert_int_equal(g->exclude_count, 2);
  assert_int_equal(g->excludes[0].axes[AXIS_METHOD].count, 1);
  assert_int_equal(g->excludes[0].axes[AXIS_SPARSITY].count, 2);
  assert_int_equal(g->excludes[1].params[damp].count, 1);
  assert_non_null(strstr(g->file.bytes, "experiment: all-of_it.1"));
  grid_close(g);
}

static void a_missing_file_is_named(void **state) {
  (void)state;
  struct error err = {0};
  struct grid *g = NULL;
  assert_int_not_equal(grid_open(&g, "/nonexistent/grid.yaml", &scratch.places, &err), STATUS_OK);
  assert_non_null(strstr(err.text, "/nonexistent/grid.yaml"));
}

static void models_are_found_by_config_by_folder_and_by_path(void **state) {
  (void)state;
  struct error err = {0};
  char *folder, *name, wanted[400];
  (void)snprintf(wanted, sizeof wanted, "%s/tiny", scratch.models);
  assert_ok(grid_find_model("tiny", &scratch.places, &folder, &name, &err));
  assert_string_equal(folder, wanted);
  assert_string_equal(name, "tiny");
  free(folder);
  free(name);
  assert_ok(grid_find_model("alias", &scratch.places, &folder, &name, &err));
  assert_string_equal(folder, wanted);
  assert_string_equal(name, "alias");
  free(folder);
  free(name);
  (void)snprintf(wanted, sizeof wanted, "%s/tiny/", scratch.models);
  assert_ok(grid_find_model(wanted, &scratch.places, &folder, &name, &err));
  assert_string_equal(name, "tiny");
  free(folder);
  free(name);
}

static void paths_are_relative_to_the_grid(void **state) {
  (void)state;
  scratch_write(&scratch, "own/task.yaml", "kind: sentiment\n");
  scratch_write(&scratch, "own/set.yaml", "source: a.jsonl\n");
  scratch_write(&scratch, "own/model/config.json", "{}");
  struct grid *g = open_text("models: [own/model]\nmethods: [wanda]\nsparsity: 0.5\n"
                             "calibration: {sets: [own/set.yaml, c4]}\n"
                             "datasets: [./own/task.yaml, sst2]\n");
  char wanted[400];
  (void)snprintf(wanted, sizeof wanted, "%s/own/model", scratch.root);
  assert_string_equal(g->models[0].folder, wanted);
  assert_string_equal(g->models[0].name, "model");
  (void)snprintf(wanted, sizeof wanted, "%s/own/set.yaml", scratch.root);
  assert_string_equal(g->sets[0].path, wanted);
  assert_string_equal(g->sets[1].path, "c4");
  (void)snprintf(wanted, sizeof wanted, "%s/./own/task.yaml", scratch.root);
  assert_string_equal(g->datasets[0].path, wanted);
  assert_string_equal(g->datasets[1].path, "sst2");
  grid_close(g);
}

static int set_up(void **state) {
  (void)state;
  scratch_open(&scratch);
  scratch_write(&scratch, "configs/tasks/sst2.yaml", "kind: sentiment\n");
  scratch_write(&scratch, "configs/calibration/c4.yaml", "source: c4/train.jsonl\nfield: text\n");
  scratch_write(&scratch, "configs/methods/ria-row.yaml", "method: ria\nscope: row\n");
  scratch_write(&scratch, "configs/methods/ria-bad.yaml", "method: ria\nscop: row\n");
  scratch_write(&scratch, "configs/models/alias.yaml", "path: tiny\n");
  scratch_write(&scratch, "configs/models/broken.yaml", "about: gone\npath: nowhere\n");
  scratch_write(&scratch, "models/tiny/config.json", "{}");
  scratch_write(&scratch, "data/texts/train.jsonl", "{\"text\": \"a\"}\n");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  scratch_close(&scratch);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_mistake_gets_its_line),
      cmocka_unit_test(absent_keys_get_their_defaults),
      cmocka_unit_test(every_key_is_read),
      cmocka_unit_test(a_missing_file_is_named),
      cmocka_unit_test(paths_are_relative_to_the_grid),
      cmocka_unit_test(models_are_found_by_config_by_folder_and_by_path),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
