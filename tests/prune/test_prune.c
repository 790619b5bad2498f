/* The driver, on tiny checkpoints. */
#include <math.h>

#include "linalg/matmul.h"
#include "pruning.h"

static const struct group *alone(void) {
  static struct group g;
  g = group_single();
  return &g;
}

static struct prune_options options(const struct pruning *p, const char *method,
                                    const char *sparsity) {
  return pruning_options(p->model, &p->ids, method, sparsity, alone());
}

static struct kept prune(const struct pruning *p, const struct prune_options *o,
                         struct prune_layer *layers) {
  struct kept kept = {.model = p->model};
  struct prune_sink sink = {.user = &kept, .put = kept_put};
  struct error err;
  assert_ok(prune_model(p->model, o, &sink, layers, &err));
  return kept;
}

static const char *const methods[] = {"magnitude", "wanda", "sparsegpt", "ria"};
static const char *const sparsities[] = {"0.5", "0.8", "2:4", "4:8"};
static const char *const types[] = {"llama", "opt"};

static double zero_share(const float *w, size_t n) {
  size_t zeros = 0;
  for (size_t i = 0; i < n; i++) {
    zeros += w[i] == 0;
  }
  return (double)zeros / (double)n;
}

/* Wanda's rows and all patterns hold the share exactly; a threshold takes one more and its ties. */
static void check_layers(const struct pruning *p, const struct prune_options *o,
                         const struct kept *kept, const struct prune_layer *layers) {
  int count;
  const struct linear *linears = model_linears(p->model, &count);
  const float *w = kept->weights;
  bool exact = o->sparsity.m || strcmp(o->method->name, "wanda") == 0;
  bool gram = o->method->needs & STATS_GRAM;
  for (size_t i = 0; i < pruning_layers(p->model); i++) {
    const struct linear *l = &linears[layers[i].linear];
    size_t n = (size_t)l->rows * (size_t)l->cols;
    double want = sparsity_zeros(&o->sparsity);
    want = o->sparsity.m ? want : floor(want * l->cols) / l->cols;
    assert_int_equal(layers[i].block * count + layers[i].linear, i);
    assert_true(layers[i].sparsity == zero_share(w, n));
    assert_true(exact ? layers[i].sparsity == want : layers[i].sparsity > want - 1e-12);
    assert_true(layers[i].sparsity < want + 0.05);
    assert_true(gram ? layers[i].relative_error > 0 && layers[i].relative_error < 1
                     : isnan(layers[i].relative_error));
    assert_true(gram ? layers[i].damp == 0.01 : isnan(layers[i].damp));
    assert_true(layers[i].seconds >= 0);
    w += n;
  }
  assert_ptr_equal(w, kept->weights + kept->count);
}

static void every_linear_gets_the_promised_sparsity(void **state) {
  (void)state;
  for (size_t t = 0; t < 2; t++) {
    struct pruning p;
    struct error err;
    assert_ok(pruning_open(&p, types[t], &err));
    struct prune_layer *layers = calloc(pruning_layers(p.model), sizeof *layers);
    for (size_t m = 0; m < 4; m++) {
      for (size_t s = 0; s < 4; s++) {
        struct prune_options o = options(&p, methods[m], sparsities[s]);
        struct kept kept = prune(&p, &o, layers);
        check_layers(&p, &o, &kept, layers);
        kept_free(&kept);
      }
    }
    free(layers);
    pruning_close(&p);
  }
}

static void bits_depend_neither_on_the_run_nor_on_threads(void **state) {
  (void)state;
  int before = linalg_threads();
  struct pruning p;
  struct error err;
  assert_ok(pruning_open(&p, "llama", &err));
  for (size_t m = 0; m < 4; m++) {
    struct prune_options o = options(&p, methods[m], m % 2 ? "2:4" : "0.5");
    linalg_set_threads(1);
    struct kept first = prune(&p, &o, NULL);
    linalg_set_threads(2);
    struct kept second = prune(&p, &o, NULL), third = prune(&p, &o, NULL);
    assert_int_equal(first.count, second.count);
    assert_memory_equal(first.weights, second.weights, first.count * sizeof *first.weights);
    assert_memory_equal(second.weights, third.weights, first.count * sizeof *first.weights);
    kept_free(&first);
    kept_free(&second);
    kept_free(&third);
  }
  linalg_set_threads(before);
  pruning_close(&p);
}

struct seen {
  struct stats *stats;
};

static status see(void *user, int input, float *x, int rows, const struct batch *batch,
                  struct error *err) {
  struct seen *seen = user;
  return stats_add(&seen->stats[input], x, rows, batch->count, err);
}

/* Runs one sequence through the blocks before `stop` (as the overlay has them), then through `stop`
 * from the checkpoint with a tap. */
static void observe(const struct model *m, struct overlay *overlay, const int32_t *ids,
                    size_t length, int stop, struct seen *seen) {
  struct error err;
  struct workspace *w;
  struct block *b;
  struct span span = {.first = 0, .length = (int32_t)length};
  struct batch batch = {.ids = ids, .tokens = (int32_t)length, .spans = &span, .count = 1};
  struct tap tap = {.user = seen, .see = see};
  float *x = malloc(length * (size_t)model_hidden(m) * sizeof *x);
  assert_ok(workspace_create(&w, m, &err));
  assert_ok(block_create(&b, m, &err));
  assert_ok(forward_embed(m, w, &batch, x, &err));
  for (int i = 0; i <= stop; i++) {
    assert_ok(block_load(b, i, i < stop ? overlay : NULL, &err));
    assert_ok(forward_block(b, w, &batch, x, i < stop ? NULL : &tap, &err));
  }
  free(x);
  block_free(b);
  workspace_free(w);
}

/* The last block's masks, made here from statistics gathered sequence by sequence. */
static void inputs_come_from_pruned_blocks_and_share_one_pass(void **state) {
  (void)state;
  struct pruning p;
  struct error err;
  assert_ok(pruning_open(&p, "llama", &err));
  struct prune_options o = options(&p, "wanda", "0.5");
  struct overlay *overlay;
  assert_ok(overlay_create(&overlay, p.model, NULL, &err));
  struct prune_sink sink = prune_into_overlay(overlay);
  assert_ok(prune_model(p.model, &o, &sink, NULL, &err));
  int count, last = model_blocks(p.model) - 1;
  const struct linear *linears = model_linears(p.model, &count);
  struct stats stats[8] = {{0}};
  for (int i = 0; i < count; i++) {
    if (!stats[linears[i].input].cols) {
      assert_ok(stats_create(&stats[linears[i].input], linears[i].cols, STATS_SQUARES, &err));
    }
  }
  for (size_t i = 0; i < p.ids.count; i++) {
    struct seen seen = {.stats = stats};
    observe(p.model, overlay, sequences_at(&p.ids, i), sequences_length(&p.ids, i), last, &seen);
  }
  size_t other = 0, all = 0;
  for (int i = 0; i < count; i++) {
    size_t n = (size_t)linears[i].rows * (size_t)linears[i].cols;
    float *w = malloc(n * sizeof *w);
    const float *got = overlay_weights(overlay, last, i);
    struct prune_task task = {.weights = w,
                              .rows = linears[i].rows,
                              .cols = linears[i].cols,
                              .stats = &stats[linears[i].input],
                              .sparsity = o.sparsity,
                              .params = &o.params};
    assert_true(overlay_has(overlay, last, i));
    assert_int_equal(stats[linears[i].input].samples, p.ids.count);
    assert_ok(model_linear_read(p.model, last, i, w, &err));
    assert_ok(method_prune(o.method, &task, &err));
    for (size_t j = 0; j < n; j++) {
      other += w[j] != got[j];
    }
    all += n;
    free(w);
  }
  assert_true(other * 1000 <= all); /* batches round differently from single sequences */
  for (size_t i = 0; i < 8; i++) {
    stats_free(&stats[i]);
  }
  overlay_free(overlay);
  pruning_close(&p);
}

static void dense_and_no_sparsity_put_nothing_and_count_zeros(void **state) {
  (void)state;
  struct pruning p;
  struct error err;
  assert_ok(pruning_open(&p, "llama", &err));
  struct prune_layer *layers = calloc(pruning_layers(p.model), sizeof *layers);
  const char *const cases[][2] = {{"dense", "0.5"}, {"wanda", "0"}, {"sparsegpt", "0"}};
  for (size_t i = 0; i < 3; i++) {
    struct prune_options o = options(&p, cases[i][0], cases[i][1]);
    o.calibration = NULL;
    struct kept kept = prune(&p, &o, layers);
    assert_int_equal(kept.puts, 0);
    assert_true(layers[3].sparsity < 0.05 && isnan(layers[3].damp));
    kept_free(&kept);
  }
  free(layers);
  pruning_close(&p);
}

static void what_cannot_work_is_refused_first(void **state) {
  (void)state;
  struct pruning p;
  struct error err;
  assert_ok(pruning_open(&p, "llama", &err));
  struct kept kept = {.model = p.model};
  struct prune_sink sink = {.user = &kept, .put = kept_put};
  struct prune_options o = options(&p, "wanda", "8:16");
  assert_fails(prune_model(p.model, &o, &sink, NULL, &err), STATUS_INPUT,
               "linear mlp.down_proj has 40 inputs, not a multiple of 16");
  o = options(&p, "wanda", "0.5");
  o.calibration = NULL;
  assert_fails(prune_model(p.model, &o, &sink, NULL, &err), STATUS_INPUT, "calibration");
  struct sequences none = {0}, longer = {0};
  o.calibration = &none;
  assert_fails(prune_model(p.model, &o, &sink, NULL, &err), STATUS_INPUT, "there is none");
  int32_t ids[PRUNING_POSITIONS + 1] = {3};
  assert_ok(sequences_add(&longer, ids, 2, &err));
  assert_ok(sequences_add(&longer, ids, PRUNING_POSITIONS + 1, &err));
  o.calibration = &longer;
  assert_fails(prune_model(p.model, &o, &sink, NULL, &err), STATUS_INPUT,
               "calibration sequence 2 has 65 tokens");
  assert_int_equal(kept.puts, 0);
  sequences_free(&longer);
  pruning_close(&p);
}

struct watch {
  double last;
  int calls, stop_after;
};

static status watch(void *user, double done, struct error *err) {
  struct watch *w = user;
  assert_true(done > w->last && done <= 1);
  w->last = done;
  w->calls++;
  return w->calls == w->stop_after ? err_set(err, STATUS_TIME, "time is up") : STATUS_OK;
}

static void progress_rises_to_one_and_may_stop_the_work(void **state) {
  (void)state;
  struct pruning p;
  struct error err;
  assert_ok(pruning_open(&p, "opt", &err));
  const char *const names[] = {"dense", "magnitude", "wanda", "sparsegpt"};
  for (size_t i = 0; i < 4; i++) {
    struct watch w = {.last = 0};
    struct prune_options o = options(&p, names[i], "0.5");
    o.progress = watch;
    o.progress_user = &w;
    struct kept kept = prune(&p, &o, NULL);
    assert_true(w.last == 1);
    assert_in_range(w.calls, model_blocks(p.model), 1000);
    kept_free(&kept);
    struct prune_sink sink = {.user = &kept, .put = kept_put};
    w = (struct watch){.stop_after = w.calls / 2 + 1};
    assert_fails(prune_model(p.model, &o, &sink, NULL, &err), STATUS_TIME, "time is up");
    kept_free(&kept);
  }
  pruning_close(&p);
}

static status refuse(void *user, int block, int linear, const float *weights, struct error *err) {
  (void)user;
  (void)weights;
  return block == 1 && linear == 2 ? err_set(err, STATUS_IO, "disk full") : STATUS_OK;
}

static void a_refusing_sink_ends_the_work_with_its_error(void **state) {
  (void)state;
  struct pruning p;
  struct error err;
  assert_ok(pruning_open(&p, "llama", &err));
  struct prune_options o = options(&p, "sparsegpt", "2:4");
  struct prune_sink sink = {.put = refuse};
  assert_fails(prune_model(p.model, &o, &sink, NULL, &err), STATUS_IO, "disk full");
  pruning_close(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_linear_gets_the_promised_sparsity),
      cmocka_unit_test(bits_depend_neither_on_the_run_nor_on_threads),
      cmocka_unit_test(inputs_come_from_pruned_blocks_and_share_one_pass),
      cmocka_unit_test(dense_and_no_sparsity_put_nothing_and_count_zeros),
      cmocka_unit_test(what_cannot_work_is_refused_first),
      cmocka_unit_test(progress_rises_to_one_and_may_stop_the_work),
      cmocka_unit_test(a_refusing_sink_ends_the_work_with_its_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
