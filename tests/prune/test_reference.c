/* The methods against the authors' code, on every case of the reference layers. */
#include <math.h>

#include "layers.h"
#include "prune/relative_error.h"

static struct layers layers;

static size_t zeros(const float *w, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    count += w[i] == 0;
  }
  return count;
}

/* Prunes every array of every case that one method made, and returns how many there were. */
static int check_method(const char *method, double tolerance) {
  const struct group alone = group_single();
  int checked = 0;
  const cJSON *c, *array;
  cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(layers.index, "cases")) {
    cJSON_ArrayForEach(array, cJSON_GetObjectItemCaseSensitive(c, "arrays")) {
      struct layer_wish wish;
      struct error err;
      if (!layers_understand(array->string, &wish) || strcmp(wish.method->name, method) != 0) {
        continue;
      }
      float *got;
      size_t other, n = (size_t)layers_number(c, "rows") * (size_t)layers_number(c, "cols");
      double apart;
      assert_ok(layers_prune(&layers, c, &wish, FACTOR_LOCAL, &alone, &got, &err));
      assert_true(layers_compare(&layers, c, array->string, got, &other, &apart));
      if (other != 0 || apart > tolerance || (int)zeros(got, n) != layers_number(array, "zeros")) {
        fail_msg("%s %s: %zu mask bits differ, weights by %g, zeros %zu of %d", c->string,
                 array->string, other, apart, zeros(got, n), layers_number(array, "zeros"));
      }
      free(got);
      checked++;
    }
  }
  return checked;
}

static void magnitude_prunes_what_the_authors_prune(void **state) {
  (void)state;
  assert_in_range(check_method("magnitude", 0), 9, 1000);
}

static void wanda_prunes_what_the_authors_prune(void **state) {
  (void)state;
  assert_in_range(check_method("wanda", 0), 9, 1000);
}

static void ria_prunes_what_the_authors_prune_by_row_and_by_layer(void **state) {
  (void)state;
  assert_in_range(check_method("ria", 0), 12, 1000);
}

static void sparsegpt_prunes_and_updates_as_the_authors(void **state) {
  (void)state;
  assert_in_range(check_method("sparsegpt", 1e-5), 9, 1000);
}

static void factor_is_the_authors_factor(void **state) {
  (void)state;
  const struct group alone = group_single();
  const cJSON *c;
  int checked = 0;
  cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(layers.index, "cases")) {
    size_t cols = (size_t)layers_number(c, "cols");
    float *want = layers_read(&layers, c, "Hinv_chol_upper", cols * cols);
    if (!want) {
      continue;
    }
    struct stats stats;
    struct error err;
    double used, largest = 0, apart = 0;
    float *h = malloc(cols * cols * sizeof *h);
    assert_ok(layers_stats(&layers, c, &stats, &err));
    hessian_fill(&stats, h);
    assert_ok(factor_inverse_upper(h, (int)cols, 0.01, FACTOR_LOCAL, &alone, &used, &err));
    assert_true(used == 0.01);
    for (size_t i = 0; i < cols * cols; i++) {
      largest = fmax(largest, fabs((double)want[i]));
      apart = fmax(apart, fabs((double)want[i] - (double)h[i]));
    }
    assert_true(apart < 1e-5 * largest);
    stats_free(&stats);
    free(h);
    free(want);
    checked++;
  }
  assert_in_range(checked, 3, 1000);
}

static void statistics_are_the_authors_statistics(void **state) {
  (void)state;
  const cJSON *c;
  int checked = 0;
  cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(layers.index, "cases")) {
    size_t cols = (size_t)layers_number(c, "cols");
    float *squares = layers_read(&layers, c, "scaler_row", cols);
    float *sums = layers_read(&layers, c, "dsnot_sum_metric_row", cols);
    struct stats stats;
    struct error err;
    assert_ok(layers_stats(&layers, c, &stats, &err));
    assert_int_equal(stats.samples, layers_number(c, "samples"));
    assert_int_equal(stats.tokens, stats.samples * layers_number(c, "tokens_per_sample"));
    double per = (double)stats.samples;
    for (size_t j = 0; j < cols; j++) {
      if (squares) {
        assert_true(fabs(stats.squares[j] / per - (double)squares[j]) <= 2e-6 * (double)squares[j]);
      }
      if (sums) {
        assert_true(fabs(stats.sums[j] / per - (double)sums[j]) < 1e-4);
      }
    }
    checked += squares != NULL;
    stats_free(&stats);
    free(squares);
    free(sums);
  }
  assert_in_range(checked, 3, 1000);
}

static void relative_error_is_the_error_of_the_outputs(void **state) {
  (void)state;
  const cJSON *c, *array;
  int checked = 0;
  cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(layers.index, "cases")) {
    int rows = layers_number(c, "rows"), cols = layers_number(c, "cols");
    size_t n = (size_t)rows * (size_t)cols;
    struct stats stats;
    struct error err;
    assert_ok(layers_stats(&layers, c, &stats, &err));
    cJSON_ArrayForEach(array, cJSON_GetObjectItemCaseSensitive(c, "arrays")) {
      const cJSON *want = cJSON_GetObjectItemCaseSensitive(array, "out_rel_err");
      float *pruned = want ? layers_read(&layers, c, array->string, n) : NULL;
      if (pruned) {
        float *w = layers_read(&layers, c, "W", n);
        double got;
        assert_ok(relative_error(w, pruned, rows, cols, stats.gram, &got, &err));
        assert_true(fabs(got - want->valuedouble) < 1e-5);
        free(w);
        checked++;
      }
      free(pruned);
    }
    stats_free(&stats);
  }
  assert_in_range(checked, 30, 10000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(magnitude_prunes_what_the_authors_prune),
      cmocka_unit_test(wanda_prunes_what_the_authors_prune),
      cmocka_unit_test(ria_prunes_what_the_authors_prune_by_row_and_by_layer),
      cmocka_unit_test(sparsegpt_prunes_and_updates_as_the_authors),
      cmocka_unit_test(factor_is_the_authors_factor),
      cmocka_unit_test(statistics_are_the_authors_statistics),
      cmocka_unit_test(relative_error_is_the_error_of_the_outputs),
  };
  if (!layers_open(&layers)) {
    return support_skip("prune.reference", "no reference layers");
  }
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  layers_close(&layers);
  return failed;
}
