/* Every reference family pruned by every method: the promised share of zeros, finite weights, a
 * written checkpoint that holds them. */
#include <cjson/cJSON.h>
#include <ftw.h>
#include <math.h>

#include "base/file.h"
#include "linalg/matmul.h"
#include "model/config.h"
#include "model/runner.h"
#include "model/write.h"
#include "pruning.h"

static char families[600];

static void random_ids(struct sequences *s, const struct model *m) {
  uint32_t random = 11;
  struct error err;
  for (int i = 0; i < 6; i++) {
    int32_t ids[40];
    for (int t = 0; t < 40; t++) {
      random = random * 1664525U + 1013904223U;
      ids[t] = (int32_t)((random >> 16) % (uint32_t)model_vocab(m));
    }
    assert_ok(sequences_add(s, ids, (size_t)(30 + i), &err));
  }
}

/* Whole rows, where Wanda compares: exactly half of each. */
static void check_rows(const struct linear *l, const float *w) {
  for (int r = 0; r < l->rows; r++) {
    int zeros = 0;
    for (int j = 0; j < l->cols; j++) {
      zeros += w[(size_t)r * (size_t)l->cols + (size_t)j] == 0;
    }
    assert_int_equal(zeros, l->cols / 2);
  }
}

static void check_pruned(const struct model *m, const struct prune_options *o,
                         struct overlay *overlay, const struct prune_layer *layers) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  for (int i = 0; i < count * model_blocks(m); i++) {
    const struct linear *l = &linears[i % count];
    size_t n = (size_t)l->rows * (size_t)l->cols, zeros = 0;
    const float *w = overlay_weights(overlay, i / count, i % count);
    for (size_t j = 0; j < n; j++) {
      zeros += w[j] == 0;
      assert_true(isfinite(w[j]));
    }
    double share = (double)zeros / (double)n, want = o->sparsity.m ? 0.5 : 0.5 - 0.5 / l->cols;
    assert_true(overlay_has(overlay, i / count, i % count));
    assert_true(share == layers[i].sparsity && share >= want && share <= 0.55);
    if (strcmp(o->method->name, "wanda") == 0) {
      check_rows(l, w);
    }
  }
}

static void check_answers(const struct model *m, const struct overlay *overlay) {
  int32_t ids[20];
  struct query queries[20];
  struct answer dense[20], pruned[20];
  for (int i = 0; i < 20; i++) {
    ids[i] = (i * 13 + 5) % model_vocab(m);
    queries[i] = (struct query){i, (i * 7) % model_vocab(m)};
  }
  struct span span = {.length = 20};
  struct work work = {{ids, 20, &span, 1}, queries, 20, dense, NULL};
  struct runner *r;
  struct error err;
  for (int i = 0; i < 2; i++) {
    work.answers = i ? pruned : dense;
    assert_ok(runner_open(&r, m, i ? overlay : NULL, SIZE_MAX, &err));
    assert_ok(runner_answer(r, &work, 1, &err));
    runner_close(r);
  }
  double moved = 0;
  for (int i = 0; i < 20; i++) {
    assert_true(isfinite(pruned[i].logprob));
    moved = fmax(moved, fabs(pruned[i].logprob - dense[i].logprob));
  }
  assert_true(moved > 1e-3);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at) {
  (void)s;
  (void)kind;
  (void)at;
  return remove(path);
}

/* Written and opened again, the linears are the overlay's: in float32 to the bit. */
static void check_written(const struct model *m, struct overlay *overlay) {
  char base[] = "/tmp/espalier-families-XXXXXX", folder[64];
  struct model_writer *writer;
  struct model *again;
  struct error err;
  assert_non_null(mkdtemp(base));
  (void)snprintf(folder, sizeof folder, "%s/pruned", base);
  assert_ok(model_writer_open(&writer, m, folder, MODEL_DTYPE_F32, &err));
  int count;
  const struct linear *l = model_linears(m, &count);
  for (int i = 0; i < count * model_blocks(m); i++) {
    const float *w = overlay_weights(overlay, i / count, i % count);
    assert_ok(model_writer_put(writer, i / count, i % count, w, &err));
  }
  assert_ok(model_writer_finish(writer, &err));
  assert_ok(model_open(&again, folder, &err));
  for (int i = 0; i < count * model_blocks(m); i++) {
    size_t n = (size_t)l[i % count].rows * (size_t)l[i % count].cols;
    float *w = malloc(n * sizeof *w);
    assert_ok(model_linear_read(again, i / count, i % count, w, &err));
    assert_memory_equal(w, overlay_weights(overlay, i / count, i % count), n * sizeof *w);
    free(w);
  }
  model_close(again);
  assert_int_equal(nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static bool fits(const struct model *m, const char *sparsity) {
  int count;
  const struct linear *l = model_linears(m, &count);
  bool divides = true;
  for (int i = 0; i < count; i++) {
    divides = divides && l[i].cols % 4 == 0;
  }
  return divides || !strchr(sparsity, ':');
}

static void check_model(const struct model *m) {
  static const char *const sparsities[] = {"0.5", "2:4"};
  const struct group alone = group_single();
  struct sequences ids = {0};
  struct overlay *overlay;
  struct error err;
  size_t methods;
  const struct method *all = methods_all(&methods);
  struct prune_layer *layers = calloc(pruning_layers(m), sizeof *layers);
  random_ids(&ids, m);
  assert_ok(overlay_create(&overlay, m, NULL, &err));
  struct prune_sink sink = prune_into_overlay(overlay);
  for (size_t i = 0; i < methods * 2; i++) {
    const struct method *method = &all[i / 2];
    if (method->dense || !fits(m, sparsities[i % 2])) {
      continue;
    }
    struct prune_options o = pruning_options(m, &ids, method->name, sparsities[i % 2], &alone);
    overlay_clear(overlay);
    assert_ok(prune_model(m, &o, &sink, layers, &err));
    check_pruned(m, &o, overlay, layers);
    check_answers(m, overlay);
  }
  check_written(m, overlay);
  overlay_free(overlay);
  sequences_free(&ids);
  free(layers);
}

static void every_family_is_pruned_by_every_method(void **state) {
  (void)state;
  char path[1024], *text;
  size_t size;
  struct error err;
  (void)snprintf(path, sizeof path, "%s/index.json", families);
  assert_ok(file_read(&text, &size, path, &err));
  cJSON *index = cJSON_Parse(text);
  const cJSON *entry;
  int seen = 0;
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(index, "folders")) {
    struct model *m;
    (void)snprintf(path, sizeof path, "%s/%s", families, entry->string);
    assert_ok(model_open(&m, path, &err));
    check_model(m);
    model_close(m);
    seen++;
  }
  assert_true(seen > 0);
  cJSON_Delete(index);
  free(text);
}

int main(void) {
  char base[512];
  if (!support_folder("reference", base, sizeof base)) {
    return support_skip("prune.families", "no reference folder");
  }
  (void)snprintf(families, sizeof families, "%s/families", base);
  linalg_set_threads(2);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_family_is_pruned_by_every_method),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
