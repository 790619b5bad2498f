/* Masks of a results file: what went into the journal is read back, by this program and by h5py. */
#include "support.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "store/fixture.h"
#include "store/h5.h"
#include "store/made_masks.h"

static char folder[] = "/tmp/espalier_masks_XXXXXX";
static char path[64], log_path[64];
static const char *const pruned = "11111111111111111111111111111111";

static int set_up(void **state) {
  (void)state;
  if (!mkdtemp(folder)) {
    return -1;
  }
  (void)snprintf(path, sizeof path, "%s/x.h5", folder);
  (void)snprintf(log_path, sizeof log_path, "%s/x.journal", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(path);
  (void)unlink(log_path);
  return rmdir(folder);
}

/* Tensors of the pruned variant, in two parts of the journal; block 10 is written before block 2,
 * and one is sparse enough to be deflated. */
enum { TENSORS = 3 };
static const struct {
  const char *name;
  int rows, cols, part;
  double removed;
} shapes[TENSORS] = {
    {"layers.10.fc1.weight", 5, 9, 0, 0.5},
    {"layers.2.fc1.weight", 64, 128, 0, 0.9},
    {"layers.2.fc0.weight", 3, 16, 1, 0.5},
};

static unsigned char *bits_of(int i) {
  struct rng rng;
  rng_seed(&rng, (uint64_t)i + 1);
  return masks_bits(&rng, shapes[i].rows, shapes[i].cols, shapes[i].removed);
}

static void append_part(struct journal *j, const char *variant, int part) {
  struct error err = {0};
  struct mask_bits tensors[TENSORS] = {0};
  unsigned char *held[2 * TENSORS] = {0};
  struct mask_record r = {.part = part, .parts = 2, .tensors = tensors};
  (void)snprintf(r.variant, sizeof r.variant, "%s", variant);
  for (int i = 0; i < TENSORS; i++) {
    if (shapes[i].part != part) {
      continue;
    }
    struct mask_bits *t = &tensors[r.count++];
    (void)snprintf(t->name, sizeof t->name, "%s", shapes[i].name);
    t->rows = shapes[i].rows;
    t->cols = shapes[i].cols;
    t->size = mask_bytes(t->rows, t->cols);
    t->bytes = held[2 * i] = bits_of(i);
    assert_ok(mask_deflate(t->bytes, t->size, &held[2 * i + 1], &t->size, &err));
    t->deflated = held[2 * i + 1] != NULL;
    t->bytes = t->deflated ? held[2 * i + 1] : t->bytes;
    assert_int_equal(t->deflated, shapes[i].removed > 0.8);
  }
  unsigned char *bytes;
  size_t size;
  assert_ok(record_encode_masks(&r, &bytes, &size, &err));
  assert_ok(journal_append(j, bytes, size, &err));
  free(bytes);
  for (int i = 0; i < 2 * TENSORS; i++) {
    free(held[i]);
  }
}

/* A results file of the fixture with masks in the journal for all three variants, of which `masks`
 * says whose are complete. */
static void write_file(const bool *masks) {
  struct error err = {0};
  (void)unlink(log_path);
  struct journal *j;
  assert_ok(journal_open(&j, log_path, NULL, NULL, NULL, &err));
  for (int part = 0; part < 2; part++) {
    for (int v = 0; v < FIXTURE_VARIANTS; v++) {
      append_part(j, fixture_variants[v].id, part);
    }
    append_part(j, pruned, part); /* twice: the file has it once */
    append_part(j, "99999999999999999999999999999999", part);
  }
  struct results r = fixture_results();
  r.journal = j;
  r.masks = masks;
  assert_ok(results_write(path, &r, &err));
  journal_close(j);
}

static void what_is_written_is_read_back_by_block(void **state) {
  (void)state;
  struct error err = {0};
  write_file((bool[]){false, true, false});
  struct masks *m;
  assert_ok(masks_open(&m, path, &err));
  assert_int_equal(masks_variant_count(m), 1);
  assert_string_equal(masks_variant(m, 0), pruned);
  assert_true(masks_has(m, pruned) && !masks_has(m, fixture_variants[0].id));
  struct mask_tensors t;
  assert_ok(masks_tensors(m, pruned, &t, &err));
  assert_int_equal(t.count, TENSORS);
  static const int order[TENSORS] = {2, 1, 0};
  for (int i = 0; i < TENSORS; i++) {
    int k = order[i];
    assert_string_equal(t.at[i].name, shapes[k].name);
    assert_int_equal(t.at[i].rows, shapes[k].rows);
    assert_int_equal(t.at[i].cols, shapes[k].cols);
    size_t bytes = mask_bytes(t.at[i].rows, t.at[i].cols);
    unsigned char *got = malloc(bytes), *want = bits_of(k);
    assert_non_null(got);
    assert_ok(masks_read(m, pruned, &t.at[i], got, &err));
    assert_memory_equal(got, want, bytes);
    free(got);
    free(want);
  }
  mask_tensors_free(&t);
  masks_close(m);
}

static void failed_and_unfinished_variants_have_none(void **state) {
  (void)state;
  struct error err = {0};
  write_file((bool[]){false, false, true}); /* the third failed */
  struct masks *m;
  assert_ok(masks_open(&m, path, &err));
  assert_int_equal(masks_variant_count(m), 0);
  struct mask_tensors t;
  assert_fails(masks_tensors(m, pruned, &t, &err), STATUS_INPUT, "has no masks");
  masks_close(m);
}

static void a_file_without_masks_opens_with_none(void **state) {
  (void)state;
  struct error err = {0};
  struct results r = fixture_results();
  assert_ok(results_write(path, &r, &err));
  struct masks *m;
  assert_ok(masks_open(&m, path, &err));
  assert_int_equal(masks_variant_count(m), 0);
  masks_close(m);
  assert_fails(masks_open(&m, log_path, &err), STATUS_INPUT, "not an HDF5 file");
}

static void a_tensor_of_another_shape_or_name_is_refused(void **state) {
  (void)state;
  struct error err = {0};
  write_file((bool[]){false, true, false});
  struct masks *m;
  assert_ok(masks_open(&m, path, &err));
  unsigned char out[16];
  struct mask_tensor t = {"layers.10.fc1.weight", 5, 10};
  assert_fails(masks_read(m, pruned, &t, out, &err), STATUS_INPUT, "is 5 x 9 weights");
  t.name = "layers.10.fc2.weight";
  assert_fails(masks_read(m, pruned, &t, out, &err), STATUS_INPUT, "has no mask");
  assert_fails(masks_read(m, "../variants", &t, out, &err), STATUS_INPUT, "has no mask");
  masks_close(m);
}

static void a_damaged_file_is_refused(void **state) {
  (void)state;
  struct error err = {0};
  write_file((bool[]){false, true, false});
  FILE *f = fopen(path, "r+b");
  assert_non_null(f);
  assert_int_equal(fseek(f, -500, SEEK_END), 0);
  assert_int_equal(fputc(0x5a, f), 0x5a);
  assert_int_equal(fputc(0xa5, f), 0xa5);
  assert_int_equal(fclose(f), 0);
  struct masks *m;
  assert_fails(masks_open(&m, path, &err), STATUS_INPUT, "damaged");
}

static void bits_are_the_weights_that_are_not_zero(void **state) {
  (void)state;
  enum { ROWS = 7, COLS = 21 };
  struct rng rng;
  rng_seed(&rng, 3);
  float *w = masks_weights(&rng, ROWS, COLS, 0.4);
  unsigned char bits[ROWS * 3];
  mask_pack(w, ROWS, COLS, bits);
  for (int r = 0; r < ROWS; r++) {
    for (int c = 0; c < 24; c++) {
      assert_int_equal(masks_bit(bits, COLS, r, c), c < COLS && w[r * COLS + c] != 0);
    }
  }
  free(w);
}

/* Sparse and n:m masks; at one half nothing can be gained. */
static void masks_are_deflated_where_that_gains(void **state) {
  (void)state;
  enum { ROWS = 256, COLS = 1024, BYTES = ROWS * COLS / 8 };
  static const double removed[] = {0.5, 0.6, 0.75, 0.9};
  for (int i = 0; i < 4; i++) {
    struct error err = {0};
    struct rng rng;
    rng_seed(&rng, 11);
    unsigned char *bits = masks_bits(&rng, ROWS, COLS, removed[i]), *less;
    size_t size = BYTES;
    assert_ok(mask_deflate(bits, BYTES, &less, &size, &err));
    assert_int_equal(less != NULL, i >= 2);
    if (less) {
      unsigned char *back = malloc(BYTES);
      assert_non_null(back);
      uLongf got = BYTES;
      assert_int_equal(uncompress(back, &got, less, size), Z_OK);
      assert_int_equal(got, BYTES);
      assert_memory_equal(back, bits, BYTES);
      double entropy = -removed[i] * log2(removed[i]) - (1 - removed[i]) * log2(1 - removed[i]);
      assert_true((double)size < (entropy + 0.05) * BYTES);
      free(back);
    }
    free(less);
    free(bits);
  }
}

/* A journal with masks of `count` tensors of 1 MiB for the pruned variant, written as results by a
 * process that may write no file larger than `largest`. */
enum { LARGE = 1024 };
static status write_large(int count, rlim_t largest, struct error *err) {
  (void)unlink(log_path);
  struct journal *j;
  TRY(journal_open(&j, log_path, NULL, NULL, NULL, err));
  unsigned char *bits = malloc(LARGE * LARGE);
  assert_non_null(bits);
  memset(bits, 0xa5, LARGE * LARGE);
  status st = STATUS_OK;
  for (int i = 0; st == STATUS_OK && i < count; i++) {
    struct mask_bits t = {
        .rows = LARGE, .cols = 8 * LARGE, .size = (size_t)LARGE * LARGE, .bytes = bits};
    (void)snprintf(t.name, sizeof t.name, "layers.%d.fc1.weight", i);
    struct mask_record r = {.part = i, .parts = count, .count = 1, .tensors = &t};
    (void)snprintf(r.variant, sizeof r.variant, "%s", pruned);
    unsigned char *bytes;
    size_t size;
    st = record_encode_masks(&r, &bytes, &size, err);
    if (st == STATUS_OK) {
      st = journal_append(j, bytes, size, err);
      free(bytes);
    }
  }
  free(bits);
  struct results r = fixture_results();
  r.journal = j;
  r.masks = (bool[]){false, true, false};
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small = old;
  small.rlim_cur = largest < old.rlim_cur ? largest : old.rlim_cur;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  st = st == STATUS_OK ? results_write(path, &r, err) : st;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  journal_close(j);
  return st;
}

static long data_bytes(void) {
  char line[256];
  long kilobytes = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f && fgets(line, sizeof line, f)) {
    (void)sscanf(line, "VmData: %ld", &kilobytes);
  }
  if (f) {
    (void)fclose(f);
  }
  return kilobytes * 1024;
}

static void the_file_is_never_in_memory_as_a_whole(void **state) {
  (void)state;
#ifdef __SANITIZE_ADDRESS__
  print_message("SKIPPED: a sanitizer's memory says nothing of the program's\n");
  skip();
#endif
  enum { TENSORS_LARGE = 96, ROOM = 32 << 20 };
  struct error err = {0};
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_DATA, &old), 0);
  small = old;
  small.rlim_cur = (rlim_t)data_bytes() + ROOM;
  assert_true(data_bytes() > 0);
  assert_int_equal(setrlimit(RLIMIT_DATA, &small), 0);
  status st = write_large(TENSORS_LARGE, RLIM_INFINITY, &err);
  assert_int_equal(setrlimit(RLIMIT_DATA, &old), 0);
  assert_ok(st);
  struct stat s;
  assert_int_equal(stat(path, &s), 0);
  assert_true(s.st_size > (long)TENSORS_LARGE << 20);
}

static void a_disk_that_fills_up_under_the_masks_is_one_line(void **state) {
  (void)state;
  struct error err = {0};
  write_file((bool[]){false, true, false});
  (void)signal(SIGXFSZ, SIG_IGN);
  assert_fails(write_large(6, 3 << 20, &err), STATUS_IO, "x.h5: File too large");
  (void)signal(SIGXFSZ, SIG_DFL);
  struct masks *m; /* the file of before */
  assert_ok(masks_open(&m, path, &err));
  struct mask_tensors t;
  assert_ok(masks_tensors(m, pruned, &t, &err));
  assert_int_equal(t.count, TENSORS);
  mask_tensors_free(&t);
  masks_close(m);
  char temporary[80];
  (void)snprintf(temporary, sizeof temporary, "%s.tmp", path);
  assert_int_equal(access(temporary, F_OK), -1);
}

static void python_reads_them_with_h5py_alone(void **state) {
  (void)state;
  write_file((bool[]){false, true, false});
  if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
    print_message("SKIPPED: h5py is not installed\n");
    skip();
  }
  char command[1024];
  (void)snprintf(command, sizeof command,
                 "/usr/bin/python3 -c \"\n"
                 "import h5py, numpy\n"
                 "f = h5py.File('%s')\n"
                 "g = f['masks']\n"
                 "assert list(g) == ['%s'], list(g)\n"
                 "t = g['%s']['layers.10.fc1.weight']\n"
                 "assert t.shape == (5, 2) and t.dtype == numpy.uint8 and t.attrs['cols'] == 9\n"
                 "w = numpy.unpackbits(t[:], axis=1, count=9, bitorder='little')\n"
                 "t = g['%s']['layers.2.fc1.weight']\n"
                 "assert t.chunks == t.shape and t.compression == 'gzip'\n"
                 "s = 1 - numpy.unpackbits(t[:], axis=1, count=128, bitorder='little').mean()\n"
                 "assert 0.85 < s < 0.95, s\n"
                 "\"",
                 path, pruned, pruned, pruned);
  assert_int_equal(system(command), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_written_is_read_back_by_block),
      cmocka_unit_test(failed_and_unfinished_variants_have_none),
      cmocka_unit_test(a_file_without_masks_opens_with_none),
      cmocka_unit_test(a_tensor_of_another_shape_or_name_is_refused),
      cmocka_unit_test(a_damaged_file_is_refused),
      cmocka_unit_test(bits_are_the_weights_that_are_not_zero),
      cmocka_unit_test(masks_are_deflated_where_that_gains),
      cmocka_unit_test(the_file_is_never_in_memory_as_a_whole),
      cmocka_unit_test(a_disk_that_fills_up_under_the_masks_is_one_line),
      cmocka_unit_test(python_reads_them_with_h5py_alone),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
