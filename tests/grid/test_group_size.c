/* Sizes of groups from memory, numbers of variants and work. */
#include "files.h"

#include "grid/group_size.h"

/* A constant part, and one that is cut among the ranks. */
struct needs {
  double fixed, cut;
};

static double bytes_of(const void *user, int size) {
  const struct needs *n = user;
  return n->fixed + n->cut / size;
}

static struct group_answer ask(int ranks, size_t variants, double memory, struct needs needs,
                               double longest) {
  struct group_question q = {.ranks = ranks,
                             .variants = variants,
                             .longest = longest,
                             .memory = memory,
                             .bytes = bytes_of,
                             .user = &needs};
  return group_size_choose(&q);
}

static void a_rank_with_room_works_alone(void **state) {
  (void)state;
  struct group_answer a = ask(8, 100, 100, (struct needs){10, 60}, 1000);
  assert_true(a.size == 1 && a.reason == GROUP_FITS && a.alone == 70 && a.bytes == 70);
  assert_int_equal(ask(8, 8, 100, (struct needs){10, 60}, 1000).size, 1);
  assert_int_equal(ask(1, 3, 0, (struct needs){10, 60}, 1000).size, 1);
}

static void groups_are_no_larger_than_memory_asks_for(void **state) {
  (void)state;
  struct group_answer a = ask(12, 100, 100, (struct needs){20, 150}, 1000);
  assert_true(a.size == 3 && a.reason == GROUP_MEMORY && a.alone == 170 && a.bytes == 70);
  /* of 8 ranks, 3 are no group */
  assert_int_equal(ask(8, 100, 100, (struct needs){20, 150}, 1000).size, 4);
  /* a fifth of the memory stays free */
  assert_int_equal(ask(12, 100, 100, (struct needs){0, 161}, 1000).size, 3);
  assert_int_equal(ask(12, 100, 100, (struct needs){0, 160}, 1000).size, 2);
  assert_int_equal(ask(7, 100, 100, (struct needs){20, 150}, 1000).size, 7);
}

static void ranks_without_a_variant_join_others(void **state) {
  (void)state;
  struct needs little = {1, 1};
  struct group_answer a = ask(8, 3, 100, little, 1000);
  assert_true(a.size == 2 && a.reason == GROUP_IDLE);
  assert_int_equal(ask(8, 1, 100, little, 1000).size, 8);
  assert_int_equal(ask(8, 5, 100, little, 1000).size, 1);
  assert_int_equal(ask(6, 2, 100, little, 1000).size, 3);
  /* memory's size is the least */
  a = ask(8, 4, 100, (struct needs){20, 150}, 1000);
  assert_true(a.size == 4 && a.reason == GROUP_MEMORY);
  assert_int_equal(ask(8, 0, 100, little, 1000).size, 1);
}

static void little_work_is_not_cut(void **state) {
  (void)state;
  assert_int_equal(ask(8, 1, 100, (struct needs){1, 1}, GROUP_WORTH / 2).size, 1);
  assert_int_equal(ask(8, 1, 100, (struct needs){1, 1}, GROUP_WORTH).size, 8);
  assert_int_equal(ask(8, 1, 100, (struct needs){20, 150}, 0).size, 4); /* but what must be */
}

static void where_nothing_fits_the_least_is_taken(void **state) {
  (void)state;
  struct group_answer a = ask(4, 9, 10, (struct needs){20, 4}, 1000);
  assert_true(a.size == 4 && a.reason == GROUP_LACKS && a.bytes == 21);
  a = ask(4, 9, 10, (struct needs){20, 0}, 1000);
  assert_true(a.size == 1 && a.reason == GROUP_LACKS);
}

static struct scratch scratch;

static void write_grid(void) {
  const char *source = getenv("ESPALIER_SOURCE");
  char text[1200];
  (void)snprintf(text, sizeof text,
                 "models: [%s/experiments/demo/nano-llama]\n"
                 "methods: [magnitude, wanda, sparsegpt]\nsparsity: 0.5\n"
                 "calibration: {sets: [texts], samples: 4, length: 16}\ndatasets: [prose]\n",
                 source ? source : ".");
  scratch_write(&scratch, "grid.yaml", text);
  scratch_write(&scratch, "configs/calibration/texts.yaml", "source: texts.jsonl\nfield: text\n");
  scratch_write(&scratch, "configs/tasks/prose.yaml",
                "kind: language_modeling\ntype: perplexity\ndata: texts.jsonl\n"
                "text: \"{{text}}\"\njoin: \"\\n\"\nmetrics: [perplexity]\n");
  static char prose[1 << 15];
  size_t at = 0;
  for (int i = 0; i < 400; i++) {
    at += (size_t)snprintf(prose + at, sizeof prose - at,
                           "{\"text\": \"Line %d of a text that is %d words long or so.\"}\n", i,
                           i * 7 % 31);
  }
  scratch_write(&scratch, "data/texts.jsonl", prose);
}

static void a_plan_knows_what_its_variants_need(void **state) {
  (void)state;
  struct error err = {0};
  struct grid *g;
  struct plan *p;
  char path[300], text[GROUP_TEXT];
  scratch_open(&scratch);
  write_grid();
  (void)snprintf(path, sizeof path, "%s/grid.yaml", scratch.root);
  assert_ok(grid_open(&g, path, &scratch.places, &err));
  assert_ok(plan_create(&p, g, PLAN_FULL, &err));
  struct group_answer a = plan_group_size(p, 8, 8, 1e12);
  assert_true(a.size == 1 && a.reason == GROUP_FITS && a.alone > 1e6 && a.bytes == a.alone);
  group_size_describe(&a, p, 8, 1e12, text);
  assert_non_null(strstr(text, "1 rank on a variant (of 8)"));
  a = plan_group_size(p, 8, 8, 1.25 * (a.alone - 1)); /* a byte too few */
  assert_true(a.size == 2 && a.reason == GROUP_MEMORY && a.bytes < a.alone);
  /* what is there once on a machine counts less the more ranks it has */
  assert_true(plan_group_size(p, 8, 1, 1.25 * (a.alone - 1)).bytes > a.bytes);
  group_size_describe(&a, p, 8, 1e9, text);
  assert_non_null(strstr(text, "2 ranks on a variant (of 8)"));
  for (size_t i = 0; i < p->variant_count; i++) {
    p->variants[i].seconds = 100;
    p->variants[i].elsewhere = i > 1;
  }
  a = plan_group_size(p, 8, 8, 0);
  assert_true(a.size == 4 && a.reason == GROUP_IDLE);
  plan_free(p);
  grid_close(g);
  scratch_close(&scratch);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rank_with_room_works_alone),
      cmocka_unit_test(groups_are_no_larger_than_memory_asks_for),
      cmocka_unit_test(ranks_without_a_variant_join_others),
      cmocka_unit_test(little_work_is_not_cut),
      cmocka_unit_test(where_nothing_fits_the_least_is_taken),
      cmocka_unit_test(a_plan_knows_what_its_variants_need),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
