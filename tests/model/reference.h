/* The reference checkpoints of families, their inputs and logits. */
#ifndef ESPALIER_TESTS_MODEL_REFERENCE_H
#define ESPALIER_TESTS_MODEL_REFERENCE_H

#include <cjson/cJSON.h>
#include <math.h>

#include "folder.h"
#include "model/config.h"
#include "model/forward.h"

static inline cJSON *reference_json(const char *folder, const char *name) {
  size_t size;
  char *text = folder_get(folder, name, &size);
  cJSON *json = cJSON_Parse(text);
  assert_non_null(json);
  free(text);
  return json;
}

static inline int32_t *reference_ids(const cJSON *sequence, int *count) {
  *count = cJSON_GetArraySize(sequence);
  int32_t *ids = malloc((size_t)*count * sizeof *ids);
  assert_non_null(ids);
  int t = 0;
  const cJSON *id;
  cJSON_ArrayForEach(id, sequence) {
    ids[t++] = id->valueint;
  }
  return ids;
}

/* The residual stream [tokens][hidden] behind the last block, allocated. */
static inline float *reference_stream(const struct model *m, const struct batch *batch,
                                      const struct tap *tap) {
  struct error err;
  struct workspace *w;
  struct block *b;
  float *x = malloc((size_t)batch->tokens * (size_t)model_hidden(m) * sizeof *x);
  assert_non_null(x);
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

/* The largest difference between the model's logits and those of the folder. */
static inline double reference_difference(const struct model *m, const char *folder) {
  struct error err;
  size_t bytes, at = 0, hidden = (size_t)model_hidden(m), vocab = (size_t)model_vocab(m);
  char *raw = folder_get(folder, "logits.f32", &bytes);
  const float *want = (const float *)(const void *)raw;
  float *got = malloc(vocab * sizeof *got);
  assert_non_null(got);
  cJSON *inputs = reference_json(folder, "inputs.json");
  const cJSON *sequence;
  struct workspace *w;
  double worst = 0;
  assert_ok(workspace_create(&w, m, &err));
  cJSON_ArrayForEach(sequence, cJSON_GetObjectItem(inputs, "sequences")) {
    int tokens;
    int32_t *ids = reference_ids(sequence, &tokens);
    struct span span = {.length = tokens};
    struct batch batch = {ids, tokens, &span, 1};
    float *x = reference_stream(m, &batch, NULL);
    for (int t = 0; t < tokens; t++, at += vocab) {
      assert_true((at + vocab) * sizeof *want <= bytes);
      assert_ok(forward_logits(m, w, x + (size_t)t * hidden, got, &err));
      for (size_t i = 0; i < vocab; i++) {
        double difference = fabs((double)got[i] - (double)want[at + i]);
        worst = difference > worst || isnan(difference) ? difference : worst;
      }
    }
    free(x);
    free(ids);
  }
  assert_int_equal(at * sizeof *want, bytes);
  workspace_free(w);
  cJSON_Delete(inputs);
  free(got);
  free(raw);
  return worst;
}

#endif
