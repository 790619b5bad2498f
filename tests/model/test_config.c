/* config.json: what each key means, and which values are refused by name. */
#include <math.h>

#include "folder.h"
#include "make_checkpoint.h"
#include "model/config.h"

static const struct checkpoint_shape llama = {.kv_heads = 2}, opt = {.type = "opt", .tied = true};

/* A checkpoint with more keys; those given here win over the maker's, for the last key counts. */
static struct model *open_with(const struct checkpoint_shape *shape, const char *keys) {
  char folder[FOLDER_PATH];
  folder_make(folder);
  struct checkpoint_shape s = *shape;
  s.keys = keys;
  assert_true(make_checkpoint(folder, &s));
  struct model *m;
  struct error err = {0};
  assert_ok(model_open(&m, folder, &err));
  folder_remove(folder);
  return m;
}

static void refuse(const struct checkpoint_shape *shape, const char *keys, status code,
                   const char *part) {
  char folder[FOLDER_PATH];
  folder_make(folder);
  struct checkpoint_shape s = *shape;
  s.keys = keys;
  assert_true(make_checkpoint(folder, &s));
  struct model *m;
  struct error err = {0};
  assert_fails(model_open(&m, folder, &err), code, part);
  folder_remove(folder);
}

static void test_llama_without_optional_keys_gets_transformers_defaults(void **state) {
  (void)state;
  struct model *m = open_with(&llama, NULL);
  const struct model_config *c = model_config(m);
  assert_string_equal(model_type(m), "llama");
  assert_int_equal(c->hidden, 32);
  assert_int_equal(c->blocks, 2);
  assert_int_equal(c->vocab, 96);
  assert_int_equal(c->positions, 64);
  assert_int_equal(c->heads, 4);
  assert_int_equal(c->kv_heads, 2);
  assert_int_equal(c->head_dim, 8);
  assert_int_equal(c->ffn, 64);
  assert_int_equal(c->norm, NORM_RMS);
  assert_float_equal(c->norm_eps, 1e-5, 1e-12);
  assert_int_equal(c->block, BLOCK_PRE_NORM);
  assert_int_equal(c->activation, ACTIVATION_SILU);
  assert_true(c->gated);
  assert_float_equal(c->attention_scale, 1 / sqrt(8), 1e-7);
  assert_int_equal(c->position, POSITION_ROPE_HALF);
  assert_int_equal(c->rope_dims, 8);
  assert_float_equal(c->rope_theta, 10000, 0);
  assert_int_equal(c->rope_scaling, ROPE_PLAIN);
  assert_true(c->final_norm);
  assert_int_equal(c->embed_dim, 32);
  assert_false(c->tied);
  assert_int_equal(c->bos, 1);
  assert_int_equal(c->eos, 2);
  model_close(m);
}

static void test_opt_without_optional_keys_gets_transformers_defaults(void **state) {
  (void)state;
  struct model *m = open_with(&opt, NULL);
  const struct model_config *c = model_config(m);
  assert_int_equal(c->kv_heads, 4);
  assert_int_equal(c->norm, NORM_LAYER);
  assert_float_equal(c->norm_eps, 1e-5, 1e-12);
  assert_int_equal(c->block, BLOCK_PRE_NORM);
  assert_int_equal(c->activation, ACTIVATION_RELU);
  assert_false(c->gated);
  assert_int_equal(c->position, POSITION_LEARNED);
  assert_int_equal(c->position_offset, 2);
  assert_true(c->final_norm);
  assert_true(c->tied);
  assert_int_equal(c->embed_dim, 32);
  assert_true(model_has_bias(m, SLOT_Q, 1));
  assert_false(model_has(m, SLOT_GATE, 0));
  assert_false(model_has(m, SLOT_HEAD, 0));
  assert_false(model_has(m, SLOT_PROJECT_IN, 0));
  model_close(m);
}

static void test_rope_keys_of_both_generations(void **state) {
  (void)state;
  static const struct {
    const char *keys;
    enum rope_scaling scaling;
    double theta, factor;
  } cases[] = {
      {"\"rope_theta\": 500,", ROPE_PLAIN, 500, 1},
      {"\"rope_theta\": 500, \"rope_parameters\": {\"rope_theta\": 7.5},", ROPE_PLAIN, 7.5, 1},
      {"\"rope_theta\": 500, \"rope_parameters\": {\"rope_type\": \"default\"},", ROPE_PLAIN, 500,
       1},
      {"\"rope_scaling\": null, \"rope_theta\": null,", ROPE_PLAIN, 10000, 1},
      {"\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4.0},", ROPE_LINEAR, 10000, 4},
      {"\"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2},", ROPE_LINEAR, 10000, 2},
      {"\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4.0}, \"rope_parameters\": "
       "{\"rope_type\": \"linear\", \"factor\": 3, \"rope_theta\": 5},",
       ROPE_LINEAR, 5, 3},
      {"\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 1, "
       "\"high_freq_factor\": 4, \"original_max_position_embeddings\": 32},",
       ROPE_LLAMA3, 10000, 8},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct model *m = open_with(&llama, cases[i].keys);
    const struct model_config *c = model_config(m);
    assert_int_equal(c->rope_scaling, cases[i].scaling);
    assert_float_equal(c->rope_theta, cases[i].theta, 0);
    assert_float_equal(c->rope_factor, cases[i].factor, 0);
    if (c->rope_scaling == ROPE_LLAMA3) {
      assert_float_equal(c->rope_low, 1, 0);
      assert_float_equal(c->rope_high, 4, 0);
      assert_int_equal(c->rope_original, 32);
    }
    model_close(m);
  }
}

static void test_activations_go_by_transformers_names(void **state) {
  (void)state;
  static const struct {
    const char *name;
    enum activation is;
  } cases[] = {
      {"silu", ACTIVATION_SILU},          {"swish", ACTIVATION_SILU},
      {"relu", ACTIVATION_RELU},          {"gelu", ACTIVATION_GELU},
      {"gelu_new", ACTIVATION_GELU_TANH}, {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char keys[128];
    (void)snprintf(keys, sizeof keys, "\"hidden_act\": \"%s\", \"activation_function\": \"%s\",",
                   cases[i].name, cases[i].name);
    struct model *m = open_with(&llama, keys), *n = open_with(&opt, keys);
    assert_int_equal(model_config(m)->activation, cases[i].is);
    assert_int_equal(model_config(n)->activation, cases[i].is);
    model_close(m);
    model_close(n);
  }
}

static void test_special_ids_may_be_lists_or_null(void **state) {
  (void)state;
  struct checkpoint_shape s = llama;
  struct model *m = open_with(&s, "\"bos_token_id\": null, \"eos_token_id\": [7, 8],");
  /* The maker's own keys stand before these, and the last of two equal keys counts. */
  assert_int_equal(model_bos(m), -1);
  assert_int_equal(model_eos(m), 7);
  model_close(m);
  refuse(&llama, "\"eos_token_id\": \"x\",", STATUS_INPUT, "key eos_token_id is not a token id");
}

static void test_opt_norm_keys(void **state) {
  (void)state;
  struct model *m = open_with(&opt, "\"_remove_final_layer_norm\": true,");
  assert_false(model_config(m)->final_norm);
  assert_false(model_has(m, SLOT_FINAL_NORM, 0));
  model_close(m);
  m = open_with(&opt, "\"do_layer_norm_before\": false,");
  assert_int_equal(model_config(m)->block, BLOCK_POST_NORM);
  assert_false(model_config(m)->final_norm);
  model_close(m);
  m = open_with(&opt, "\"enable_bias\": false,");
  assert_false(model_has_bias(m, SLOT_UP, 0));
  assert_true(model_has_bias(m, SLOT_MLP_NORM, 0));
  model_close(m);
  refuse(&opt, "\"layer_norm_elementwise_affine\": false,", STATUS_UNSUPPORTED,
         "key layer_norm_elementwise_affine is false");
}

static void test_numbers_may_be_written_as_floats(void **state) {
  (void)state;
  struct model *m = open_with(&llama, "\"hidden_size\": 32.0, \"head_dim\": 8.0,");
  assert_int_equal(model_hidden(m), 32);
  model_close(m);
}

static void test_impossible_values_are_refused_by_key(void **state) {
  (void)state;
  static const struct {
    const char *keys;
    status code;
    const char *part;
  } cases[] = {
      {"\"hidden_size\": \"32\",", STATUS_INPUT, "config.json: key hidden_size is not an integer"},
      {"\"hidden_size\": 32.5,", STATUS_INPUT, "key hidden_size is not an integer"},
      {"\"hidden_size\": 0,", STATUS_INPUT, "key hidden_size is not an integer from 1"},
      {"\"hidden_size\": null,", STATUS_INPUT, "key hidden_size is missing"},
      {"\"hidden_size\": 1e300,", STATUS_INPUT, "key hidden_size is not an integer"},
      {"\"num_hidden_layers\": -1,", STATUS_INPUT, "key num_hidden_layers is not"},
      {"\"num_attention_heads\": 5,", STATUS_INPUT, "not a multiple of num_attention_heads 5"},
      {"\"num_key_value_heads\": 3,", STATUS_INPUT, "key num_key_value_heads is 3"},
      {"\"num_key_value_heads\": 8,", STATUS_INPUT, "key num_key_value_heads is not an integer"},
      {"\"head_dim\": 7,", STATUS_INPUT, "key head_dim gives heads of 7 numbers"},
      {"\"rms_norm_eps\": 0,", STATUS_INPUT, "key rms_norm_eps is not a number above 0"},
      {"\"rope_theta\": -1,", STATUS_INPUT, "key rope_theta is not a number above 0"},
      {"\"tie_word_embeddings\": 1,", STATUS_INPUT,
       "key tie_word_embeddings is neither true nor false"},
      {"\"hidden_act\": \"quick_gelu\",", STATUS_UNSUPPORTED,
       "key hidden_act is 'quick_gelu', which is not handled (known: silu"},
      {"\"hidden_act\": 3,", STATUS_INPUT, "key hidden_act is not a string"},
      {"\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 2},", STATUS_UNSUPPORTED,
       "key rope_scaling.rope_type is 'yarn', which is not handled"},
      {"\"rope_scaling\": {\"type\": \"dynamic\", \"factor\": 2},", STATUS_UNSUPPORTED,
       "key rope_scaling.type is 'dynamic'"},
      {"\"rope_scaling\": {\"type\": \"mrope\"},", STATUS_UNSUPPORTED, "is 'mrope'"},
      {"\"rope_scaling\": {\"type\": \"default\", \"mrope_section\": [1]},", STATUS_UNSUPPORTED,
       "key rope_scaling.mrope_section is not handled"},
      {"\"rope_scaling\": 2,", STATUS_INPUT, "key rope_scaling is not a map"},
      {"\"rope_scaling\": {\"type\": \"linear\"},", STATUS_INPUT,
       "key rope_scaling.factor is missing"},
      {"\"rope_parameters\": {\"rope_type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 4, "
       "\"high_freq_factor\": 4, \"original_max_position_embeddings\": 32},",
       STATUS_INPUT, "key rope_parameters.high_freq_factor is 4, not above low_freq_factor 4"},
      {"\"rope_parameters\": {\"partial_rotary_factor\": 0.5},", STATUS_UNSUPPORTED,
       "key rope_parameters.partial_rotary_factor is 0.5"},
      {"\"quantization_config\": {},", STATUS_UNSUPPORTED,
       "key quantization_config is not handled"},
      {"\"model_type\": \"llamma\",", STATUS_UNSUPPORTED,
       "key model_type is 'llamma', which is not handled (known: llama, opt"},
      {"\"model_type\": null,", STATUS_INPUT, "key model_type is missing"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    refuse(&llama, cases[i].keys, cases[i].code, cases[i].part);
  }
}

static void test_shapes_that_disagree_name_tensor_and_key(void **state) {
  (void)state;
  static const struct {
    bool opt;
    const char *keys, *part;
  } cases[] = {
      {false, "\"hidden_size\": 64,",
       "model.safetensors: tensor model.embed_tokens.weight has shape [96, 32], config.json's "
       "hidden_size gives [96, 64]"},
      {false, "\"vocab_size\": 97,", "config.json's vocab_size gives [97, 32]"},
      {false, "\"intermediate_size\": 65,",
       "tensor model.layers.0.mlp.gate_proj.weight has shape [64, 32], config.json's "
       "intermediate_size gives [65, 32]"},
      {false, "\"num_key_value_heads\": 4,",
       "tensor model.layers.0.self_attn.k_proj.weight has shape [16, 32], config.json's "
       "num_key_value_heads gives [32, 32]"},
      {false, "\"head_dim\": 10,", "tensor model.layers.0.self_attn.q_proj.weight has shape"},
      {true, "\"max_position_embeddings\": 65,",
       "tensor model.decoder.embed_positions.weight has shape [66, 32], config.json's "
       "max_position_embeddings gives [67, 32]"},
      {true, "\"ffn_dim\": 63,",
       "tensor model.decoder.layers.0.fc1.weight has shape [64, 32], config.json's ffn_dim gives "
       "[63, 32]"},
      {true, "\"word_embed_proj_dim\": 16,", "config.json's word_embed_proj_dim gives [96, 16]"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    refuse(cases[i].opt ? &opt : &llama, cases[i].keys, STATUS_INPUT, cases[i].part);
  }
}

static void test_missing_tensors_are_refused_by_name(void **state) {
  (void)state;
  refuse(&llama, "\"num_hidden_layers\": 3,", STATUS_INPUT,
         "model.safetensors: tensor model.layers.2.input_layernorm.weight is missing");
  refuse(&llama, "\"attention_bias\": true,", STATUS_INPUT,
         "tensor model.layers.0.self_attn.q_proj.bias is missing");
  refuse(&llama, "\"mlp_bias\": true,", STATUS_INPUT,
         "tensor model.layers.0.mlp.gate_proj.bias is missing");
  struct checkpoint_shape tied = llama;
  tied.tied = true;
  refuse(&tied, "\"tie_word_embeddings\": false,", STATUS_INPUT,
         "tensor lm_head.weight is missing (config.json's tie_word_embeddings is false)");
  struct checkpoint_shape odd = llama;
  odd.prefix = "transformer.";
  refuse(&odd, NULL, STATUS_INPUT,
         "tensor model.embed_tokens.weight is missing (nor is there embed_tokens.weight)");
}

static void test_folders_without_their_files_are_refused(void **state) {
  (void)state;
  char folder[FOLDER_PATH], path[FOLDER_PATH];
  folder_make(folder);
  struct model *m;
  struct error err = {0};
  assert_fails(model_open(&m, folder_path(path, folder, "none"), &err), STATUS_INPUT,
               "none: no such folder");
  assert_fails(model_open(&m, folder, &err), STATUS_IO, "config.json: No such file");
  folder_text(folder, "config.json", "{\"model_type\": ");
  assert_fails(model_open(&m, folder, &err), STATUS_INPUT, "config.json: not a JSON object");
  folder_text(folder, "config.json", "[1]");
  assert_fails(model_open(&m, folder, &err), STATUS_INPUT, "config.json: not a JSON object");
  assert_true(make_checkpoint(folder, &llama));
  assert_int_equal(remove(folder_path(path, folder, "model.safetensors")), 0);
  assert_fails(model_open(&m, folder, &err), STATUS_INPUT, "no weights (expected");
  folder_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_llama_without_optional_keys_gets_transformers_defaults),
      cmocka_unit_test(test_opt_without_optional_keys_gets_transformers_defaults),
      cmocka_unit_test(test_rope_keys_of_both_generations),
      cmocka_unit_test(test_activations_go_by_transformers_names),
      cmocka_unit_test(test_special_ids_may_be_lists_or_null),
      cmocka_unit_test(test_opt_norm_keys),
      cmocka_unit_test(test_numbers_may_be_written_as_floats),
      cmocka_unit_test(test_impossible_values_are_refused_by_key),
      cmocka_unit_test(test_shapes_that_disagree_name_tensor_and_key),
      cmocka_unit_test(test_missing_tensors_are_refused_by_name),
      cmocka_unit_test(test_folders_without_their_files_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
