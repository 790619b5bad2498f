/* Prunings that share a dense pass, beside the same prunings alone. */
#include <cjson/cJSON.h>
#include <math.h>

#include "base/file.h"
#include "pruning.h"

enum { SEQUENCES = 128, INPUTS = 64 };
static const int snapshots[] = {1, 16, 32, 64, SEQUENCES};
enum { SNAPSHOTS = sizeof snapshots / sizeof snapshots[0] };
static const double damps[] = {0.01, 0.1};

static const struct group *alone(void) {
  static struct group g;
  g = group_single();
  return &g;
}

static struct shared_pass_options pass_options(const struct sequences *ids, int blocks) {
  return (struct shared_pass_options){.calibration = ids,
                                      .group = alone(),
                                      .blocks = blocks,
                                      .samples = snapshots,
                                      .count = SNAPSHOTS,
                                      .needs = STATS_SQUARES | STATS_GRAM,
                                      .damps = damps,
                                      .damp_count = 1};
}

static void open_long(struct pruning *p, const char *type) {
  struct error err;
  assert_ok(pruning_open(p, type, &err));
  sequences_free(&p->ids);
  pruning_ids(&p->ids, SEQUENCES);
}

static struct overlay *prune(const struct model *m, const struct prune_options *o,
                             struct prune_layer *layers) {
  struct overlay *overlay;
  struct error err;
  assert_ok(overlay_create(&overlay, m, NULL, &err));
  struct prune_sink sink = prune_into_overlay(overlay);
  assert_ok(prune_model(m, o, &sink, layers, &err));
  return overlay;
}

static bool same_weights(const struct model *m, struct overlay *a, struct overlay *b, int block) {
  int count;
  const struct linear *l = model_linears(m, &count);
  bool same = true;
  for (int i = 0; i < count; i++) {
    size_t bytes = (size_t)l[i].rows * (size_t)l[i].cols * sizeof(float);
    assert_true(overlay_has(a, block, i) && overlay_has(b, block, i));
    same = same && memcmp(overlay_weights(a, block, i), overlay_weights(b, block, i), bytes) == 0;
  }
  return same;
}

static bool same_number(double a, double b) {
  return a == b || (isnan(a) && isnan(b));
}

/* Weights and all that is told about them, to the bit. */
static void check_same(const struct pruning *p, struct prune_options o, struct shared_pass *pass) {
  size_t count = pruning_layers(p->model);
  struct prune_layer *want = calloc(count, sizeof *want), *got = calloc(count, sizeof *got);
  o.shared = NULL;
  struct overlay *direct = prune(p->model, &o, want);
  o.shared = pass;
  struct overlay *shared = prune(p->model, &o, got);
  for (int b = 0; b < model_blocks(p->model); b++) {
    assert_true(same_weights(p->model, direct, shared, b));
  }
  for (size_t i = 0; i < count; i++) {
    assert_true(got[i].block == want[i].block && got[i].linear == want[i].linear);
    assert_true(same_number(got[i].sparsity, want[i].sparsity));
    assert_true(same_number(got[i].relative_error, want[i].relative_error));
    assert_true(same_number(got[i].damp, want[i].damp));
  }
  overlay_free(direct);
  overlay_free(shared);
  free(want);
  free(got);
}

static void check_all(const struct pruning *p, enum propagate propagate, struct shared_pass *pass) {
  static const struct {
    const char *method, *sparsity;
    int damp;
  } cases[] = {{"wanda", "0.5", 0},
               {"ria", "2:4", 0},
               {"sparsegpt", "0.5", 0},
               {"sparsegpt", "4:8", 0},
               {"sparsegpt", "0.8", 1}};
  for (size_t s = 0; s < SNAPSHOTS; s++) {
    struct sequences first = p->ids;
    first.count = (size_t)snapshots[s];
    /* the first three each time, one of the others */
    for (size_t i = 0; i < 4; i++) {
      size_t k = i < 3 ? i : 3 + s % 2;
      struct prune_options o =
          pruning_options(p->model, &first, cases[k].method, cases[k].sparsity, alone());
      o.propagate = propagate;
      if (cases[k].damp) { /* not one that the pass keeps factors of */
        o.params.value[method_param_index(o.method, "damp")] = damps[cases[k].damp];
      }
      check_same(p, o, pass);
    }
  }
}

/* 128 sequences are several batches, and most snapshots fall inside one. */
static void nested_samples_equal_direct_runs_bit_for_bit(void **state) {
  (void)state;
  static const char *const types[] = {"llama", "opt"};
  for (size_t t = 0; t < 2; t++) {
    struct pruning p;
    struct error err;
    open_long(&p, types[t]);
    for (int propagate = 0; propagate < PROPAGATE_COUNT; propagate++) {
      int blocks = propagate == PROPAGATE_DENSE ? model_blocks(p.model) : 1;
      struct shared_pass_options options = pass_options(&p.ids, blocks);
      struct shared_pass *pass;
      options.scratch = t ? "/tmp" : NULL;
      assert_ok(shared_pass_create(&pass, p.model, &options, &err));
      check_all(&p, (enum propagate)propagate, pass);
      shared_pass_free(pass);
    }
    pruning_close(&p);
  }
}

/* Experts see some of a batch's tokens, none for some snapshots. */
static void every_family_shares(void **state) {
  (void)state;
  char base[512], path[1024], *text;
  size_t size;
  struct error err;
  if (!support_folder("reference", base, sizeof base)) {
    skip();
  }
  (void)snprintf(path, sizeof path, "%s/families/index.json", base);
  assert_ok(file_read(&text, &size, path, &err));
  cJSON *index = cJSON_Parse(text);
  const cJSON *entry;
  int seen = 0;
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(index, "folders")) {
    struct pruning p = {.folder = ""};
    (void)snprintf(path, sizeof path, "%s/families/%s", base, entry->string);
    assert_ok(model_open(&p.model, path, &err));
    pruning_ids(&p.ids, 30);
    for (size_t i = 0; i < p.ids.ids.count; i++) {
      p.ids.ids.at[i] %= model_vocab(p.model);
    }
    const int counts[] = {1, 2, 27};
    struct shared_pass_options options = pass_options(&p.ids, model_blocks(p.model));
    options.samples = counts;
    options.count = 3;
    struct shared_pass *pass;
    assert_ok(shared_pass_create(&pass, p.model, &options, &err));
    for (int i = 0; i < 6; i++) {
      struct sequences first = p.ids;
      first.count = (size_t)counts[i / 2];
      struct prune_options o =
          pruning_options(p.model, &first, i % 2 ? "sparsegpt" : "ria", "0.5", alone());
      o.propagate = PROPAGATE_DENSE;
      check_same(&p, o, pass);
    }
    shared_pass_free(pass);
    model_close(p.model);
    sequences_free(&p.ids);
    seen++;
  }
  assert_true(seen > 0);
  cJSON_Delete(index);
  free(text);
}

static status see(void *user, int input, float *x, int rows, const struct batch *batch,
                  struct error *err) {
  struct stats *stats = user;
  return stats_add(&stats[input], x, rows, batch->count, err);
}

/* stats [blocks][INPUTS] += what one sequence shows to the dense model's linears. */
static void observe(const struct model *m, const struct sequences *ids, size_t sequence,
                    struct stats (*stats)[INPUTS]) {
  struct error err;
  struct workspace *w;
  struct block *b;
  struct span span = {.length = (int32_t)sequences_length(ids, sequence)};
  struct batch batch = {sequences_at(ids, sequence), span.length, &span, 1};
  float *x = malloc((size_t)span.length * (size_t)model_hidden(m) * sizeof *x);
  assert_ok(workspace_create(&w, m, &err));
  assert_ok(block_create(&b, m, &err));
  assert_ok(forward_embed(m, w, &batch, x, &err));
  for (int i = 0; i < model_blocks(m); i++) {
    struct tap tap = {.user = stats[i], .see = see};
    assert_ok(block_load(b, i, NULL, &err));
    assert_ok(forward_block(b, w, &batch, x, &tap, &err));
  }
  free(x);
  block_free(b);
  workspace_free(w);
}

static double largest(const double *a, size_t n) {
  double most = 0;
  for (size_t i = 0; i < n; i++) {
    most = fmax(most, fabs(a[i]));
  }
  return most;
}

static void check_close(const struct stats *got, const struct stats *want) {
  size_t n = (size_t)want->cols;
  assert_int_equal(got->samples, want->samples);
  assert_int_equal(got->tokens, want->tokens);
  double squares = largest(want->squares, n), worst = 0;
  for (size_t j = 0; j < n; j++) {
    worst = fmax(worst, fabs(got->squares[j] - want->squares[j]));
  }
  assert_true(worst <= 1e-6 * squares);
  worst = 0;
  for (size_t i = 0; i < n * n; i++) {
    worst = fmax(worst, fabs((double)got->gram[i] - (double)want->gram[i]));
  }
  assert_true(worst <= 1e-6 * squares);
}

static void statistics_are_the_dense_model_s_at_every_block(void **state) {
  (void)state;
  struct pruning p;
  struct error err;
  open_long(&p, "llama");
  int blocks = model_blocks(p.model), inputs = model_inputs(p.model), count;
  const struct linear *linears = model_linears(p.model, &count);
  struct shared_pass_options options = pass_options(&p.ids, blocks);
  struct shared_pass *pass;
  assert_ok(shared_pass_create(&pass, p.model, &options, &err));
  struct stats(*want)[INPUTS] = calloc((size_t)blocks, sizeof *want);
  for (int b = 0; b < blocks; b++) {
    for (int l = 0; l < count; l++) {
      struct stats *s = &want[b][linears[l].input];
      if (!s->cols) {
        assert_ok(stats_create(s, linears[l].cols, STATS_SQUARES | STATS_GRAM, &err));
      }
    }
  }
  for (size_t i = 0; i < 32; i++) {
    observe(p.model, &p.ids, i, want);
  }
  for (int b = 0; b < blocks; b++) {
    for (int i = 0; i < inputs; i++) {
      size_t n = (size_t)want[b][i].cols;
      float *gram = malloc(n * n * sizeof *gram);
      struct stats got;
      assert_ok(stats_reduce(&want[b][i], alone(), &err));
      int snapshot = shared_pass_find(pass, 32, STATS_GRAM);
      shared_pass_recall(pass, snapshot, b, i, STATS_SQUARES | STATS_GRAM, gram, &got);
      check_close(&got, &want[b][i]);
      stats_free(&want[b][i]);
      free(gram);
    }
  }
  free(want);
  shared_pass_free(pass);
  pruning_close(&p);
}

/* Where nothing is pruned yet both ways are one; behind it they part. */
static void dense_and_pruned_agree_on_the_first_block_alone(void **state) {
  (void)state;
  struct pruning p;
  open_long(&p, "opt");
  struct prune_options o = pruning_options(p.model, &p.ids, "wanda", "0.8", alone());
  struct overlay *pruned = prune(p.model, &o, NULL);
  o.propagate = PROPAGATE_DENSE;
  struct overlay *dense = prune(p.model, &o, NULL);
  for (int b = 0; b < model_blocks(p.model); b++) {
    assert_true(same_weights(p.model, pruned, dense, b) == (b == 0));
  }
  overlay_free(pruned);
  overlay_free(dense);
  pruning_close(&p);
}

/* A pass that cannot serve a pruning is left alone: neither its numbers nor a failure. */
static void what_a_pass_lacks_is_gathered_as_without_it(void **state) {
  (void)state;
  struct pruning p;
  struct error err;
  open_long(&p, "llama");
  struct shared_pass_options options = pass_options(&p.ids, 1);
  options.needs = STATS_SQUARES;
  options.damp_count = 0;
  struct shared_pass *pass;
  assert_ok(shared_pass_create(&pass, p.model, &options, &err));
  assert_int_equal(shared_pass_find(pass, 16, STATS_GRAM), -1);
  assert_int_equal(shared_pass_find(pass, 17, STATS_SQUARES), -1);
  assert_int_equal(shared_pass_find(pass, 16, STATS_SQUARES), 1);
  struct sequences first = p.ids;
  static const char *const methods[] = {"sparsegpt", "wanda", "wanda"};
  static const int counts[] = {16, 17, 16};
  for (size_t i = 0; i < 3; i++) {
    first.count = (size_t)counts[i];
    struct prune_options o = pruning_options(p.model, &first, methods[i], "0.5", alone());
    o.propagate = i == 2 ? PROPAGATE_DENSE : PROPAGATE_PRUNED;
    check_same(&p, o, pass);
  }
  shared_pass_free(pass);
  pruning_close(&p);
}

static status refuse(void *user, double done, struct error *err) {
  double *most = user;
  assert_true(done > *most && done <= 1);
  *most = done;
  return done > 0.5 ? err_set(err, STATUS_TIME, "time is up") : STATUS_OK;
}

static void a_pass_can_be_stopped_and_its_folder_must_be_there(void **state) {
  (void)state;
  struct pruning p;
  struct error err;
  open_long(&p, "llama");
  struct shared_pass_options options = pass_options(&p.ids, model_blocks(p.model));
  double most = 0;
  options.progress = refuse;
  options.progress_user = &most;
  struct shared_pass *pass;
  assert_fails(shared_pass_create(&pass, p.model, &options, &err), STATUS_TIME, "time is up");
  options.progress = NULL;
  options.scratch = "/nowhere";
  assert_fails(shared_pass_create(&pass, p.model, &options, &err), STATUS_IO, "/nowhere");
  assert_true(shared_pass_bytes(p.model, &options) > 0);
  pruning_close(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nested_samples_equal_direct_runs_bit_for_bit),
      cmocka_unit_test(every_family_shares),
      cmocka_unit_test(statistics_are_the_dense_model_s_at_every_block),
      cmocka_unit_test(dense_and_pruned_agree_on_the_first_block_alone),
      cmocka_unit_test(what_a_pass_lacks_is_gathered_as_without_it),
      cmocka_unit_test(a_pass_can_be_stopped_and_its_folder_must_be_there),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
