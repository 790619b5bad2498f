/* The results file: what is written is read back, by this program and by others. */
#include "support.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sequences.h"
#include "store/fixture.h"
#include "store/h5.h"
#include "store/seal.h"

static char folder[] = "/tmp/espalier_results_XXXXXX";
static char path[64], other[64];

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.h5", folder);
  (void)snprintf(other, sizeof other, "%s/y.h5", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  (void)unlink(other);
  return rmdir(folder); /* fails when a temporary file was left behind */
}

static void what_is_written_is_read_back(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  struct results_file f;
  assert_ok(results_read(&f, path, &err));
  assert_int_equal(f.variant_count, 3);
  assert_string_equal(f.variants[0].id, "00000000000000000000000000000000");
  assert_string_equal(f.variants[1].method, "wanda");
  assert_string_equal(f.variants[1].sparsity, "0.5");
  assert_string_equal(f.variants[1].status, "done");
  assert_true(f.variants[1].achieved_sparsity == 0.5 && f.variants[1].seconds == 2.5);
  assert_int_equal(f.variants[0].draw, -1);
  assert_int_equal(f.variants[2].draw, 1);
  assert_int_equal(f.variants[2].length, 128);
  assert_string_equal(f.variants[2].status, "failed");
  assert_string_equal(f.variants[2].error, "c4 – empty ? text");
  assert_int_equal(f.metric_count, 5);
  assert_string_equal(f.metrics[2].metric, "perplexity");
  assert_string_equal(f.metrics[2].dataset, "bible/kjv");
  assert_string_equal(f.metrics[2].kind, "language_modeling");
  assert_true(f.metrics[2].value == 12.3456 && isnan(f.metrics[2].stderr_));
  assert_int_equal(f.metrics[2].items, 7);
  assert_string_equal(f.metrics[3].variant, f.variants[1].id);
  results_close(&f);
}

static void every_planned_cell_has_a_row_with_its_state(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  struct results_file f;
  assert_ok(results_read(&f, path, &err));
  static const char *const wanted[][2] = {{"done", ""},
                                          {"done", ""},
                                          {"done", ""},
                                          {"failed", "bible.jsonl: No such file"},
                                          {"failed", "c4 – empty ? text"},
                                          {"failed", "c4 – empty ? text"}};
  assert_int_equal(f.cell_count, 6);
  for (size_t i = 0; i < 6; i++) {
    assert_string_equal(f.cells[i].variant, f.variants[i / 2].id);
    assert_string_equal(f.cells[i].dataset, fixture_datasets[i % 2].name);
    assert_string_equal(f.cells[i].status, wanted[i][0]);
    assert_string_equal(f.cells[i].error, wanted[i][1]);
  }
  results_close(&f);
}

static void a_run_that_starts_has_all_its_cells_pending(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  static const struct variant_record *const no_variants[FIXTURE_VARIANTS];
  static const struct cell_record *const no_cells[FIXTURE_VARIANTS * FIXTURE_DATASETS];
  static const bool wanted[] = {true, true, true, false, true, true};
  r.variant_records = no_variants;
  r.cell_records = no_cells;
  r.wanted = wanted;
  assert_ok(results_write(path, &r, &err));
  struct results_file f;
  assert_ok(results_read(&f, path, &err));
  assert_int_equal(f.metric_count, 0);
  assert_int_equal(f.cell_count, 5);
  for (size_t i = 0; i < 5; i++) {
    assert_string_equal(f.cells[i].status, "pending");
  }
  assert_string_equal(f.variants[1].status, "pending");
  assert_true(isnan(f.variants[1].achieved_sparsity));
  results_close(&f);
}

static void equal_records_give_equal_bytes(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  struct timespec pause = {.tv_sec = 1, .tv_nsec = 100000000}; /* past a time stamp's second */
  (void)nanosleep(&pause, NULL);
  assert_ok(results_write(other, &r, &err));
  char *a, *b;
  size_t a_size, b_size;
  assert_ok(file_read(&a, &a_size, path, &err));
  assert_ok(file_read(&b, &b_size, other, &err));
  assert_int_equal(a_size, b_size);
  assert_memory_equal(a, b, a_size);
  free(a);
  free(b);
}

static void attributes_are_text_of_any_length(void **state) {
  (void)state;
  struct error err = {0};
  char *longest = malloc(200001);
  assert_non_null(longest);
  memset(longest, 'x', 200000);
  longest[200000] = '\0';
  struct attribute attributes[] = {{"experiment", longest}, {"mpi", NULL}};
  struct results r = fixture_results();
  r.attributes = attributes;
  r.attribute_count = 2;
  assert_ok(results_write(path, &r, &err));
  char *text;
  assert_ok(results_attribute(path, "experiment", &text, &err));
  assert_string_equal(text, longest);
  free(text);
  assert_ok(results_attribute(path, "mpi", &text, &err));
  assert_string_equal(text, "");
  free(text);
  assert_ok(results_attribute(path, "schema_version", &text, &err));
  assert_string_equal(text, "1");
  free(text);
  assert_fails(results_attribute(path, "seed", &text, &err), STATUS_INPUT, "no attribute 'seed'");
  free(longest);
}

static void calibration_draws_of_one_name_get_names_of_their_own(void **state) {
  (void)state;
  struct error err = {0};
  struct sequences even = {0}, ragged = {0};
  static const int32_t ids[] = {1, 2, 3, 4};
  assert_ok(sequences_add(&even, ids, 2, &err));
  assert_ok(sequences_add(&even, ids + 2, 2, &err));
  assert_ok(sequences_add(&ragged, ids, 3, &err));
  assert_ok(sequences_add(&ragged, ids, 1, &err));
  struct calibration_info draws[] = {{"c4", 0, 2, 2, &even, "nano"},
                                     {"c4", 1, 2, 2, &even, NULL},
                                     {"c4", 1, 2, 2, &even, NULL},
                                     {"a/b", 0, 2, 3, &ragged, NULL}};
  struct results r = fixture_results();
  r.calibrations = draws;
  r.calibration_count = 4;
  assert_ok(results_write(path, &r, &err));
  struct h5 h;
  assert_ok(h5_open(&h, path, &err));
  static const char *const places[] = {"/calibration/c4/draw0", "/calibration/c4/draw1-2x2",
                                       "/calibration/c4/draw1-2x2-2", "/calibration/a:b/draw0/ids",
                                       "/calibration/a:b/draw0/first"};
  for (size_t i = 0; i < 5; i++) {
    hid_t set = H5Dopen2(h.file, places[i], H5P_DEFAULT);
    assert_true(set >= 0);
    int32_t got[4] = {0};
    if (i < 4) {
      static const int32_t wanted[2][4] = {{1, 2, 3, 4}, {1, 2, 3, 1}};
      assert_true(H5Dread(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, got) >= 0);
      assert_memory_equal(got, wanted[i == 3], sizeof got);
    }
    (void)H5Dclose(set);
  }
  h5_close(&h);
  sequences_free(&even);
  sequences_free(&ragged);
}

static void foreign_and_damaged_files_are_one_clear_line(void **state) {
  (void)state;
  struct error err = {0};
  struct results_file f;
  assert_fails(results_read(&f, "/nowhere/x.h5", &err), STATUS_IO, "/nowhere/x.h5: No such file");
  assert_ok(file_write(path, "a,b\n", 4, &err));
  assert_fails(results_read(&f, path, &err), STATUS_INPUT, "x.h5: not an HDF5 file");
  struct h5 h;
  assert_ok(h5_create(&h, path, &err));
  assert_ok(h5_publish(&h, &err));
  h5_close(&h);
  assert_fails(results_read(&f, path, &err), STATUS_INPUT, "not a results file of espalier");
  assert_ok(h5_create(&h, path, &err));
  assert_ok(h5_text_attribute(&h, "/", "schema_version", "99", &err));
  assert_ok(h5_publish(&h, &err));
  h5_close(&h);
  assert_fails(results_read(&f, path, &err), STATUS_INPUT, "schema version '99'");
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  char *bytes;
  size_t size;
  assert_ok(file_read(&bytes, &size, path, &err));
  for (size_t cut = 0; cut < size - SEAL_BYTES; cut += 499) {
    assert_ok(file_write(path, bytes, cut, &err));
    assert_fails(results_read(&f, path, &err), STATUS_INPUT, "x.h5: ");
  }
  for (size_t i = 0; i < size - SEAL_BYTES; i += 509) {
    bytes[i] = (char)(bytes[i] ^ (1 << i % 8));
    assert_ok(file_write(path, bytes, size, &err));
    assert_fails(results_read(&f, path, &err), STATUS_INPUT, "x.h5: damaged");
    bytes[i] = (char)(bytes[i] ^ (1 << i % 8));
  }
  free(bytes);
}

static void a_file_changed_through_hdf5_is_read_unsealed(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
  assert_true(file >= 0);
  struct h5 h = {.file = file, .path = path};
  assert_ok(h5_text_attribute(&h, "/", "comment", "by hand", &err));
  (void)H5Fclose(file);
  struct results_file f;
  assert_ok(results_read(&f, path, &err));
  assert_int_equal(f.metric_count, 5);
  results_close(&f);
}

static void a_full_disk_leaves_the_old_file_and_no_other(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small = old;
  small.rlim_cur = 3000;
  (void)signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  status st = results_write(path, &r, &err);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  (void)signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(st, STATUS_IO);
  assert_non_null(strstr(err.text, "x.h5: File too large"));
  struct results_file f;
  assert_ok(results_read(&f, path, &err));
  assert_int_equal(f.metric_count, 5);
  results_close(&f);
  char temporary[80];
  (void)snprintf(temporary, sizeof temporary, "%s.tmp", path);
  assert_false(file_exists(temporary));
}

static void an_unwritable_folder_is_one_line(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  assert_fails(results_write("/nowhere/x.h5", &r, &err), STATUS_IO, "/nowhere/x.h5: No such file");
}

/* h5py and pandas, where they are installed. */
static void python_reads_it_with_h5py_and_pandas_alone(void **state) {
  (void)state;
  struct error err = {0};
  const char *python = "/usr/bin/python3";
  char command[4096];
  (void)snprintf(command, sizeof command, "%s -c 'import h5py, pandas' 2>/dev/null", python);
  if (system(command) != 0) {
    printf("SKIPPED: %s: python3-h5py or python3-pandas is not installed\n", __func__);
    skip();
  }
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  (void)snprintf(
      command, sizeof command,
      "%s - <<'END'\n"
      "import h5py, math, pandas\n"
      "f = h5py.File('%s', 'r')\n"
      "assert f.attrs['experiment'] == 'seed: 0 # \\u2013\\n', f.attrs['experiment']\n"
      "m = pandas.DataFrame(f['metrics'][:])\n"
      "assert list(m.columns) == 'variant dataset kind metric value stderr items'.split()\n"
      "assert m.dataset.str.decode('utf-8').tolist() == ['topic'] * 2 + ['bible/kjv'] + ['topic'] "
      "* 2\n"
      "assert m.value.tolist() == [0.782, 0.75, 12.3456, 0.471, 0.5]\n"
      "assert math.isnan(m.stderr[2]) and m['items'][2] == 7\n"
      "v = pandas.DataFrame(f['variants'][:])\n"
      "assert v.error[2].decode('utf-8') == 'c4 \\u2013 empty ? text'\n"
      "assert f['cells'].shape == (6,) and f['cells']['status'][3] == b'failed'\n"
      "l = pandas.DataFrame(f['layers'][:])\n"
      "assert l.layer.tolist() == [0, 1] and l.relative_error[1] == 0.0625\n"
      "i = f['items/topic']\n"
      "assert i['labels'][:].tolist() == [0, 1, 0]\n"
      "assert i['variants'][:].tolist() == [b'0' * 32, b'1' * 32]\n"
      "assert i['loglikelihoods'].dtype == 'float32'\n"
      "assert i['loglikelihoods'][1].tolist() == [[-1, -2], [-3, -4], [-5, -6]]\n"
      "assert i['correct'][0].tolist() == [1, 0, 1] and i['correct_norm'][1].tolist() == [0, 0, "
      "1]\n"
      "assert f['items/bible:kjv/loglikelihoods'][:].tolist() == [[[-77]]]\n"
      "END\n",
      python, path);
  assert_int_equal(system(command), 0);
}

static void items_are_read_back_for_the_variants_asked_for(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  const char *const ids[] = {fixture_variants[2].id, fixture_variants[1].id,
                             fixture_variants[0].id};
  struct results_items items;
  assert_ok(results_items_read(&items, path, "topic", ids, 3, &err));
  assert_int_equal(items.items, 3);
  assert_int_equal(items.choices, 2);
  assert_false(items.there[0]);
  assert_int_equal(items.counts[0], 0);
  assert_memory_equal(items.gold, fixture_gold, sizeof fixture_gold);
  for (size_t v = 1; v < 3; v++) {
    assert_true(items.there[v]);
    assert_int_equal(items.counts[v], 3);
    assert_memory_equal(items.loglikelihoods + v * 6, fixture_lls, sizeof fixture_lls);
    assert_memory_equal(items.correct + v * 3, fixture_correct, sizeof fixture_correct);
    assert_memory_equal(items.correct_norm + v * 3, fixture_norm, sizeof fixture_norm);
  }
  results_items_free(&items);
  assert_ok(results_items_read(&items, path, "bible/kjv", ids, 3, &err));
  assert_true(!items.there[0] && !items.there[1] && items.there[2]);
  assert_true(items.choices == 1 && items.loglikelihoods[2] == -77 && items.gold[0] == -1);
  results_items_free(&items);
  assert_ok(results_items_read(&items, path, "no such data set", ids, 3, &err));
  assert_true(items.items == 0 && !items.there[0] && !items.there[1] && !items.there[2]);
  results_items_free(&items);
}

static void a_variant_with_fewer_items_says_how_many(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  struct cell_record shorter = fixture_cells[2];
  shorter.items = 2;
  const struct cell_record *cells[FIXTURE_VARIANTS * FIXTURE_DATASETS];
  memcpy(cells, r.cell_records, sizeof cells);
  cells[2] = &shorter;
  r.cell_records = cells;
  assert_ok(results_write(path, &r, &err));
  const char *const ids[] = {fixture_variants[0].id, fixture_variants[1].id};
  struct results_items items;
  assert_ok(results_items_read(&items, path, "topic", ids, 2, &err));
  assert_true(items.items == 3 && items.counts[0] == 3 && items.counts[1] == 2);
  assert_true(isnan(items.loglikelihoods[10]) && items.correct[5] == -1);
  results_items_free(&items);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read_back),
      cmocka_unit_test(every_planned_cell_has_a_row_with_its_state),
      cmocka_unit_test(a_run_that_starts_has_all_its_cells_pending),
      cmocka_unit_test(equal_records_give_equal_bytes),
      cmocka_unit_test(attributes_are_text_of_any_length),
      cmocka_unit_test(calibration_draws_of_one_name_get_names_of_their_own),
      cmocka_unit_test(foreign_and_damaged_files_are_one_clear_line),
      cmocka_unit_test(a_file_changed_through_hdf5_is_read_unsealed),
      cmocka_unit_test(a_full_disk_leaves_the_old_file_and_no_other),
      cmocka_unit_test(an_unwritable_folder_is_one_line),
      cmocka_unit_test(items_are_read_back_for_the_variants_asked_for),
      cmocka_unit_test(a_variant_with_fewer_items_says_how_many),
      cmocka_unit_test(python_reads_it_with_h5py_and_pandas_alone),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
