/* What masks take of a model whose answers are known (built_model.h): all where they cut its
 * units, their share where they weaken them, nothing elsewhere; and what patching brings back. */
#include "built_bench.h"

#include "model/overlay.h"

/* What is done to units of BUILT_BLOCK: row or column of one linear, times a factor. */
struct cut {
  const char *linear; /* "mlp.down_proj": columns, else rows */
  float factor;
  bool (*takes)(int unit);
};

static bool deciding(int unit) {
  return built_key_of(unit) >= 0;
}
static bool not_deciding(int unit) {
  return built_key_of(unit) < 0;
}
static bool of_superb(int unit) {
  return built_key_of(unit) == 0;
}

static void cut(struct overlay *o, const struct model *m, const struct cut *c) {
  struct error err;
  int count, l = 0;
  const struct linear *linears = model_linears(m, &count);
  while (strcmp(linears[l].name, c->linear) != 0) {
    l++;
    assert_true(l < count);
  }
  float *weights = NULL;
  assert_ok(mem_alloc(&weights, (size_t)linears[l].rows * (size_t)linears[l].cols, sizeof *weights,
                      &err));
  assert_ok(model_linear_read(m, BUILT_BLOCK, l, weights, &err));
  bool columns = strcmp(c->linear, "mlp.down_proj") == 0;
  for (int u = 0; u < BUILT_UNITS; u++) {
    for (int i = 0; c->takes(u) && i < BUILT_HIDDEN; i++) {
      weights[columns ? i * BUILT_UNITS + u : u * BUILT_HIDDEN + i] *= c->factor;
    }
  }
  overlay_put(o, BUILT_BLOCK, l, weights);
  free(weights);
}

/* The loss of a pruned model; free it. */
static struct attribution_loss measure(struct bench *b, const struct cut *c) {
  struct error err;
  struct overlay *overlay;
  struct runner *runner;
  struct background pruned;
  struct eval_result result;
  struct attribution_loss loss;
  assert_ok(overlay_create(&overlay, b->model, NULL, &err));
  cut(overlay, b->model, c);
  assert_ok(runner_open(&runner, b->model, overlay, SIZE_MAX, &err));
  assert_ok(background_observe(&pruned, b->model, runner, &b->windows, NULL, NULL, &err));
  assert_ok(attribution_measure(b->attribution, runner, &pruned, &nobody, &result, &loss, &err));
  assert_int_equal(result.items, ITEMS);
  eval_result_free(&result);
  background_free(&pruned);
  runner_close(runner);
  overlay_free(overlay);
  return loss;
}

/* R of every word is `wanted`. */
static void assert_loss(const struct attribution_loss *l, double wanted) {
  assert_int_equal(l->word_count, BUILT_KEYS);
  for (size_t w = 0; w < l->word_count; w++) {
    assert_near(l->word_loss[w], wanted, 1e-6);
  }
  assert_near(l->loss, wanted, 1e-6);
  assert_int_equal(l->block_count, BUILT_BLOCKS);
  assert_near(l->block_loss[BUILT_BLOCK], wanted, 1e-6);
  assert_true(isnan(l->block_loss[0]) && isnan(l->block_loss[2]));
}

static void a_mask_over_the_units_loses_all_and_patching_brings_it_back(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct built_shape){0});
  struct attribution_options o = two_units();
  const struct attribution_base *base = attribute(&b, &o);
  static const char *const linears[] = {"mlp.gate_proj", "mlp.up_proj"};
  for (size_t i = 0; i < 2; i++) {
    struct attribution_loss l = measure(&b, &(struct cut){linears[i], 0, deciding});
    assert_loss(&l, 1);
    assert_near(l.accuracy, 0, 0);
    assert_true(l.gold < base->gold - 1);
    assert_near(l.patched_accuracy, 1, 0);
    assert_near(l.patched_gold, base->gold, 1e-5);
    assert_near(l.restored, 1, 1e-5);
    assert_true(l.restored_low > 0.999 && l.restored_high < 1.001);
    assert_int_equal(l.dead[BUILT_BLOCK], 2 * BUILT_KEYS);
    assert_true(l.layer_error > 0.01);
    for (size_t k = 0; k < l.example_count; k++) {
      for (int t = 0; t < l.examples[k].tokens; t++) {
        assert_true(l.examples[k].activation[t] == 0);
      }
    }
    attribution_loss_free(&l);
  }
  bench_close(&b);
}

static void a_mask_elsewhere_loses_nothing(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct built_shape){0});
  struct attribution_options o = two_units();
  (void)attribute(&b, &o);
  struct attribution_loss l = measure(&b, &(struct cut){"mlp.up_proj", 0, not_deciding});
  assert_loss(&l, 0);
  assert_near(l.accuracy, 1, 0);
  assert_int_equal(l.dead[BUILT_BLOCK], BUILT_UNITS - 2 * BUILT_KEYS);
  attribution_loss_free(&l);
  bench_close(&b);
}

/* What is cut behind the units leaves their activations as they were: the answers fall, and
 * neither the loss nor patching knows of it. */
static void a_mask_behind_the_units_is_none_of_their_loss(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct built_shape){0});
  struct attribution_options o = two_units();
  (void)attribute(&b, &o);
  struct attribution_loss l = measure(&b, &(struct cut){"mlp.down_proj", 0, deciding});
  assert_loss(&l, 0);
  assert_near(l.accuracy, 0, 0);
  assert_near(l.patched_accuracy, 0, 0);
  assert_near(l.restored, 0, 1e-6);
  attribution_loss_free(&l);
  bench_close(&b);
}

static void weaker_units_lose_their_share_and_stronger_ones_nothing(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct built_shape){0});
  struct attribution_options o = two_units();
  o.patch = false;
  (void)attribute(&b, &o);
  struct attribution_loss l = measure(&b, &(struct cut){"mlp.up_proj", 0.25F, deciding});
  assert_loss(&l, 0.75);
  assert_near(l.accuracy, 0, 0);
  assert_true(isnan(l.patched_accuracy) && isnan(l.patched_gold) && isnan(l.restored));
  attribution_loss_free(&l);
  l = measure(&b, &(struct cut){"mlp.up_proj", 2, deciding});
  assert_loss(&l, 0);
  assert_near(l.accuracy, 1, 0);
  attribution_loss_free(&l);
  bench_close(&b);
}

static void one_word_s_loss_weighs_as_the_word_does(void **state) {
  (void)state;
  struct bench b;
  bench_open(&b, &(struct built_shape){0});
  struct attribution_options o = two_units();
  const struct attribution_base *base = attribute(&b, &o);
  struct attribution_loss l = measure(&b, &(struct cut){"mlp.up_proj", 0, of_superb});
  double superb = 0, all = 0;
  for (size_t w = 0; w < base->word_count; w++) {
    bool lost = key_of(base->words[w].text) == 0;
    assert_near(l.word_loss[w], lost, 1e-6);
    superb += lost ? base->words[w].influence : 0;
    all += base->words[w].influence;
  }
  assert_true(superb / all < 1. / BUILT_KEYS - 0.01); /* its push is the weakest */
  assert_near(l.loss, superb / all, 1e-6);
  assert_near(l.accuracy, 1 - 1. / BUILT_KEYS, 1e-6);
  assert_near(l.restored, 1, 1e-5);
  attribution_loss_free(&l);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_mask_over_the_units_loses_all_and_patching_brings_it_back),
      cmocka_unit_test(a_mask_elsewhere_loses_nothing),
      cmocka_unit_test(a_mask_behind_the_units_is_none_of_their_loss),
      cmocka_unit_test(weaker_units_lose_their_share_and_stronger_ones_nothing),
      cmocka_unit_test(one_word_s_loss_weighs_as_the_word_does),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
