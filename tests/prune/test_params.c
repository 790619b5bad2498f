#include "prune/method.h"
#include "support.h"

static void sparsity_round_trips_in_canonical_form(void **state) {
  (void)state;
  const char *const pairs[][2] = {{"0.50", "0.5"},    {"0", "0"},      {"0.0", "0"},
                                  {"5e-1", "0.5"},    {".25", "0.25"}, {"0.1", "0.1"},
                                  {"0.333", "0.333"}, {"2:4", "2:4"},  {"02:4", "2:4"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    struct sparsity s;
    struct error err;
    char text[32];
    assert_ok(sparsity_parse(&s, pairs[i][0], &err));
    sparsity_print(&s, text);
    assert_string_equal(text, pairs[i][1]);
  }
}

static void sparsity_gives_the_promised_share_of_zeros(void **state) {
  (void)state;
  struct sparsity s;
  struct error err;
  assert_ok(sparsity_parse(&s, "0.8", &err));
  assert_true(sparsity_zeros(&s) == 0.8);
  assert_ok(sparsity_parse(&s, "1:4", &err));
  assert_true(sparsity_zeros(&s) == 0.25);
}

static void sparsity_refuses_what_cannot_be(void **state) {
  (void)state;
  const char *const bad[][2] = {{"1.0", "0 <= share < 1"},    {"1", "0 <= share < 1"},
                                {"-0.1", "0 <= share < 1"},   {"3:2", "0 < n < m"},
                                {"4:4", "0 < n < m"},         {"0:4", "0 < n < m"},
                                {"abc", "expected a share"},  {"", "expected a share"},
                                {"nan", "expected a share"},  {"inf", "expected a share"},
                                {"0.5x", "expected a share"}, {"0x1p-1", "expected a share"},
                                {" 0.5", "expected a share"}, {"2:", "expected n:m"},
                                {":4", "expected n:m"},       {"2:4:8", "expected n:m"},
                                {"-2:4", "expected n:m"},     {"2:99999999999", "expected n:m"}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct sparsity s;
    struct error err;
    assert_fails(sparsity_parse(&s, bad[i][0], &err), STATUS_INPUT, bad[i][1]);
  }
}

static void methods_are_found_by_name_with_distinct_names(void **state) {
  (void)state;
  size_t count;
  const struct method *all = methods_all(&count);
  assert_in_range(count, 5, 100);
  for (size_t i = 0; i < count; i++) {
    assert_ptr_equal(method_find(all[i].name), &all[i]);
    assert_true(!all[i].needs_factor || method_param_index(&all[i], "damp") >= 0);
    assert_true(!all[i].needs_factor || (all[i].needs & STATS_GRAM));
  }
  assert_null(method_find("wandas"));
}

static void params_have_the_papers_defaults_as_canonical_json(void **state) {
  (void)state;
  const char *const want[][2] = {{"dense", "{}"},
                                 {"magnitude", "{}"},
                                 {"wanda", "{}"},
                                 {"sparsegpt", "{\"blocksize\":128,\"damp\":0.01}"},
                                 {"ria", "{\"a\":0.5,\"scope\":\"layer\"}"}};
  for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
    const struct method *m = method_find(want[i][0]);
    struct params p = method_defaults(m);
    struct error err;
    char *json;
    assert_ok(method_params_json(m, &p, &json, &err));
    assert_string_equal(json, want[i][1]);
    free(json);
  }
}

static void params_are_set_from_text(void **state) {
  (void)state;
  const struct method *s = method_find("sparsegpt"), *r = method_find("ria");
  struct params p = method_defaults(s);
  struct error err;
  char *json;
  assert_ok(method_param_set(s, &p, "blocksize", "64", &err));
  assert_ok(method_param_set(s, &p, "damp", "1e-1", &err));
  assert_ok(method_params_json(s, &p, &json, &err));
  assert_string_equal(json, "{\"blocksize\":64,\"damp\":0.1}");
  free(json);
  p = method_defaults(r);
  assert_ok(method_param_set(r, &p, "scope", "row", &err));
  assert_ok(method_params_json(r, &p, &json, &err));
  assert_string_equal(json, "{\"a\":0.5,\"scope\":\"row\"}");
  free(json);
}

static void params_refuse_names_ranges_and_kinds(void **state) {
  (void)state;
  const char *const bad[][4] = {
      {"sparsegpt", "blocksizes", "64", "did you mean 'blocksize'?"},
      {"sparsegpt", "blocksize", "0", "expected 1 to 4096"},
      {"sparsegpt", "blocksize", "1.5", "expected a whole number"},
      {"sparsegpt", "blocksize", "many", "expected a whole number"},
      {"sparsegpt", "damp", "-0.01", "expected 0 to"},
      {"sparsegpt", "damp", "nan", "expected a number"},
      {"ria", "scope", "column", "expected layer or row"},
      {"ria", "a", "-1", "expected 0 to 4"},
      {"wanda", "a", "1", "method wanda has no parameter 'a'"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const struct method *m = method_find(bad[i][0]);
    struct params p = method_defaults(m), before = p;
    struct error err;
    assert_fails(method_param_set(m, &p, bad[i][1], bad[i][2], &err), STATUS_INPUT, bad[i][3]);
    assert_memory_equal(&p, &before, sizeof p);
  }
}

static void sparsegpt_refuses_blocks_that_cut_a_group(void **state) {
  (void)state;
  const struct method *m = method_find("sparsegpt");
  struct params p = method_defaults(m);
  struct error err;
  const struct sparsity pattern = {.n = 4, .m = 8}, share = {.ratio = 0.5};
  assert_ok(method_check(m, &p, &pattern, &err));
  assert_ok(method_param_set(m, &p, "blocksize", "100", &err));
  assert_ok(method_check(m, &p, &share, &err));
  assert_fails(method_check(m, &p, &pattern, &err), STATUS_INPUT, "not a multiple of the 8");
}

static void a_pattern_that_does_not_divide_the_inputs_is_refused(void **state) {
  (void)state;
  const struct method *m = method_find("magnitude");
  struct params p = method_defaults(m);
  struct error err;
  float w[172] = {1};
  struct prune_task task = {
      .weights = w, .rows = 1, .cols = 172, .sparsity = {.n = 4, .m = 8}, .params = &p};
  assert_fails(method_prune(m, &task, &err), STATUS_INPUT, "172 inputs, not a multiple of 8");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sparsity_round_trips_in_canonical_form),
      cmocka_unit_test(sparsity_gives_the_promised_share_of_zeros),
      cmocka_unit_test(sparsity_refuses_what_cannot_be),
      cmocka_unit_test(methods_are_found_by_name_with_distinct_names),
      cmocka_unit_test(params_have_the_papers_defaults_as_canonical_json),
      cmocka_unit_test(params_are_set_from_text),
      cmocka_unit_test(params_refuse_names_ranges_and_kinds),
      cmocka_unit_test(sparsegpt_refuses_blocks_that_cut_a_group),
      cmocka_unit_test(a_pattern_that_does_not_divide_the_inputs_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
