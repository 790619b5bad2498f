/* Every rule of the safetensors format, and of the index of shards, by a file that breaks it. */
#include <math.h>

#include "folder.h"
#include "model/safetensors.h"
#include "model/shards.h"

struct broken {
  const char *header;
  size_t bytes;     /* of the buffer */
  const char *part; /* of the message */
};

static void open_broken(const struct broken *b) {
  char folder[FOLDER_PATH], path[FOLDER_PATH];
  folder_make(folder);
  folder_tensors(folder, "x.safetensors", b->header, b->bytes);
  struct safetensors s;
  struct error err = {0};
  assert_fails(safetensors_open(&s, folder_path(path, folder, "x.safetensors"), &err), STATUS_INPUT,
               b->part);
  assert_memory_equal(err.text, path, strlen(path));
  folder_remove(folder);
}

#define A(dtype, shape, begin, end)                                                                \
  "\"a\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #begin "," #end "]}"
#define B(dtype, shape, begin, end)                                                                \
  "\"b\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" #begin "," #end "]}"

static void test_broken_files_are_refused_by_file_and_tensor(void **state) {
  (void)state;
  static const struct broken cases[] = {
      {"[]", 0, "does not begin with '{'"},
      {" {}", 0, "does not begin with '{'"},
      {"", 0, "does not begin with '{'"},
      {"{\"a\":", 0, "not JSON"},
      {"{} x", 0, "not JSON"},
      {"{\"\\u0000\":{}}", 0, "contains a NUL"},
      {"{\"a\":3}", 0, "tensor a: not an object"},
      {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor a: no dtype"},
      {"{" A("F31", "1", 0, 4) "}", 4, "tensor a: unknown dtype 'F31'"},
      {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "tensor a: no shape"},
      {"{" A("F32", "-1", 0, 4) "}", 4, "tensor a: a dimension is not a count"},
      {"{" A("F32", "1.5", 0, 6) "}", 6, "tensor a: a dimension is not a count"},
      {"{" A("F32", "\"1\"", 0, 4) "}", 4, "tensor a: a dimension is not a count"},
      {"{" A("F32", "1e300", 0, 4) "}", 4, "tensor a: a dimension is not a count"},
      {"{" A("F32", "1,1,1,1,1,1,1,1,1", 0, 4) "}", 4, "tensor a: more than 8 dimensions"},
      {"{" A("F32", "4294967296,4294967296", 0, 0) "}", 0, "dimensions overflows"},
      {"{" A("F32", "4611686018427387904,4", 0, 0) "}", 0, "tensor a: "},
      {"{" A("F32", "2251799813685248,1024", 0, 0) "}", 0, "tensor a: its size overflows"},
      {"{" A("F32", "1", 0, 8) "}", 8, "shape [1] of F32 takes 4 bytes, data_offsets give 8"},
      {"{" A("F4", "3", 0, 2) "}", 2, "tensor a: shape [3] of F4"},
      {"{" A("F32", "", 0, 8) "}", 8, "shape [] of F32 takes 4 bytes"},
      {"{" A("F32", "1", 4, 0) "}", 4, "tensor a: data_offsets [4, 0] are out of range"},
      {"{" A("F32", "2", 0, 8) "}", 4, "out of range (the buffer has 4 bytes)"},
      {"{" A("F32", "1", -4, 0) "}", 4, "tensor a: no data_offsets"},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4,
       "tensor a: no data_offsets"},
      {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4,
       "tensor a: no dtype (expected one)"},
      {"{" A("F32", "1", 0, 4) "," A("F32", "1", 4, 8) "}", 8, "tensor a: stands twice"},
      {"{" A("F32", "2", 0, 8) "," B("F32", "2", 4, 12) "}", 12, "tensor b overlaps tensor a"},
      {"{" A("F32", "2", 0, 8) "," B("F32", "2", 0, 8) "}", 8, "overlaps"},
      {"{" A("F32", "1", 4, 8) "," B("F32", "1", 0, 4) "}", 12, "4 bytes behind the last tensor"},
      {"{" A("F32", "1", 0, 4) "," B("F32", "1", 8, 12) "}", 12,
       "a hole of 4 bytes before tensor b"},
      {"{" A("F32", "1", 4, 8) "}", 8, "a hole of 4 bytes before tensor a"},
      {"{}", 1, "1 bytes behind the last tensor"},
      {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__ is not a map of strings"},
      {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ stands twice"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    open_broken(&cases[i]);
  }
}

static void test_header_lengths_are_checked_against_the_file(void **state) {
  (void)state;
  char folder[FOLDER_PATH], path[FOLDER_PATH];
  folder_make(folder);
  folder_path(path, folder, "x.safetensors");
  struct safetensors s;
  struct error err = {0};
  static const uint64_t lengths[] = {1ull << 63, UINT64_MAX, UINT64_MAX - 7, 11};
  for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
    unsigned char bytes[18] = {0};
    memcpy(bytes, &lengths[i], sizeof lengths[i]);
    bytes[8] = '{';
    folder_put(folder, "x.safetensors", bytes, sizeof bytes);
    assert_fails(safetensors_open(&s, path, &err), STATUS_INPUT, "does not fit into a file of 18");
  }
  for (size_t size = 0; size < 8; size++) {
    folder_put(folder, "x.safetensors", "\2\0\0\0\0\0\0\0", size);
    assert_fails(safetensors_open(&s, path, &err), STATUS_INPUT, "too few");
  }
  folder_remove(folder);
}

static void test_a_header_beyond_the_formats_limit_is_refused(void **state) {
  (void)state;
  char folder[FOLDER_PATH], path[FOLDER_PATH];
  folder_make(folder);
  folder_tensors(folder, "x.safetensors", "{}", 0);
  folder_path(path, folder, "x.safetensors");
  uint64_t length = 100000001;
  FILE *f = fopen(path, "r+b");
  assert_non_null(f);
  assert_int_equal(fwrite(&length, 1, sizeof length, f), sizeof length);
  assert_int_equal(fclose(f), 0);
  assert_int_equal(truncate(path, 100000009), 0); /* a hole in the file: no disk is used */
  struct safetensors s;
  struct error err = {0};
  assert_fails(safetensors_open(&s, path, &err), STATUS_INPUT, "longer than the format allows");
  folder_remove(folder);
}

static void test_every_truncation_of_a_file_is_refused(void **state) {
  (void)state;
  char folder[FOLDER_PATH], path[FOLDER_PATH];
  folder_make(folder);
  folder_tensors(folder, "x", "{" A("F32", "2", 0, 8) "," B("BF16", "2,1", 8, 12) "}", 12);
  size_t size;
  char *bytes = folder_get(folder, "x", &size);
  struct safetensors s;
  struct error err = {0};
  folder_path(path, folder, "y");
  for (size_t n = 0; n < size; n++) {
    folder_put(folder, "y", bytes, n);
    assert_fails(safetensors_open(&s, path, &err), STATUS_INPUT, path);
  }
  free(bytes);
  folder_remove(folder);
}

static uint32_t draw(uint32_t *random) {
  *random = *random * 1664525u + 1013904223u;
  return *random >> 8;
}

/* One to three changed bytes, mostly in the header: refused with a line that names the file, or
 * read without leaving the map (the sanitizers watch). */
static void test_mutated_files_are_refused_or_read_within_the_map(void **state) {
  (void)state;
  char folder[FOLDER_PATH], path[FOLDER_PATH];
  folder_make(folder);
  folder_tensors(folder, "x", "{" A("F32", "2", 0, 8) "," B("BF16", "2,1", 8, 12) "}", 12);
  size_t size;
  char *bytes = folder_get(folder, "x", &size), *copy = malloc(size);
  assert_non_null(copy);
  folder_path(path, folder, "y");
  static const char likely[] = "0123456789{}[],:\"-.eF";
  uint32_t random = 1;
  int opened = 0;
  for (int i = 0; i < 3000; i++) {
    memcpy(copy, bytes, size);
    for (uint32_t n = draw(&random) % 3 + 1; n > 0; n--) {
      size_t at = draw(&random) % 4 ? 8 + draw(&random) % (size - 20) : draw(&random) % size;
      copy[at] =
          draw(&random) % 2 ? likely[draw(&random) % (sizeof likely - 1)] : (char)draw(&random);
    }
    folder_put(folder, "y", copy, size);
    struct safetensors s;
    struct error err = {0};
    if (safetensors_open(&s, path, &err) != STATUS_OK) {
      assert_memory_equal(err.text, path, strlen(path));
      continue;
    }
    opened++;
    for (size_t j = 0; j < s.count; j++) {
      float out[8];
      const struct tensor *t = &s.tensors[j];
      if (dtype_is_weight(t->dtype)) {
        assert_true(t->elements <= 6);
        (void)tensor_read(t, 0, t->elements, out, &err);
      }
    }
    safetensors_close(&s);
  }
  assert_in_range(opened, 20, 2900);
  free(bytes);
  free(copy);
  folder_remove(folder);
}

static void test_a_valid_file_is_read_at_any_alignment(void **state) {
  (void)state;
  char folder[FOLDER_PATH], path[FOLDER_PATH];
  folder_make(folder);
  /* b's floats begin at an odd address: the header is not padded and a has three bytes. */
  const char *header = "{\"__metadata__\":{\"format\":\"pt\"}," B("F32", "1,2", 3, 11) "," A(
      "BOOL", "3", 0, 3) ",\"e\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[11,11]}}  ";
  folder_tensors(folder, "x", header, 11);
  FILE *f = fopen(folder_path(path, folder, "x"), "r+b");
  assert_non_null(f);
  float values[2] = {1.5f, -2.25f}, out[2];
  assert_int_equal(fseek(f, -8, SEEK_END), 0);
  assert_int_equal(fwrite(values, 1, sizeof values, f), sizeof values);
  assert_int_equal(fclose(f), 0);
  struct safetensors s;
  struct error err = {0};
  assert_ok(safetensors_open(&s, path, &err));
  assert_int_equal(s.count, 3);
  assert_string_equal(s.tensors[0].name, "b");
  const struct tensor *b = safetensors_find(&s, "b");
  assert_ptr_equal(b, &s.tensors[0]);
  assert_int_equal(b->rank, 2);
  assert_ok(tensor_read(b, 0, 2, out, &err));
  assert_memory_equal(out, values, sizeof out);
  assert_int_equal(safetensors_find(&s, "e")->elements, 0);
  assert_null(safetensors_find(&s, "format"));
  assert_null(safetensors_find(&s, "aa"));
  safetensors_close(&s);
  folder_remove(folder);
}

static void test_nonfinite_elements_are_named_by_index(void **state) {
  (void)state;
  char folder[FOLDER_PATH], path[FOLDER_PATH];
  folder_make(folder);
  folder_tensors(folder, "x", "{" A("F32", "3,4096", 0, 49152) "}", 49152);
  FILE *f = fopen(folder_path(path, folder, "x"), "r+b");
  assert_non_null(f);
  float bad = INFINITY, *out = malloc(49152);
  assert_non_null(out);
  assert_int_equal(fseek(f, -8, SEEK_END), 0);
  assert_int_equal(fwrite(&bad, 1, sizeof bad, f), sizeof bad);
  assert_int_equal(fclose(f), 0);
  struct safetensors s;
  struct error err = {0};
  assert_ok(safetensors_open(&s, path, &err));
  const struct tensor *a = safetensors_find(&s, "a");
  assert_ok(tensor_read(a, 0, 2 * 4096, out, &err));
  assert_fails(tensor_read(a, 0, 3 * 4096, out, &err), STATUS_NUMERIC,
               "tensor a: not finite at element [2, 4094]");
  assert_fails(tensor_read(a, 4096 + 7, 2 * 4096 - 7, out, &err), STATUS_NUMERIC, "[2, 4094]");
  safetensors_close(&s);
  free(out);
  folder_remove(folder);
}

static void refuse_index(const char *folder, const char *index, status code, const char *part) {
  folder_text(folder, SHARDS_INDEX, index);
  struct shards s;
  struct error err = {0};
  assert_fails(shards_open(&s, folder, &err), code, part);
}

static void test_broken_indexes_are_refused(void **state) {
  (void)state;
  char folder[FOLDER_PATH];
  folder_make(folder);
  struct shards s;
  struct error err = {0};
  assert_fails(shards_open(&s, folder, &err), STATUS_INPUT, "no weights (expected");
  folder_tensors(folder, "1.safetensors", "{" A("F32", "1", 0, 4) "}", 4);
  folder_tensors(folder, "2.safetensors", "{" A("F32", "1", 0, 4) "}", 3);
  refuse_index(folder, "{", STATUS_INPUT, SHARDS_INDEX ": not JSON");
  refuse_index(folder, "{}", STATUS_INPUT, "no weight_map");
  refuse_index(folder, "{\"weight_map\":{}}", STATUS_INPUT, "no weight_map");
  refuse_index(folder, "{\"weight_map\":{\"a\":1}}", STATUS_INPUT, "tensor a: not the name");
  refuse_index(folder, "{\"weight_map\":{\"a\":\"../1.safetensors\"}}", STATUS_INPUT,
               "tensor a: not the name");
  refuse_index(folder, "{\"weight_map\":{\"a\":\"3.safetensors\"}}", STATUS_INPUT,
               "3.safetensors: no such file");
  refuse_index(folder, "{\"weight_map\":{\"b\":\"1.safetensors\"}}", STATUS_INPUT,
               "1.safetensors: tensor b is missing");
  refuse_index(folder, "{\"weight_map\":{\"a\":\"1.safetensors\",\"a\":\"1.safetensors\"}}",
               STATUS_INPUT, "tensor a stands twice");
  refuse_index(folder, "{\"weight_map\":{\"a\":\"2.safetensors\"}}", STATUS_INPUT,
               "2.safetensors: tensor a: data_offsets");
  folder_remove(folder);
}

static void test_the_index_decides_which_shard_a_tensor_comes_from(void **state) {
  (void)state;
  char folder[FOLDER_PATH];
  folder_make(folder);
  folder_tensors(folder, "1.safetensors", "{" A("F32", "1", 0, 4) "," B("F32", "1", 4, 8) "}", 8);
  folder_tensors(folder, "2.safetensors", "{" A("F16", "1", 0, 2) "}", 2);
  folder_text(folder, SHARDS_INDEX,
              "{\"weight_map\":{\"b\":\"1.safetensors\",\"a\":\"2.safetensors\"}}");
  struct shards s;
  struct error err = {0};
  assert_ok(shards_open(&s, folder, &err));
  assert_int_equal(s.count, 2);
  assert_int_equal(shards_find(&s, "a")->dtype, DTYPE_F16);
  assert_int_equal(shards_find(&s, "b")->dtype, DTYPE_F32);
  assert_null(shards_find(&s, "c"));
  shards_close(&s);
  folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_broken_files_are_refused_by_file_and_tensor),
      cmocka_unit_test(test_header_lengths_are_checked_against_the_file),
      cmocka_unit_test(test_a_header_beyond_the_formats_limit_is_refused),
      cmocka_unit_test(test_every_truncation_of_a_file_is_refused),
      cmocka_unit_test(test_mutated_files_are_refused_or_read_within_the_map),
      cmocka_unit_test(test_a_valid_file_is_read_at_any_alignment),
      cmocka_unit_test(test_nonfinite_elements_are_named_by_index),
      cmocka_unit_test(test_broken_indexes_are_refused),
      cmocka_unit_test(test_the_index_decides_which_shard_a_tensor_comes_from),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
