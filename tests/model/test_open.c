/* Open models: linears and what they share, names, heads, rows, refused weights, overlays. */
#include "folder.h"
#include "make_checkpoint.h"
#include "model/config.h"
#include "model/overlay.h"

static void test_linears_share_inputs_as_the_block_runs(void **state) {
  (void)state;
  static const int llama[] = {0, 0, 0, 1, 2, 2, 3}, opt[] = {0, 0, 0, 1, 2, 3};
  char folder[FOLDER_PATH];
  folder_make(folder);
  for (int i = 0; i < 2; i++) {
    struct checkpoint_shape s = {.type = i ? "opt" : "llama", .tied = true};
    assert_true(make_checkpoint(folder, &s));
    struct model *m;
    struct error err = {0};
    assert_ok(model_open(&m, folder, &err));
    int count;
    const struct linear *l = model_linears(m, &count);
    assert_int_equal(count, i ? 6 : 7);
    assert_int_equal(model_inputs(m), 4);
    for (int j = 0; j < count; j++) {
      assert_int_equal(l[j].input, i ? opt[j] : llama[j]);
    }
    model_close(m);
  }
  folder_remove(folder);
}

static void test_the_prefix_of_the_base_model_may_be_absent(void **state) {
  (void)state;
  static const struct checkpoint_shape shapes[] = {{.prefix = ""},
                                                   {.type = "opt", .prefix = "decoder."}};
  char folder[FOLDER_PATH];
  folder_make(folder);
  for (size_t i = 0; i < 2; i++) {
    assert_true(make_checkpoint(folder, &shapes[i]));
    struct model *m;
    struct error err = {0};
    assert_ok(model_open(&m, folder, &err));
    char *name;
    assert_ok(model_linear_name(m, 1, 0, &name, &err));
    assert_string_equal(name, i ? "decoder.layers.1.self_attn.q_proj.weight"
                                : "layers.1.self_attn.q_proj.weight");
    free(name);
    model_close(m);
  }
  folder_remove(folder);
}

/* A head that is stored although the configuration ties it: what transformers 5 computes with. */
static void test_a_stored_head_wins_where_it_differs_from_the_embedding(void **state) {
  (void)state;
  char folder[FOLDER_PATH];
  folder_make(folder);
  struct checkpoint_shape s = {.keys = "\"tie_word_embeddings\": true,"};
  assert_true(make_checkpoint(folder, &s));
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder, &err));
  assert_false(model_config(m)->tied);
  assert_true(model_has(m, SLOT_HEAD, 0));
  static float head[96 * 32], embed[96 * 32];
  assert_ok(model_read(m, SLOT_HEAD, 0, 0, 0, head, &err));
  assert_ok(model_read(m, SLOT_EMBED, 0, 0, 0, embed, &err));
  assert_memory_not_equal(head, embed, sizeof head);
  uint64_t untied = model_parameters(m);
  model_close(m);

  /* The same file with the embedding's bytes where the head's were. */
  size_t size;
  char *bytes = folder_get(folder, "model.safetensors", &size);
  memcpy(bytes + size - sizeof embed, embed, sizeof embed);
  folder_put(folder, "model.safetensors", bytes, size);
  free(bytes);
  assert_ok(model_open(&m, folder, &err));
  assert_true(model_config(m)->tied);
  assert_false(model_has(m, SLOT_HEAD, 0));
  assert_int_equal(model_parameters(m), untied - 96 * 32);
  assert_ok(model_read(m, SLOT_HEAD, 0, 0, 0, head, &err));
  assert_memory_equal(head, embed, sizeof head);
  model_close(m);
  folder_remove(folder);
}

static void test_rows_are_read_as_parts_of_the_whole(void **state) {
  (void)state;
  char folder[FOLDER_PATH];
  folder_make(folder);
  struct checkpoint_shape s = {.dtype = "BF16"};
  assert_true(make_checkpoint(folder, &s));
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder, &err));
  static float all[96 * 32], part[5 * 32];
  assert_ok(model_read(m, SLOT_EMBED, 0, 0, 0, all, &err));
  assert_ok(model_read(m, SLOT_EMBED, 0, 91, 5, part, &err));
  assert_memory_equal(part, all + 91 * 32, sizeof part);
  assert_fails(model_read(m, SLOT_EMBED, 0, 92, 5, part, &err), STATUS_BUG, "92 + 5");
  assert_fails(model_read(m, SLOT_PROJECT_IN, 0, 0, 0, part, &err), STATUS_BUG, "slot");
  assert_fails(model_read_bias(m, SLOT_Q, 0, part, &err), STATUS_BUG, "slot");
  model_close(m);
  folder_remove(folder);
}

static void test_nan_weights_are_refused_by_tensor_and_element(void **state) {
  (void)state;
  char folder[FOLDER_PATH];
  folder_make(folder);
  struct checkpoint_shape s = {0};
  assert_true(make_checkpoint(folder, &s));
  size_t size;
  char *bytes = folder_get(folder, "model.safetensors", &size);
  uint32_t nan = 0x7fc00000;
  memcpy(bytes + size - sizeof nan, &nan, sizeof nan); /* the head is the last tensor */
  folder_put(folder, "model.safetensors", bytes, size);
  free(bytes);
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder, &err));
  static float head[96 * 32];
  assert_ok(model_read(m, SLOT_HEAD, 0, 0, 95, head, &err));
  assert_fails(model_read(m, SLOT_HEAD, 0, 95, 1, head, &err), STATUS_NUMERIC,
               "model.safetensors: tensor lm_head.weight: not finite at element [95, 31]");
  model_close(m);
  folder_remove(folder);
}

static void digest_of(const char *folder, const struct checkpoint_shape *s, char out[DIGEST_TEXT]) {
  assert_true(make_checkpoint(folder, s));
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder, &err));
  char again[DIGEST_TEXT];
  assert_ok(model_digest(m, out, &err));
  assert_ok(model_digest(m, again, &err));
  assert_string_equal(out, again);
  model_close(m);
}

static void test_the_digest_sees_weights_and_configuration(void **state) {
  (void)state;
  char folder[FOLDER_PATH], a[DIGEST_TEXT], b[DIGEST_TEXT], c[DIGEST_TEXT], d[DIGEST_TEXT];
  folder_make(folder);
  struct checkpoint_shape plain = {0}, seeded = {.seed = 1}, keyed = {.keys = "\"x\": 1,"};
  digest_of(folder, &plain, a);
  digest_of(folder, &seeded, b);
  digest_of(folder, &keyed, c);
  digest_of(folder, &plain, d);
  assert_string_equal(a, d);
  assert_string_not_equal(a, b);
  assert_string_not_equal(a, c);
  folder_remove(folder);
}

static void test_flops_are_two_per_weight_of_a_linear(void **state) {
  (void)state;
  char folder[FOLDER_PATH];
  folder_make(folder);
  struct checkpoint_shape s = {.kv_heads = 2};
  assert_true(make_checkpoint(folder, &s));
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder, &err));
  double block = 2 * 32 * 32 + 2 * 16 * 32 + 3 * 64 * 32;
  assert_true(model_block_flops(m) == 2 * 2 * block);
  assert_true(model_head_flops(m) == 2.0 * 96 * 32);
  model_close(m);
  folder_remove(folder);
}

static void use_overlay(const struct model *m, const char *scratch) {
  struct overlay *o;
  struct error err = {0};
  assert_ok(overlay_create(&o, m, scratch, &err));
  int count;
  const struct linear *l = model_linears(m, &count);
  for (int block = 0; block < model_blocks(m); block++) {
    for (int i = 0; i < count; i++) {
      assert_false(overlay_has(o, block, i));
      float w[32 * 64];
      assert_true(l[i].rows * l[i].cols <= (int)(sizeof w / sizeof *w));
      for (int j = 0; j < l[i].rows * l[i].cols; j++) {
        w[j] = (float)(block * 100 + i);
      }
      overlay_put(o, block, i, w);
      assert_true(overlay_has(o, block, i));
    }
  }
  for (int block = 0; block < model_blocks(m); block++) {
    for (int i = 0; i < count; i++) {
      assert_float_equal(overlay_weights(o, block, i)[0], block * 100 + i, 0);
      int last = l[i].rows * l[i].cols - 1;
      assert_float_equal(overlay_weights(o, block, i)[last], block * 100 + i, 0);
      assert_int_equal((uintptr_t)overlay_weights(o, block, i) % 64, 0);
    }
  }
  overlay_clear(o);
  assert_false(overlay_has(o, 1, 2));
  overlay_free(o);
}

static void test_overlays_hold_a_matrix_per_linear(void **state) {
  (void)state;
  char folder[FOLDER_PATH];
  folder_make(folder);
  struct checkpoint_shape s = {.hidden = 24, .ffn = 28};
  assert_true(make_checkpoint(folder, &s));
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder, &err));
  use_overlay(m, NULL);
  use_overlay(m, folder);
  assert_int_equal(folder_count(folder), 2);
  struct overlay *o;
  assert_fails(overlay_create(&o, m, "/nowhere", &err), STATUS_IO, "/nowhere: no scratch file");
  model_close(m);
  folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_linears_share_inputs_as_the_block_runs),
      cmocka_unit_test(test_the_prefix_of_the_base_model_may_be_absent),
      cmocka_unit_test(test_a_stored_head_wins_where_it_differs_from_the_embedding),
      cmocka_unit_test(test_rows_are_read_as_parts_of_the_whole),
      cmocka_unit_test(test_nan_weights_are_refused_by_tensor_and_element),
      cmocka_unit_test(test_the_digest_sees_weights_and_configuration),
      cmocka_unit_test(test_flops_are_two_per_weight_of_a_linear),
      cmocka_unit_test(test_overlays_hold_a_matrix_per_linear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
