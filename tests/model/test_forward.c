/* Logits and residual streams of every family's reference checkpoint. */
#include "model/forward.h"

#include <cjson/cJSON.h>
#include <math.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "linalg/matmul.h"
#include "model/config.h"
#include "support.h"

static char reference[4096];

static char *text_of(const char *folder, const char *name, size_t *size) {
  struct error err;
  char path[8192], *text = NULL;
  (void)snprintf(path, sizeof path, "%s/families/%s/%s", reference, folder, name);
  assert_ok(file_read(&text, size, path, &err));
  return text;
}

static cJSON *json_of(const char *folder, const char *name) {
  size_t size;
  char *text = text_of(folder, name, &size);
  cJSON *json = cJSON_Parse(text);
  assert_non_null(json);
  free(text);
  return json;
}

/* The largest difference may be ten times what float32 itself costs, and 1e-4 of the largest number
 * at most. */
static void compare(const char *folder, const char *what, const float *got, const float *want,
                    size_t count, double noise) {
  double worst = 0, largest = 0;
  for (size_t i = 0; i < count; i++) {
    double difference = fabs((double)got[i] - (double)want[i]);
    worst = difference > worst || isnan(difference) ? difference : worst;
    largest = fmax(largest, fabs((double)want[i]));
  }
  double allowed = fmin(10 * noise, 1e-4 * largest);
  printf("%s: %s differ by %.2g (%.2g allowed)\n", folder, what, worst, allowed);
  if (!(worst <= allowed)) {
    fail_msg("%s: %s differ by %g, %g allowed", folder, what, worst, allowed);
  }
}

static double noise_of(const cJSON *entry, const char *what) {
  const cJSON *floor_of = cJSON_GetObjectItem(cJSON_GetObjectItem(entry, "noise_floor"), what);
  assert_true(cJSON_IsNumber(floor_of));
  return floor_of->valuedouble;
}

/* Runs one sequence; stream, when not NULL, gets [blocks + 1][tokens][hidden]. */
static void run(const struct model *m, struct workspace *w, struct block *b, const int32_t *ids,
                int tokens, float *logits, float *stream) {
  struct error err;
  size_t size = (size_t)tokens * (size_t)model_hidden(m);
  struct span span = {.length = tokens};
  struct batch batch = {ids, tokens, &span, 1};
  float *x = NULL;
  assert_ok(mem_alloc(&x, size, sizeof *x, &err));
  assert_ok(forward_embed(m, w, &batch, x, &err));
  for (int i = 0; i <= model_blocks(m); i++) {
    if (stream) {
      memcpy(stream + (size_t)i * size, x, size * sizeof *x);
    }
    if (i < model_blocks(m)) {
      assert_ok(block_load(b, i, NULL, &err));
      assert_ok(forward_block(b, w, &batch, x, NULL, &err));
    }
  }
  for (int t = 0; t < tokens; t++) {
    assert_ok(forward_logits(m, w, x + (size_t)t * (size_t)model_hidden(m),
                             logits + (size_t)t * (size_t)model_vocab(m), &err));
  }
  free(x);
}

static void check_folder(const struct model *m, const char *folder, const cJSON *entry) {
  struct error err;
  cJSON *inputs = json_of(folder, "inputs.json");
  const cJSON *sequences = cJSON_GetObjectItem(inputs, "sequences"), *sequence;
  int shown =
      cJSON_GetObjectItem(cJSON_GetObjectItem(entry, "residual_stream"), "sequence")->valueint;
  size_t logits_bytes, hidden_bytes, at = 0;
  char *logits = text_of(folder, "logits.f32", &logits_bytes);
  char *hidden = text_of(folder, "hidden.f32", &hidden_bytes);
  float *got = NULL, *stream = NULL;
  assert_ok(mem_alloc(&got, logits_bytes, 1, &err));
  assert_ok(mem_alloc(&stream, hidden_bytes, 1, &err));
  struct workspace *w;
  struct block *b;
  assert_ok(workspace_create(&w, m, &err));
  assert_ok(block_create(&b, m, &err));
  int index = 0;
  cJSON_ArrayForEach(sequence, sequences) {
    int tokens = cJSON_GetArraySize(sequence), t = 0;
    int32_t *ids = NULL;
    assert_ok(mem_alloc(&ids, (size_t)tokens, sizeof *ids, &err));
    const cJSON *id;
    cJSON_ArrayForEach(id, sequence) {
      ids[t++] = id->valueint;
    }
    size_t count = (size_t)tokens * (size_t)model_vocab(m);
    assert_true((at + count) * sizeof *got <= logits_bytes);
    run(m, w, b, ids, tokens, got + at, index == shown ? stream : NULL);
    at += count;
    index++;
    free(ids);
  }
  assert_int_equal(at * sizeof *got, logits_bytes);
  compare(folder, "logits", got, (const float *)(const void *)logits, at,
          noise_of(entry, "logits"));
  compare(folder, "residual streams", stream, (const float *)(const void *)hidden,
          hidden_bytes / sizeof *stream, noise_of(entry, "residual_stream"));
  workspace_free(w);
  block_free(b);
  free(got);
  free(stream);
  free(logits);
  free(hidden);
  cJSON_Delete(inputs);
}

static void every_reference_family_gives_its_logits_and_streams(void **state) {
  (void)state;
  struct error err;
  linalg_set_threads(2);
  cJSON *list = json_of(".", "index.json");
  const cJSON *folders = cJSON_GetObjectItem(list, "folders"), *entry;
  int opened = 0;
  cJSON_ArrayForEach(entry, folders) {
    char path[8192];
    (void)snprintf(path, sizeof path, "%s/families/%s", reference, entry->string);
    struct model *m;
    if (model_open(&m, path, &err) != STATUS_OK) {
      fail_msg("%s: %s", entry->string, err.text);
    }
    check_folder(m, entry->string, entry);
    model_close(m);
    opened++;
  }
  assert_true(opened > 0);
  cJSON_Delete(list);
}

int main(void) {
  if (!support_folder("reference", reference, sizeof reference)) {
    return support_skip("model.forward", "no reference folder");
  }
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_reference_family_gives_its_logits_and_streams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
