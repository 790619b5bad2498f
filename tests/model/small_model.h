/* Small random checkpoints, opened: for tests of the forward pass. */
#ifndef ESPALIER_TESTS_MODEL_SMALL_MODEL_H
#define ESPALIER_TESTS_MODEL_SMALL_MODEL_H

#include <unistd.h>

#include "base/mem.h"
#include "make_checkpoint.h"
#include "model/forward.h"
#include "support.h"

/* Families and block orders that differ in the forward pass. */
static const struct checkpoint_shape small_shapes[] = {
    {.type = "llama", .kv_heads = 2, .hidden = 48, .ffn = 80, .positions = 300, .vocab = 600},
    {.type = "opt", .positions = 300, .vocab = 130},
    {.type = "opt", .keys = "\"do_layer_norm_before\": false,", .positions = 300, .vocab = 130},
};
enum { SMALL_SHAPES = sizeof small_shapes / sizeof *small_shapes };

static inline struct model *small_model(const struct checkpoint_shape *shape) {
  struct error err;
  char folder[] = "/tmp/espalier-model-XXXXXX", path[64];
  struct model *m;
  assert_non_null(mkdtemp(folder));
  assert_true(make_checkpoint(folder, shape));
  assert_ok(model_open(&m, folder, &err));
  static const char *const files[] = {"config.json", "model.safetensors"};
  for (int i = 0; i < 2; i++) { /* the open model keeps its mapping */
    (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
    assert_int_equal(unlink(path), 0);
  }
  assert_int_equal(rmdir(folder), 0);
  return m;
}

/* Ids that repeat after 97 and stay below the vocabulary. */
static inline void small_ids(const struct model *m, int32_t *ids, int count, int seed) {
  for (int i = 0; i < count; i++) {
    ids[i] = (i * 31 + seed * 17) % 97 % model_vocab(m);
  }
}

/* Residual stream behind the last block, allocated: [tokens][hidden]. */
static inline float *small_stream(const struct model *m, const struct batch *batch,
                                  const struct tap *tap) {
  struct error err;
  struct workspace *w;
  struct block *b;
  float *x = NULL;
  assert_ok(mem_alloc(&x, (size_t)batch->tokens * (size_t)model_hidden(m), sizeof *x, &err));
  assert_ok(workspace_create(&w, m, &err));
  assert_ok(block_create(&b, m, &err));
  assert_ok(forward_embed(m, w, batch, x, &err));
  for (int i = 0; i < model_blocks(m); i++) {
    assert_ok(block_load(b, i, NULL, &err));
    assert_ok(forward_block(b, w, batch, x, tap, &err));
  }
  block_free(b);
  workspace_free(w);
  return x;
}

#endif
