/* A safetensors reader that shares no code with the writer loads what was written. */
#include "writing.h"

static void test_an_independent_reader_loads_what_was_written(void **state) {
  (void)state;
  const char *source = getenv("ESPALIER_SOURCE");
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {.dtype = "F32"};
  struct model *m = open_made(&p, &s);
  struct model_writer *w;
  struct error err = {0};
  assert_ok(model_writer_open(&w, m, p.to, MODEL_DTYPE_BF16, &err));
  prune_one(m, w);
  assert_ok(model_writer_finish(w, &err));
  char command[4 * FOLDER_PATH], line[FOLDER_PATH];
  (void)snprintf(command, sizeof command,
                 "python3 '%s/tests/model/read_checkpoint.py' '%s/model.safetensors'", source,
                 p.to);
  FILE *f = popen(command, "r");
  assert_non_null(f);
  static float old[32 * 32];
  assert_ok(model_linear_read(m, 1, 3, old, &err));
  int lines = 0, found = 0, zeros = 512;
  for (int i = 1; i < 32 * 32; i += 2) {
    zeros += old[i] == 0;
  }
  char wanted[FOLDER_PATH];
  (void)snprintf(wanted, sizeof wanted,
                 "model.layers.1.self_attn.o_proj.weight BF16 [32, 32] %d/1024 0\n", zeros);
  while (fgets(line, sizeof line, f)) {
    found += strcmp(line, wanted) == 0 || strcmp(line, "__metadata__ {\"format\": \"pt\"}\n") == 0;
    lines++;
  }
  assert_int_equal(pclose(f), 0);
  assert_int_equal(lines, 1 + 3 + 2 * 9);
  assert_int_equal(found, 2);
  model_close(m);
  folder_remove(p.base);
}

int main(void) {
  /* NOLINTNEXTLINE(bugprone-command-processor): a fixed command, looked up like any tool. */
  if (!getenv("ESPALIER_SOURCE") || system("python3 -c 0 2>/dev/null") != 0) {
    return support_skip("model.independent_reader", "no python3, or ESPALIER_SOURCE is not set");
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_independent_reader_loads_what_was_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
