/* Real and reference checkpoints: every llama and opt opens, its linears in the order of execution
 * with their shapes, its parameters counted once. */
#include <cjson/cJSON.h>

#include "folder.h"
#include "model/config.h"

static cJSON *read_json(const char *folder, const char *name) {
  size_t size;
  char *text = folder_get(folder, name, &size);
  cJSON *root = cJSON_Parse(text);
  assert_non_null(root);
  free(text);
  return root;
}

static double number(const cJSON *at, const char *key) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(at, key);
  assert_true(cJSON_IsNumber(item));
  return item->valuedouble;
}

/* "model.layers.{i}.fc1.weight" with a block's number in place of {i}. */
static void expand(char out[FOLDER_PATH], const char *pattern, int block) {
  const char *at = strstr(pattern, "{i}");
  assert_non_null(at);
  (void)snprintf(out, FOLDER_PATH, "%.*s%d%s", (int)(at - pattern), pattern, block, at + 3);
}

static void check_linear(const struct model *m, int i, const cJSON *wanted) {
  int count;
  const struct linear *l = &model_linears(m, &count)[i];
  const cJSON *shape = cJSON_GetObjectItemCaseSensitive(wanted, "shape");
  assert_int_equal(l->rows, cJSON_GetArrayItem(shape, 0)->valueint);
  assert_int_equal(l->cols, cJSON_GetArrayItem(shape, 1)->valueint);
  bool bias = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(wanted, "bias"));
  struct error err = {0};
  for (int block = 0; block < model_blocks(m); block++) {
    char name[FOLDER_PATH], *mine;
    expand(name, cJSON_GetObjectItemCaseSensitive(wanted, "tensor")->valuestring, block);
    assert_ok(model_linear_name(m, block, i, &mine, &err));
    assert_string_equal(mine, name);
    assert_non_null(strstr(mine, l->name));
    free(mine);
    assert_int_equal(model_has_bias(m, model_linear_slot(m, i), block), bias);
    float *w = malloc(sizeof *w * (size_t)l->rows * (size_t)l->cols);
    assert_non_null(w);
    assert_ok(model_linear_read(m, block, i, w, &err));
    free(w);
  }
}

static void check_folder(const char *folder, const cJSON *entry) {
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder, &err));
  assert_int_equal(model_blocks(m), number(entry, "layers"));
  assert_int_equal(model_hidden(m), number(entry, "hidden"));
  assert_int_equal(model_vocab(m), number(entry, "vocab"));
  assert_int_equal(model_parameters(m), number(entry, "parameters"));
  bool tied = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "tied_head"));
  assert_int_equal(model_config(m)->tied, tied);
  const cJSON *linears = cJSON_GetObjectItemCaseSensitive(entry, "prunable_linears");
  int count;
  (void)model_linears(m, &count);
  assert_int_equal(count, cJSON_GetArraySize(linears));
  for (int i = 0; i < count; i++) {
    check_linear(m, i, cJSON_GetArrayItem(linears, i));
  }
  model_close(m);
}

static void test_reference_families_list_their_linears_in_order(void **state) {
  (void)state;
  char base[FOLDER_PATH], families[FOLDER_PATH], folder[FOLDER_PATH];
  if (!support_folder("reference", base, sizeof base)) {
    print_message("SKIPPED: reference families: no folder of reference data\n");
    skip();
  }
  cJSON *root = read_json(folder_path(families, base, "families"), "index.json");
  const cJSON *entry;
  int seen = 0;
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(root, "folders")) {
    const char *type = cJSON_GetObjectItemCaseSensitive(entry, "model_type")->valuestring;
    if (strcmp(type, "llama") == 0 || strcmp(type, "opt") == 0) {
      check_folder(folder_path(folder, families, entry->string), entry);
      seen++;
    }
  }
  cJSON_Delete(root);
  assert_true(seen >= 7);
}

static void open_model(const char *name, uint64_t parameters, int linears) {
  char base[FOLDER_PATH], folder[FOLDER_PATH];
  if (!support_folder("models", base, sizeof base)) {
    print_message("SKIPPED: %s: no folder of models\n", name);
    skip();
  }
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder_path(folder, base, name), &err));
  assert_int_equal(model_parameters(m), parameters);
  int count;
  (void)model_linears(m, &count);
  assert_int_equal(count, linears);
  assert_string_equal(model_folder(m), folder);
  model_close(m);
}

static void test_nano_llama_opens(void **state) {
  (void)state;
  open_model("nano-llama", 6524160, 7);
}

static void test_nano_opt_opens(void **state) {
  (void)state;
  open_model("nano-opt", 6050304, 6);
}

static void test_stories260k_opens(void **state) {
  (void)state;
  open_model("stories260k", 260032, 7);
}

int main(void) {
  char folder[FOLDER_PATH];
  if (!support_folder("reference", folder, sizeof folder) &&
      !support_folder("models", folder, sizeof folder)) {
    return support_skip("model.checkpoints", "no folders of reference data and models");
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reference_families_list_their_linears_in_order),
      cmocka_unit_test(test_nano_llama_opens),
      cmocka_unit_test(test_nano_opt_opens),
      cmocka_unit_test(test_stories260k_opens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
