/* Checkpoints of random weights: readable, as asked, and the same every time. */
#include <math.h>

#include "folder.h"
#include "model/model.h"
#include "model/synthetic.h"

static const struct synthetic_shape small = {
    .hidden = 48, .blocks = 3, .heads = 6, .kv_heads = 2, .ffn = 80, .vocab = 500, .positions = 96};

struct made {
  char top[FOLDER_PATH], folder[FOLDER_PATH];
};

static void make(struct made *m, const struct synthetic_shape *shape, enum dtype dtype,
                 uint64_t seed) {
  struct error err;
  folder_make(m->top);
  folder_path(m->folder, m->top, "model");
  assert_ok(synthetic_write(m->folder, shape, dtype, seed, &err));
}

static const struct linear *find_linear(const struct model *m, const char *name, int *index) {
  int count;
  const struct linear *l = model_linears(m, &count);
  for (*index = 0; *index < count; (*index)++) {
    if (strcmp(l[*index].name, name) == 0) {
      return l + *index;
    }
  }
  fail_msg("no linear %s", name);
  return NULL;
}

static void opens_with_the_shape_that_was_asked_for(void **state) {
  (void)state;
  struct error err;
  struct model *m;
  struct made made;
  make(&made, &small, DTYPE_F32, 1);
  assert_ok(model_open(&m, made.folder, &err));
  assert_string_equal(model_type(m), "llama");
  assert_int_equal(model_hidden(m), 48);
  assert_int_equal(model_blocks(m), 3);
  assert_int_equal(model_vocab(m), 500);
  assert_int_equal(model_positions(m), 96);
  int i;
  const struct linear *k = find_linear(m, "self_attn.k_proj", &i);
  assert_int_equal(k->rows, 16);
  assert_int_equal(k->cols, 48);
  const struct linear *down = find_linear(m, "mlp.down_proj", &i);
  assert_int_equal(down->rows, 48);
  assert_int_equal(down->cols, 80);
  /* two of the vocabulary; q, o; k, v; three of the ffn; norms */
  assert_int_equal(model_parameters(m),
                   2 * 500 * 48 + 3 * (2 * 48 * 48 + 2 * 16 * 48 + 3 * 80 * 48 + 2 * 48) + 48);
  model_close(m);
  folder_remove(made.top);
}

static void a_tied_head_is_not_stored(void **state) {
  (void)state;
  struct error err;
  struct model *m;
  struct made made;
  struct synthetic_shape tied = small;
  tied.tied = true;
  make(&made, &tied, DTYPE_F32, 1);
  assert_ok(model_open(&m, made.folder, &err));
  assert_int_equal(model_parameters(m),
                   500 * 48 + 3 * (2 * 48 * 48 + 2 * 16 * 48 + 3 * 80 * 48 + 2 * 48) + 48);
  model_close(m);
  folder_remove(made.top);
}

static void weights_have_the_promised_spread(void **state) {
  (void)state;
  struct error err;
  struct model *m;
  struct made made;
  make(&made, &small, DTYPE_F32, 7);
  assert_ok(model_open(&m, made.folder, &err));
  int i;
  const struct linear *l = find_linear(m, "mlp.up_proj", &i);
  size_t count = (size_t)l->rows * (size_t)l->cols;
  float *w = calloc(count, sizeof *w);
  double sum = 0, squares = 0, largest = 0;
  assert_ok(model_linear_read(m, 1, i, w, &err));
  for (size_t j = 0; j < count; j++) {
    sum += w[j];
    squares += (double)w[j] * w[j];
    largest = fmax(largest, fabs((double)w[j]));
  }
  double sd = sqrt(squares / (double)count);
  assert_true(fabs(sum / (double)count) < 0.02 * 4 / sqrt((double)count));
  assert_true(sd > 0.019 && sd < 0.021);
  assert_true(largest > 0.05 && largest < 0.0701);
  free(w);
  model_close(m);
  folder_remove(made.top);
}

static void same_seed_same_bytes(void **state) {
  (void)state;
  struct made made[3];
  char *bytes[3];
  size_t sizes[3];
  static const uint64_t seeds[] = {5, 5, 6};
  for (int i = 0; i < 3; i++) {
    make(&made[i], &small, DTYPE_F32, seeds[i]);
    bytes[i] = folder_get(made[i].folder, "model.safetensors", &sizes[i]);
    folder_remove(made[i].top);
  }
  assert_int_equal(sizes[0], sizes[1]);
  assert_int_equal(sizes[0], sizes[2]);
  assert_memory_equal(bytes[0], bytes[1], sizes[0]);
  assert_true(memcmp(bytes[0], bytes[2], sizes[0]) != 0);
  for (int i = 0; i < 3; i++) {
    free(bytes[i]);
  }
}

static void bfloat16_takes_half_the_bytes_for_the_rounded_weights(void **state) {
  (void)state;
  struct error err;
  struct made made[2];
  struct model *models[2];
  size_t sizes[2];
  float *w[2];
  static const enum dtype dtypes[] = {DTYPE_F32, DTYPE_BF16};
  for (int i = 0; i < 2; i++) {
    make(&made[i], &small, dtypes[i], 5);
    free(folder_get(made[i].folder, "model.safetensors", &sizes[i]));
    assert_ok(model_open(&models[i], made[i].folder, &err));
    w[i] = calloc(48 * 48, sizeof **w);
    assert_ok(model_linear_read(models[i], 2, 0, w[i], &err));
    model_close(models[i]);
    folder_remove(made[i].top);
  }
  size_t buffer = 4 * (2 * 500 * 48 + 3 * (2 * 48 * 48 + 2 * 16 * 48 + 3 * 80 * 48 + 2 * 48) + 48);
  assert_true(sizes[0] > buffer && sizes[0] - buffer < 8192);
  assert_true(sizes[1] > buffer / 2 && sizes[1] - buffer / 2 < 8192);
  for (int i = 0; i < 48 * 48; i++) {
    assert_true(fabsf(w[0][i] - w[1][i]) <= fabsf(w[0][i]) / 256);
  }
  free(w[0]);
  free(w[1]);
}

static void a_folder_with_files_is_left_alone(void **state) {
  (void)state;
  struct error err;
  char top[FOLDER_PATH];
  folder_make(top);
  folder_text(top, "mine.txt", "mine");
  assert_fails(synthetic_write(top, &small, DTYPE_F32, 1, &err), STATUS_INPUT, "not empty");
  assert_int_equal(folder_count(top), 1);
  folder_remove(top);
}

static void names_and_pairs_give_shapes(void **state) {
  (void)state;
  struct error err;
  struct synthetic_shape s;
  assert_ok(synthetic_shape_parse(&s, "llama-1.1b", &err));
  assert_int_equal(s.hidden, 2048);
  assert_int_equal(s.blocks, 22);
  assert_int_equal(s.kv_heads, 4);
  assert_int_equal(s.ffn, 5632);
  assert_ok(synthetic_shape_parse(&s, "vocab=100,hidden=64,blocks=2,heads=4,ffn=96", &err));
  assert_int_equal(s.hidden, 64);
  assert_int_equal(s.kv_heads, 4);
  assert_int_equal(s.positions, 2048);
  assert_false(s.tied);
  assert_ok(synthetic_shape_parse(
      &s, "hidden=64,blocks=2,heads=4,ffn=96,vocab=100,kv_heads=2,positions=32,tied=1", &err));
  assert_int_equal(s.kv_heads, 2);
  assert_int_equal(s.positions, 32);
  assert_true(s.tied);
}

static void bad_shapes_are_refused_with_what_is_wrong(void **state) {
  (void)state;
  static const struct {
    const char *text, *part;
  } bad[] = {
      {"llama-7t", "llama-110m"},
      {"", "is no shape"},
      {"hidden=64,blocks=2,heads=4,ffn=96", "needs 'vocab'"},
      {"hiden=64,blocks=2,heads=4,ffn=96,vocab=100", "did you mean 'hidden'"},
      {"hidden=64,blocks=2,heads=4,ffn=96,vocab=100,hidden=64", "twice"},
      {"hidden=64,blocks=0,heads=4,ffn=96,vocab=100", "blocks is '0'"},
      {"hidden=64,blocks=2,heads=4,ffn=1e3,vocab=100", "ffn is '1e3'"},
      {"hidden=64,blocks=2,heads=5,ffn=96,vocab=100", "5 heads do not divide"},
      {"hidden=60,blocks=2,heads=4,ffn=96,vocab=100", "even width"},
      {"hidden=64,blocks=2,heads=4,ffn=96,vocab=100,kv_heads=3", "3 kv_heads do not divide"},
      {"hidden=99999999999999999999,blocks=2,heads=4,ffn=96,vocab=100", "hidden is"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    struct error err;
    struct synthetic_shape s;
    assert_fails(synthetic_shape_parse(&s, bad[i].text, &err), STATUS_INPUT, bad[i].part);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(opens_with_the_shape_that_was_asked_for),
      cmocka_unit_test(a_tied_head_is_not_stored),
      cmocka_unit_test(weights_have_the_promised_spread),
      cmocka_unit_test(same_seed_same_bytes),
      cmocka_unit_test(bfloat16_takes_half_the_bytes_for_the_rounded_weights),
      cmocka_unit_test(a_folder_with_files_is_left_alone),
      cmocka_unit_test(names_and_pairs_give_shapes),
      cmocka_unit_test(bad_shapes_are_refused_with_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
