/* Written checkpoints: what was not pruned keeps its bytes, dtypes convert by rounding, shards stay
 * shards, and a failure leaves nothing behind. */
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "model/config.h"
#include "model/dtype.h"
#include "model/safetensors.h"
#include "model/shards.h"
#include "writing.h"

static void assert_same_file(const char *a, const char *b, const char *name) {
  size_t n, k;
  char *x = folder_get(a, name, &n), *y = folder_get(b, name, &k);
  assert_int_equal(n, k);
  assert_memory_equal(x, y, n);
  free(x);
  free(y);
}

static void write_dense(const struct model *m, const char *to, enum model_dtype dtype) {
  struct model_writer *w;
  struct error err = {0};
  assert_ok(model_writer_open(&w, m, to, dtype, &err));
  assert_ok(model_writer_finish(w, &err));
}

static void test_an_unpruned_copy_is_the_same_file(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {.dtype = "F16", .kv_heads = 2};
  struct model *m = open_made(&p, &s);
  folder_text(p.from, "tokenizer.json", "{\"a\": 1}");
  folder_text(p.from, "merges.txt", "");
  folder_text(p.from, "LICENSE.md", "free");
  folder_text(p.from, "pytorch_model.bin", "not this");
  write_dense(m, p.to, MODEL_DTYPE_SOURCE);
  assert_same_file(p.from, p.to, "model.safetensors");
  assert_same_file(p.from, p.to, "config.json");
  assert_same_file(p.from, p.to, "tokenizer.json");
  assert_same_file(p.from, p.to, "merges.txt");
  assert_same_file(p.from, p.to, "LICENSE.md");
  assert_int_equal(folder_count(p.to), 5);
  assert_int_equal(folder_count(p.base), 2);
  model_close(m);
  folder_remove(p.base);
}

static void test_untouched_tensors_keep_their_bytes(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {.dtype = "BF16"};
  struct model *m = open_made(&p, &s);
  struct model_writer *w;
  struct error err = {0};
  assert_ok(model_writer_open(&w, m, p.to, MODEL_DTYPE_SOURCE, &err));
  assert_false(access(p.to, F_OK) == 0);
  prune_one(m, w);
  assert_ok(model_writer_finish(w, &err));
  struct shards a, b;
  assert_ok(shards_open(&a, p.from, &err));
  assert_ok(shards_open(&b, p.to, &err));
  assert_int_equal(a.tensor_count, b.tensor_count);
  int changed = 0;
  for (size_t i = 0; i < a.tensor_count; i++) {
    const struct tensor *x = &a.files[0].tensors[i], *y = &b.files[0].tensors[i];
    assert_string_equal(x->name, y->name);
    assert_int_equal(x->begin, y->begin);
    assert_int_equal(x->end, y->end);
    if (strcmp(x->name, "model.layers.1.self_attn.o_proj.weight") != 0) {
      assert_memory_equal(x->at, y->at, x->end - x->begin);
      continue;
    }
    changed++;
    for (size_t j = 0; j < x->elements; j++) {
      uint16_t old, new;
      memcpy(&old, x->at + 2 * j, 2);
      memcpy(&new, y->at + 2 * j, 2);
      assert_int_equal(new, j % 2 ? old : 0);
    }
  }
  assert_int_equal(changed, 1);
  shards_close(&a);
  shards_close(&b);
  model_close(m);
  folder_remove(p.base);
}

static void convert(const char *from, enum model_dtype dtype, const char *stored,
                    const char *named) {
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {.dtype = from};
  struct model *m = open_made(&p, &s), *n;
  write_dense(m, p.to, dtype);
  struct error err = {0};
  assert_ok(model_open(&n, p.to, &err));
  static float x[96 * 32], y[96 * 32];
  assert_ok(model_read(m, SLOT_EMBED, 0, 0, 0, x, &err));
  assert_ok(model_read(n, SLOT_EMBED, 0, 0, 0, y, &err));
  assert_memory_equal(x, y, sizeof x); /* the maker's numbers are exact in every dtype */
  assert_ok(model_linear_read(m, 1, 6, x, &err));
  assert_ok(model_linear_read(n, 1, 6, y, &err));
  assert_memory_equal(x, y, sizeof(float) * 64 * 32);
  size_t size;
  char *config = folder_get(p.to, "config.json", &size);
  assert_non_null(strstr(config, named));
  assert_non_null(strstr(config, "\"rms_norm_eps\": 1e-05"));
  free(config);
  struct safetensors file;
  char path[FOLDER_PATH];
  assert_ok(safetensors_open(&file, folder_path(path, p.to, "model.safetensors"), &err));
  for (size_t i = 0; i < file.count; i++) {
    assert_string_equal(dtype_name(file.tensors[i].dtype), stored);
  }
  safetensors_close(&file);
  model_close(m);
  model_close(n);
  folder_remove(p.base);
}

static void test_a_dtype_converts_tensors_and_configuration(void **state) {
  (void)state;
  convert("F32", MODEL_DTYPE_BF16, "BF16", "\"torch_dtype\": \"bfloat16\"");
  convert("F32", MODEL_DTYPE_F16, "F16", "\"torch_dtype\": \"float16\"");
  convert("BF16", MODEL_DTYPE_F32, "F32", "\"torch_dtype\": \"float32\"");
  convert("BF16", MODEL_DTYPE_F16, "F16", "\"torch_dtype\": \"float16\"");
}

static void test_kept_weights_do_not_round_to_zero(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {.dtype = "F16"};
  struct model *m = open_made(&p, &s), *n;
  struct model_writer *w;
  struct error err = {0};
  static float weights[32 * 32], stored[32 * 32];
  const float in[] = {1e-30f, -1e-30f, 0, -0.0f, 0x1p-25f, 0x1.8p-24f, 1.0f + 0x1p-11f, 65504};
  const float out[] = {0x1p-24f, -0x1p-24f, 0, -0.0f, 0x1p-24f, 0x1p-23f, 1.0f, 65504};
  memcpy(weights, in, sizeof in);
  assert_ok(model_writer_open(&w, m, p.to, MODEL_DTYPE_SOURCE, &err));
  assert_ok(model_writer_put(w, 0, 0, weights, &err));
  weights[33] = 65520;
  assert_fails(model_writer_put(w, 0, 1, weights, &err), STATUS_NUMERIC,
               "tensor model.layers.0.self_attn.k_proj.weight: 65520 is too large for F16");
  weights[33] = NAN;
  assert_fails(model_writer_put(w, 0, 1, weights, &err), STATUS_NUMERIC,
               "k_proj.weight: not finite at element [1, 1]");
  assert_ok(model_writer_finish(w, &err));
  assert_ok(model_open(&n, p.to, &err));
  assert_ok(model_linear_read(n, 0, 0, stored, &err));
  assert_memory_equal(stored, out, sizeof out);
  /* The linear whose put failed is the source's. */
  assert_ok(model_linear_read(m, 0, 1, weights, &err));
  assert_ok(model_linear_read(n, 0, 1, stored, &err));
  assert_memory_equal(stored, weights, sizeof weights);
  model_close(m);
  model_close(n);
  folder_remove(p.base);
}

/* A tied llama of one block in two shards: q, k, v in the first beside a mask, a frequency buffer
 * and a tensor that the index does not name. */
static void make_sharded(const char *folder) {
  static const char *const vectors[] = {"model.norm.weight",
                                        "model.layers.0.input_layernorm.weight",
                                        "model.layers.0.post_attention_layernorm.weight"};
  static const char *const squares[] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                        "self_attn.o_proj", "mlp.gate_proj",    "mlp.up_proj",
                                        "mlp.down_proj"};
  char header[2][4096] = {"{\"__metadata__\":{\"format\":\"pt\"}", "{\"__metadata__\":{}"};
  char map[4096] = "{\"metadata\":{\"total_size\":1},\"weight_map\":{";
  size_t end[2] = {0, 0}, at;
  (void)mkdir(folder, 0777);
#define ADD(shard, name, dtype, shape, bytes)                                                      \
  do {                                                                                             \
    at = strlen(header[shard]);                                                                    \
    (void)snprintf(header[shard] + at, sizeof header[shard] - at,                                  \
                   ",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}", name,     \
                   dtype, shape, end[shard], end[shard] + (bytes));                                \
    end[shard] += (bytes);                                                                         \
  } while (0)
#define CLOSE(text, end) (void)snprintf((text) + strlen(text), sizeof(text) - strlen(text), end)
#define NAME(shard, name)                                                                          \
  do {                                                                                             \
    at = strlen(map);                                                                              \
    (void)snprintf(map + at, sizeof map - at, "%s\"%s\":\"model-0000%d-of-00002.safetensors\"",    \
                   map[at - 1] == '{' ? "" : ",", name, (shard) + 1);                              \
  } while (0)
  ADD(0, "mask", "BOOL", "[1,1,3]", 3);
  ADD(0, "model.layers.0.self_attn.rotary_emb.inv_freq", "F32", "[2]", 8);
  ADD(0, "unnamed", "F16", "[3]", 6);
  NAME(0, "mask");
  NAME(0, "model.layers.0.self_attn.rotary_emb.inv_freq");
  for (int i = 0; i < 7; i++) {
    char name[64];
    (void)snprintf(name, sizeof name, "model.layers.0.%s.weight", squares[i]);
    ADD(i >= 3, name, "F32", "[8,8]", 256);
    NAME(i >= 3, name);
  }
  for (int i = 0; i < 3; i++) {
    ADD(1, vectors[i], "F32", "[8]", 32);
    NAME(1, vectors[i]);
  }
  ADD(1, "model.embed_tokens.weight", "F32", "[10,8]", 320);
  NAME(1, "model.embed_tokens.weight");
  CLOSE(header[0], "}");
  CLOSE(header[1], "}");
  CLOSE(map, "}}");
  folder_tensors(folder, "model-00001-of-00002.safetensors", header[0], end[0]);
  folder_tensors(folder, "model-00002-of-00002.safetensors", header[1], end[1]);
  folder_text(folder, "model.safetensors.index.json", map);
  folder_text(folder, "config.json",
              "{\"model_type\":\"llama\",\"hidden_size\":8,\"intermediate_size\":8,"
              "\"num_hidden_layers\":1,\"num_attention_heads\":2,\"vocab_size\":10,"
              "\"tie_word_embeddings\":true}");
}

static void put_ones(struct model_writer *w) {
  static float ones[64];
  struct error err = {0};
  for (int i = 0; i < 64; i++) {
    ones[i] = 1;
  }
  assert_ok(model_writer_put(w, 0, 1, ones, &err));
  assert_ok(model_writer_put(w, 0, 6, ones, &err));
}

static void test_a_sharded_source_gives_the_same_shards(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  make_sharded(p.from);
  struct model *m, *n;
  struct model_writer *w;
  struct error err = {0};
  assert_ok(model_open(&m, p.from, &err));
  assert_ok(model_writer_open(&w, m, p.to, MODEL_DTYPE_SOURCE, &err));
  put_ones(w);
  assert_ok(model_writer_finish(w, &err));
  assert_int_equal(folder_count(p.to), 4);
  assert_same_file(p.from, p.to, "model.safetensors.index.json");
  assert_same_file(p.from, p.to, "config.json");
  assert_ok(model_open(&n, p.to, &err));
  float x[64];
  for (int i = 0; i < 7; i++) {
    assert_ok(model_linear_read(n, 0, i, x, &err));
    assert_float_equal(x[63], i == 1 || i == 6, 0);
  }
  model_close(n);
  model_close(m);
  folder_remove(p.base);
}

static void test_a_dtype_leaves_buffers_and_aligns_every_element(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  make_sharded(p.from);
  struct model *m, *n;
  struct error err = {0};
  assert_ok(model_open(&m, p.from, &err));
  write_dense(m, p.to, MODEL_DTYPE_BF16);
  assert_ok(model_open(&n, p.to, &err));
  struct shards s;
  assert_ok(shards_open(&s, p.to, &err));
  for (size_t f = 0; f < s.count; f++) {
    for (size_t i = 0; i < s.files[f].count; i++) {
      const struct tensor *t = &s.files[f].tensors[i];
      const char *wanted = strstr(t->name, "inv_freq")    ? "F32"
                           : strcmp(t->name, "mask") == 0 ? "BOOL"
                                                          : "BF16";
      assert_string_equal(dtype_name(t->dtype), wanted);
      assert_int_equal((uintptr_t)t->at % (dtype_bits(t->dtype) / 8), 0);
    }
  }
  assert_string_equal(s.files[0].tensors[0].name, "mask");
  shards_close(&s);
  size_t size;
  char *index = folder_get(p.to, "model.safetensors.index.json", &size);
  assert_null(strstr(index, "\"total_size\":\t1,"));
  assert_non_null(strstr(index, "\"total_size\":\t1121")); /* 3 + 8 + 6 + 2 · (448 + 24 + 80) */
  free(index);
  char *config = folder_get(p.to, "config.json", &size);
  assert_non_null(strstr(config, "\"torch_dtype\": \"bfloat16\""));
  free(config);
  model_close(n);
  model_close(m);
  folder_remove(p.base);
}

static void refuse_target(const struct place *p, const struct model *m, const char *to, status code,
                          const char *part) {
  struct model_writer *w;
  struct error err = {0};
  int before = folder_count(p->base);
  assert_fails(model_writer_open(&w, m, to, MODEL_DTYPE_SOURCE, &err), code, part);
  assert_int_equal(folder_count(p->base), before);
}

static void test_only_a_new_or_an_empty_folder_is_written(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {0};
  struct model *m = open_made(&p, &s), *n;
  struct error err = {0};
  char path[FOLDER_PATH];
  refuse_target(&p, m, p.from, STATUS_INPUT, "from: not empty");
  refuse_target(&p, m, folder_path(path, p.from, "config.json"), STATUS_INPUT, "config.json");
  refuse_target(&p, m, folder_path(path, p.base, "no/to"), STATUS_INPUT, "no: no such folder");
  refuse_target(&p, m, "", STATUS_INPUT, "name is empty");
  refuse_target(&p, m, folder_path(path, p.from, "config.json/to"), STATUS_INPUT, "no such folder");
  assert_int_equal(mkdir(p.to, 0777), 0);
  write_dense(m, folder_path(path, p.base, "to//"), MODEL_DTYPE_SOURCE);
  assert_int_equal(folder_count(p.base), 2);
  refuse_target(&p, m, p.to, STATUS_INPUT, "not empty");
  assert_int_equal(mkdir(folder_path(path, p.base, "real"), 0777), 0);
  char link[FOLDER_PATH];
  assert_int_equal(symlink("real", folder_path(link, p.base, "link")), 0);
  write_dense(m, link, MODEL_DTYPE_SOURCE);
  assert_ok(model_open(&n, path, &err));
  model_close(n);
  assert_int_equal(symlink("nowhere", folder_path(link, p.base, "dead")), 0);
  refuse_target(&p, m, link, STATUS_INPUT, "link to nowhere");
  model_close(m);
  folder_remove(p.base);
}

static void test_failure_leaves_nothing(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {0};
  struct model *m = open_made(&p, &s);
  struct model_writer *w;
  struct error err = {0};
  assert_ok(model_writer_open(&w, m, p.to, MODEL_DTYPE_SOURCE, &err));
  model_writer_abandon(w);
  assert_int_equal(folder_count(p.base), 1);

  /* Somebody fills the place meanwhile: theirs stays, ours goes. */
  assert_ok(model_writer_open(&w, m, p.to, MODEL_DTYPE_SOURCE, &err));
  assert_int_equal(mkdir(p.to, 0777), 0);
  folder_text(p.to, "theirs", "x");
  assert_fails(model_writer_finish(w, &err), STATUS_IO, p.to);
  assert_int_equal(folder_count(p.base), 2);
  assert_int_equal(folder_count(p.to), 1);
  model_close(m);
  folder_remove(p.base);
}

static void test_a_disk_that_refuses_leaves_nothing(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {0};
  struct model *m = open_made(&p, &s);
  struct model_writer *w;
  struct error err = {0};
  struct rlimit old, small;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
  small = old;
  small.rlim_cur = 10000; /* bytes: less than the tensors, more than config.json */
  assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
  status st = model_writer_open(&w, m, p.to, MODEL_DTYPE_SOURCE, &err);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
  assert_fails(st, STATUS_IO, "model.safetensors: File too large");
  assert_int_equal(folder_count(p.base), 1);
  refuse_target(&p, m, "/proc/to", STATUS_IO, "/proc: no folder can be made here");
  model_close(m);
  folder_remove(p.base);
}

static void test_a_failed_conversion_leaves_nothing(void **state) {
  (void)state;
  struct place p;
  place_make(&p);
  struct checkpoint_shape s = {0};
  assert_true(make_checkpoint(p.from, &s));
  size_t size;
  char *bytes = folder_get(p.from, "model.safetensors", &size);
  float large = 1e9f;
  memcpy(bytes + size - sizeof large, &large, sizeof large);
  folder_put(p.from, "model.safetensors", bytes, size);
  free(bytes);
  struct model *m;
  struct model_writer *w;
  struct error err = {0};
  assert_ok(model_open(&m, p.from, &err));
  assert_fails(model_writer_open(&w, m, p.to, MODEL_DTYPE_F16, &err), STATUS_NUMERIC,
               "tensor lm_head.weight: 1e+09 is too large for F16");
  assert_int_equal(folder_count(p.base), 1);
  model_close(m);
  folder_remove(p.base);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_an_unpruned_copy_is_the_same_file),
      cmocka_unit_test(test_untouched_tensors_keep_their_bytes),
      cmocka_unit_test(test_a_dtype_converts_tensors_and_configuration),
      cmocka_unit_test(test_kept_weights_do_not_round_to_zero),
      cmocka_unit_test(test_a_sharded_source_gives_the_same_shards),
      cmocka_unit_test(test_a_dtype_leaves_buffers_and_aligns_every_element),
      cmocka_unit_test(test_only_a_new_or_an_empty_folder_is_written),
      cmocka_unit_test(test_failure_leaves_nothing),
      cmocka_unit_test(test_a_disk_that_refuses_leaves_nothing),
      cmocka_unit_test(test_a_failed_conversion_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
