/* The forward pass in bfloat16 beside the one in float32, for every reference checkpoint. */
#include "linalg/matmul.h"
#include "reference.h"

static char families[FOLDER_PATH];

enum { TOKENS = 60, PACKED = 88 };

static void some_ids(const struct model *m, int32_t *ids) {
  for (int i = 0; i < PACKED; i++) {
    ids[i] = (i % TOKENS * 31 + 7) % 89 % model_vocab(m);
  }
}

static float *stream_in(struct model *m, enum precision precision, const struct batch *batch) {
  model_set_precision(m, precision);
  return reference_stream(m, batch, NULL);
}

/* Numbers are rounded to 8 bits before each product: 2^-9 of their size at most. Errors of a block
 * add up like a random walk, and an expert that is chosen by a hair may change. */
static void check_distance(const char *name, struct model *m) {
  int32_t ids[PACKED];
  some_ids(m, ids);
  struct span one = {.length = TOKENS};
  struct batch batch = {ids, TOKENS, &one, 1};
  float *exact = stream_in(m, PRECISION_FLOAT32, &batch);
  float *rounded = stream_in(m, PRECISION_BFLOAT16, &batch);
  double difference = 0, size = 0, most = model_config(m)->experts > 0 ? 0.1 : 0.02;
  for (size_t i = 0; i < TOKENS * (size_t)model_hidden(m); i++) {
    difference += pow((double)rounded[i] - (double)exact[i], 2);
    size += pow((double)exact[i], 2);
  }
  double relative = sqrt(difference / size);
  if (!(relative > 1e-5 && relative < most)) {
    fail_msg("%s: bfloat16 lies %g from float32, relative to its size", name, relative);
  }
  free(exact);
  free(rounded);
}

/* Bits depend neither on threads nor on what else is in the batch. */
static void check_bits(const char *name, struct model *m) {
  int32_t ids[PACKED];
  some_ids(m, ids);
  struct span one = {.length = 25};
  struct batch single = {ids, 25, &one, 1};
  const struct span packed[] = {{0, 60, 0, 0}, {60, 25, 0, 0}, {85, 3, 0, 0}};
  struct batch together = {ids, PACKED, packed, 3};
  size_t hidden = (size_t)model_hidden(m), bytes = 25 * hidden * sizeof(float);
  linalg_set_threads(1);
  float *alone = stream_in(m, PRECISION_BFLOAT16, &single);
  linalg_set_threads(2);
  float *among = stream_in(m, PRECISION_BFLOAT16, &together);
  if (memcmp(alone, among + 60 * hidden, bytes) != 0) {
    fail_msg("%s: a sequence differs among others", name);
  }
  free(alone);
  free(among);
}

static void for_each(void (*check)(const char *name, struct model *m)) {
  cJSON *index = reference_json(families, "index.json");
  const cJSON *entry;
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(index, "folders")) {
    struct model *m;
    struct error err;
    char folder[FOLDER_PATH];
    assert_ok(model_open(&m, folder_path(folder, families, entry->string), &err));
    check(entry->string, m);
    model_close(m);
  }
  cJSON_Delete(index);
}

static void every_family_stays_near_float32(void **state) {
  (void)state;
  for_each(check_distance);
}

static void bits_of_a_sequence_are_its_own(void **state) {
  (void)state;
  for_each(check_bits);
}

int main(void) {
  char base[FOLDER_PATH];
  if (!support_folder("reference", base, sizeof base)) {
    return support_skip("model.bfloat16", "no reference folder");
  }
  (void)folder_path(families, base, "families");
  linalg_set_threads(2);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_family_stays_near_float32),
      cmocka_unit_test(bits_of_a_sequence_are_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
