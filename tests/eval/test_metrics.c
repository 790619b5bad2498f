/* Aggregates and standard errors against lm-evaluation-harness's own numbers. */
#include "support.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "base/file.h"
#include "eval/metrics.h"

static char reference[1024];
static cJSON *cases;

static size_t ints_of(const cJSON *list, int32_t *out, size_t most) {
  size_t n = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    assert_true(n < most);
    out[n++] = item->valueint;
  }
  return n;
}

static size_t doubles_of(const cJSON *list, double *out, size_t most) {
  size_t n = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    assert_true(n < most);
    out[n++] = item->valuedouble;
  }
  return n;
}

static void assert_near(double got, const cJSON *want, const char *what) {
  if (!cJSON_IsNumber(want)) {
    assert_true(isnan(got));
    return;
  }
  double scale = fabs(want->valuedouble) > 1 ? fabs(want->valuedouble) : 1;
  if (!(fabs(got - want->valuedouble) <= 1e-12 * scale)) {
    fail_msg("%s: %.17g, wanted %.17g", what, got, want->valuedouble);
  }
}

enum { MOST = 4096 };

static int labels_of(const int32_t *gold, const int32_t *pred, size_t n) {
  int most = 1;
  for (size_t i = 0; i < n; i++) {
    most = gold[i] > most ? gold[i] : most;
    most = pred[i] > most ? pred[i] : most;
  }
  return most + 1;
}

static const cJSON *get(const cJSON *map, const char *key) {
  return cJSON_GetObjectItemCaseSensitive(map, key);
}

static void check_labels(const char *name, enum bootstrap_of what) {
  static int32_t gold[MOST], pred[MOST];
  struct error err;
  const cJSON *item;
  int checked = 0;
  cJSON_ArrayForEach(item, get(cases, name)) {
    size_t n = ints_of(get(item, "gold"), gold, MOST);
    assert_int_equal(ints_of(get(item, "pred"), pred, MOST), n);
    int labels = labels_of(gold, pred, n), iterations = get(item, "iterations")->valueint;
    double value =
        what == BOOTSTRAP_F1 ? metric_f1(gold, pred, n) : metric_mcc(gold, pred, n, labels);
    double error;
    assert_near(value, get(item, "value"), name);
    assert_ok(metric_bootstrap_labels(what, gold, pred, n, labels, iterations, &error, &err));
    assert_near(error, get(item, "stderr"), name);
    checked++;
  }
  assert_true(checked > 3);
}

static void f1_and_its_bootstrap_are_the_harness_s(void **state) {
  (void)state;
  check_labels("f1", BOOTSTRAP_F1);
}

static void mcc_and_its_bootstrap_are_the_harness_s(void **state) {
  (void)state;
  check_labels("mcc", BOOTSTRAP_MCC);
}

static void macro_f1_is_the_mean_of_one_vs_rest(void **state) {
  (void)state;
  static int32_t gold[MOST], pred[MOST];
  const cJSON *item;
  int checked = 0;
  cJSON_ArrayForEach(item, get(cases, "cb_f1")) {
    size_t n = ints_of(get(item, "gold"), gold, MOST);
    (void)ints_of(get(item, "pred"), pred, MOST);
    assert_near(metric_f1_macro(gold, pred, n, 3), get(item, "value"), "cb_f1");
    checked++;
  }
  assert_true(checked > 1);
}

static void means_have_the_closed_form_error(void **state) {
  (void)state;
  static double values[MOST];
  const cJSON *item;
  int checked = 0;
  cJSON_ArrayForEach(item, get(cases, "mean")) {
    size_t n = doubles_of(get(item, "items"), values, MOST);
    assert_near(metric_mean(values, n), get(item, "value"), "mean");
    assert_near(metric_mean_stderr(values, n), get(item, "stderr"), "mean's stderr");
    checked++;
  }
  assert_true(checked > 1);
}

static void perplexity_and_its_bootstrap_are_the_harness_s(void **state) {
  (void)state;
  static double values[MOST];
  struct error err;
  const cJSON *item;
  int checked = 0;
  cJSON_ArrayForEach(item, get(cases, "perplexity")) {
    size_t n = doubles_of(get(item, "items"), values, MOST);
    double error;
    assert_near(metric_perplexity(values, n), get(item, "value"), "perplexity");
    const cJSON *iterations = get(item, "iterations");
    assert_ok(metric_bootstrap_perplexity(values, n, iterations ? iterations->valueint : 0, &error,
                                          &err));
    assert_near(error, get(item, "stderr"), "perplexity's stderr");
    checked++;
  }
  assert_true(checked > 1);
}

int main(void) {
  if (!support_folder("reference", reference, sizeof reference)) {
    return support_skip("eval.metrics", "no reference folder");
  }
  struct error err;
  char path[1200], *bytes;
  size_t size;
  (void)snprintf(path, sizeof path, "%s/harness/metrics.json", reference);
  if (file_read(&bytes, &size, path, &err) != STATUS_OK) {
    return support_skip("eval.metrics", "no harness/metrics.json");
  }
  cases = cJSON_Parse(bytes);
  free(bytes);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(f1_and_its_bootstrap_are_the_harness_s),
      cmocka_unit_test(mcc_and_its_bootstrap_are_the_harness_s),
      cmocka_unit_test(macro_f1_is_the_mean_of_one_vs_rest),
      cmocka_unit_test(means_have_the_closed_form_error),
      cmocka_unit_test(perplexity_and_its_bootstrap_are_the_harness_s),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  cJSON_Delete(cases);
  return failed;
}
