/* Real and reference checkpoints: every family opens, its linears in the order of execution
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

/* "model.layers.{i}.fc1.weight" with numbers in place of {i} and {e}. */
static void expand(char out[FOLDER_PATH], const char *pattern, int block, int expert) {
  size_t n = 0;
  for (const char *at = pattern; *at && n + 16 < FOLDER_PATH; at++) {
    if (*at == '{') {
      n += (size_t)snprintf(out + n, FOLDER_PATH - n, "%d", at[1] == 'i' ? block : expert);
      at += 2;
    } else {
      out[n++] = *at;
    }
  }
  out[n] = '\0';
}

static const char *text(const cJSON *at, const char *key) {
  const char *found = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(at, key));
  return found ? found : "";
}

static void check_linear(const struct model *m, int i, const cJSON *wanted, int expert) {
  int count;
  const struct linear *l = &model_linears(m, &count)[i];
  assert_true(i < count);
  const cJSON *shape = cJSON_GetObjectItemCaseSensitive(wanted, "shape");
  int turned = strcmp(text(wanted, "stored"), "in_out") == 0;
  assert_int_equal(l->rows, cJSON_GetArrayItem(shape, turned)->valueint);
  assert_int_equal(l->cols, cJSON_GetArrayItem(shape, !turned)->valueint);
  bool bias = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(wanted, "bias"));
  struct error err = {0};
  for (int block = 0; block < model_blocks(m); block++) {
    char name[FOLDER_PATH], *mine;
    expand(name, text(wanted, "tensor"), block, expert);
    assert_ok(model_linear_name(m, block, i, &mine, &err));
    assert_string_equal(mine, name);
    assert_non_null(strstr(mine, l->name));
    free(mine);
    assert_int_equal(model_has_bias(m, model_linear_slot(m, i), block), bias);
    assert_int_equal(model_linear_part(m, i), expert);
    float *w = malloc(sizeof *w * (size_t)l->rows * (size_t)l->cols);
    assert_non_null(w);
    assert_ok(model_linear_read(m, block, i, w, &err));
    free(w);
  }
}

/* Experts' linears stand expert by expert; a router is none. Returns how many were wanted. */
static int check_linears(const struct model *m, const cJSON *linears) {
  int experts = model_config(m)->experts, seen = 0;
  const cJSON *wanted;
  for (int e = 0; e < (experts ? experts : 1); e++) {
    cJSON_ArrayForEach(wanted, linears) {
      bool router = strcmp(text(wanted, "role"), "router") == 0;
      bool own = strstr(text(wanted, "tensor"), "{e}") != NULL;
      if (!router && (own || e == 0)) {
        check_linear(m, seen++, wanted, own ? e : 0);
      }
    }
  }
  return seen;
}

static void check_folder(const char *folder, const cJSON *entry) {
  struct model *m;
  struct error err = {0};
  if (model_open(&m, folder, &err) != STATUS_OK) {
    fail_msg("%s", err.text);
  }
  assert_string_equal(model_type(m), text(entry, "model_type"));
  assert_int_equal(model_blocks(m), number(entry, "layers"));
  assert_int_equal(model_hidden(m), number(entry, "hidden"));
  assert_int_equal(model_vocab(m), number(entry, "vocab"));
  assert_int_equal(model_parameters(m), number(entry, "parameters"));
  bool tied = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "tied_head"));
  assert_int_equal(model_config(m)->tied, tied);
  int count;
  (void)model_linears(m, &count);
  assert_int_equal(check_linears(m, cJSON_GetObjectItemCaseSensitive(entry, "prunable_linears")),
                   count);
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
    check_folder(folder_path(folder, families, entry->string), entry);
    seen++;
  }
  cJSON_Delete(root);
  assert_true(seen > 0);
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
