/* Errors, strings, files, random numbers and digests. */
#include "support.h"

#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sequences.h"
#include "base/str.h"

static struct error err;

static status deepest(void) {
  return err_at(&err, STATUS_INPUT, "a.yaml", 3, "bad\nvalue %d", 7);
}

static status middle(void) {
  TRY_WITH(&err, deepest(), "grid '%s'", "demo");
  return STATUS_OK;
}

static void errors_carry_context_in_one_line(void **state) {
  (void)state;
  assert_int_equal(middle(), STATUS_INPUT);
  assert_string_equal(err.text, "grid 'demo': a.yaml:3: bad value 7");
  assert_int_equal(status_exit(STATUS_INPUT), 2);
  assert_int_equal(status_exit(STATUS_TIME), 75);
  char *p = NULL;
  assert_int_equal(mem_alloc(&p, SIZE_MAX / 2, 8, &err), STATUS_MEMORY);
  assert_null(p);
}

static void nearest_names(void **state) {
  (void)state;
  static const char *const names[] = {"magnitude", "wanda", "sparsegpt", "ria"};
  assert_int_equal(str_nearest("wnada", names, 4), 1);
  assert_int_equal(str_nearest("sparse-gpt", names, 4), 2);
  assert_int_equal(str_nearest("zebra", names, 4), -1);
  assert_true(str_ends("model.safetensors", ".safetensors"));
  assert_false(str_ends("s", ".safetensors"));
}

/* Golden values: CPython 3.11. */
static void random_numbers_are_cpythons(void **state) {
  (void)state;
  struct rng r;
  rng_seed(&r, 42);
  const uint32_t words[] = {2746317213U, 478163327U, 107420369U, 3184935163U};
  for (int i = 0; i < 4; i++) {
    assert_int_equal(rng_u32(&r), words[i]);
  }
  rng_seed(&r, 0);
  const int64_t ints[] = {201979, 220500, 21225, 135746, 268055};
  for (int i = 0; i < 5; i++) {
    assert_int_equal(rng_int(&r, 0, 339419), ints[i]);
  }
  rng_seed(&r, 1234);
  const size_t large[3][5] = {
      {989, 796, 451, 119, 7}, {92, 932, 965, 961, 826}, {596, 35, 687, 709, 85}};
  size_t got[5];
  for (int i = 0; i < 3; i++) {
    assert_ok(rng_sample(&r, 1000, 5, got, &err));
    assert_memory_equal(got, large[i], sizeof got);
  }
  rng_seed(&r, 1234);
  const size_t small[3][3] = {{7, 1, 0}, {1, 0, 9}, {1, 5, 3}};
  for (int i = 0; i < 3; i++) {
    assert_ok(rng_sample(&r, 10, 3, got, &err));
    assert_memory_equal(got, small[i], 3 * sizeof *got);
  }
  rng_seed(&r, 0);
  const int choices[] = {8, 7, 4, 2, 5, 4, 7, 3, 4, 5};
  for (int i = 0; i < 10; i++) {
    assert_int_equal((int)(rng_double(&r) * 10), choices[i]);
  }
  struct rng single;
  uint32_t many[1001];
  for (size_t odd = 0; odd < 2; odd++) { /* choices() at any place in the generator's state */
    rng_seed(&r, 5);
    rng_seed(&single, 5);
    for (size_t i = 0; i < odd; i++) {
      assert_int_equal(rng_u32(&r), rng_u32(&single));
    }
    rng_choices(&r, 1725, 1001, many);
    for (size_t i = 0; i < 1001; i++) {
      assert_int_equal(many[i], (uint32_t)(rng_double(&single) * 1725));
    }
    assert_int_equal(rng_u32(&r), rng_u32(&single));
  }
}

static void files_appear_whole(void **state) {
  (void)state;
  char dir[] = "/tmp/espalier-base-XXXXXX";
  assert_non_null(mkdtemp(dir));
  char *path, *inner, *parent;
  assert_ok(path_join(&inner, dir, "a/b", &err));
  assert_ok(file_make_dirs(inner, &err));
  assert_true(file_is_dir(inner));
  assert_ok(path_join(&path, inner, "f.txt", &err));
  assert_ok(file_write(path, "one\ntwo", 7, &err));
  char *text;
  size_t size;
  assert_ok(file_read(&text, &size, path, &err));
  assert_int_equal(size, 7);
  assert_string_equal(text, "one\ntwo");
  struct map map;
  assert_ok(map_open(&map, path, &err));
  assert_int_equal(map.size, 7);
  map_close(&map);
  assert_fails(map_open(&map, inner, &err), STATUS_INPUT, "not a regular file");
  assert_fails(file_write("/nowhere/at/all", "x", 1, &err), STATUS_IO, "No such file");
  assert_ok(path_dir(&parent, path, &err));
  assert_string_equal(parent, inner);
  assert_string_equal(path_base(path), "f.txt");
  char digest[DIGEST_TEXT], other[DIGEST_TEXT];
  assert_ok(digest_file(path, digest, &err));
  digest_bytes("one\ntwo", 7, other);
  assert_string_equal(digest, other);
  unlink(path);
  rmdir(inner);
  char *a;
  assert_ok(path_join(&a, dir, "a", &err));
  rmdir(a);
  rmdir(dir);
  free(a);
  free(path);
  free(inner);
  free(parent);
  free(text);
}

static void sequences_know_their_cuts(void **state) {
  (void)state;
  struct sequences one = {0}, two = {0};
  const int32_t ids[] = {1, 2, 3};
  assert_ok(sequences_add(&one, ids, 1, &err));
  assert_ok(sequences_add(&one, ids + 1, 2, &err));
  assert_ok(sequences_add(&two, ids, 2, &err));
  assert_ok(sequences_add(&two, ids + 2, 1, &err));
  assert_int_equal(sequences_length(&one, 1), 2);
  assert_int_equal(sequences_at(&one, 1)[1], 3);
  char a[DIGEST_TEXT], b[DIGEST_TEXT];
  assert_ok(sequences_digest(&one, a, &err));
  assert_ok(sequences_digest(&two, b, &err));
  assert_string_not_equal(a, b);
  sequences_free(&one);
  sequences_free(&two);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(errors_carry_context_in_one_line), cmocka_unit_test(nearest_names),
      cmocka_unit_test(random_numbers_are_cpythons),      cmocka_unit_test(files_appear_whole),
      cmocka_unit_test(sequences_know_their_cuts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
