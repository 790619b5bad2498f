/* What the families' configuration keys do: each named mistake moves the reference's logits as far
 * as its index says. What every family must keep: taps, packing, prefixes. */
#include <unistd.h>

#include "linalg/matmul.h"
#include "reference.h"

static char families[FOLDER_PATH];

/* A reference checkpoint with keys added to its config.json, where the last of equals counts. */
static status open_edited(struct model **out, const char *name, const char *keys,
                          struct error *err) {
  char folder[FOLDER_PATH], made[FOLDER_PATH], from[FOLDER_PATH], to[FOLDER_PATH];
  size_t size;
  folder_make(made);
  char *text = folder_get(folder_path(folder, families, name), "config.json", &size);
  char *end = strrchr(text, '}');
  assert_non_null(end);
  *end = '\0';
  char *edited = malloc(size + strlen(keys) + 4);
  assert_non_null(edited);
  (void)sprintf(edited, "%s,%s}", text, keys);
  folder_text(made, "config.json", edited);
  assert_int_equal(symlink(folder_path(from, folder, "model.safetensors"),
                           folder_path(to, made, "model.safetensors")),
                   0);
  status st = model_open(out, made, err);
  folder_remove(made);
  free(edited);
  free(text);
  return st;
}

static const struct {
  const char *folder, *mistake, *keys;
} mistakes[] = {
    {"llama", "rope_theta_500000", "\"rope_theta\": 500000"},
    {"llama", "silu_as_gelu", "\"hidden_act\": \"gelu\""},
    {"llama3", "rope_theta_ignored", "\"rope_theta\": 10000"},
    {"llama3", "rope_scaling_removed", "\"rope_scaling\": null"},
    {"llama-linear", "rope_scaling_removed", "\"rope_scaling\": null"},
    {"opt", "relu_as_gelu", "\"activation_function\": \"gelu\""},
    {"opt", "final_norm_dropped", "\"_remove_final_layer_norm\": true"},
    {"opt-350m", "relu_as_gelu", "\"activation_function\": \"gelu\""},
    {"gpt2", "gelu_tanh_as_exact", "\"activation_function\": \"gelu\""},
    {"gpt2-scaled", "gelu_exact_as_tanh", "\"activation_function\": \"gelu_new\""},
    {"gpt2-scaled", "inverse_layer_scale_ignored", "\"scale_attn_by_inverse_layer_idx\": false"},
    {"gpt_neox", "parallel_residual_flipped", "\"use_parallel_residual\": false"},
    {"gpt_neox", "rotary_pct_1", "\"rotary_pct\": 1"},
    {"gpt_neox-serial", "parallel_residual_flipped", "\"use_parallel_residual\": true"},
    {"gpt_neox-serial", "rotary_pct_0.25", "\"rotary_pct\": 0.25"},
    {"gpt_neox-serial", "rotary_emb_base_ignored", "\"rotary_emb_base\": 10000"},
    {"gptj", "rotary_dim_is_head_dim", "\"rotary_dim\": 12"},
    {"gptj", "gelu_tanh_as_exact", "\"activation_function\": \"gelu\""},
    {"mistral", "window_removed", "\"sliding_window\": null"},
    {"mistral", "window_off_by_one", "\"sliding_window\": 13"},
    {"mistral", "rope_theta_ignored", "\"rope_theta\": 10000"},
    {"qwen2", "window_used_although_off", "\"use_sliding_window\": true, \"max_window_layers\": 0"},
    {"qwen2-window", "window_removed", "\"use_sliding_window\": false"},
    {"qwen2-window", "window_everywhere", "\"max_window_layers\": 0"},
    {"qwen2-window", "window_in_first_layers_instead",
     "\"layer_types\": [\"sliding_attention\", \"full_attention\", \"full_attention\"]"},
    {"qwen3", "rope_theta_ignored", "\"rope_theta\": 10000"},
    {"gemma", "gelu_as_silu", "\"hidden_act\": \"silu\""},
    {"gemma", "rope_theta_500000", "\"rope_theta\": 500000"},
    {"gemma2", "attention_softcap_off", "\"attn_logit_softcapping\": null"},
    {"gemma2", "final_softcap_off", "\"final_logit_softcapping\": null"},
    {"gemma2", "window_removed", "\"sliding_window\": null"},
    {"gemma2", "window_off_by_one", "\"sliding_window\": 12"},
    {"gemma2", "window_in_odd_layers_instead",
     "\"layer_types\": [\"full_attention\", \"sliding_attention\", \"full_attention\"]"},
    {"gemma2", "scale_from_head_dim", "\"query_pre_attn_scalar\": 10"},
    {"gemma2", "gelu_tanh_as_exact", "\"hidden_activation\": \"gelu\""},
    {"gemma3", "pattern_key_ignored_6", "\"sliding_window_pattern\": 6"},
    {"gemma3", "local_rope_base_is_global", "\"rope_local_base_freq\": 1000000"},
    {"gemma3", "global_rope_base_is_local", "\"rope_theta\": 10000"},
    {"gemma3", "window_removed", "\"sliding_window\": 1000"},
    {"gemma3-v5", "final_softcap_off", "\"final_logit_softcapping\": null"},
    {"gemma3-v5", "rope_scaling_removed",
     "\"rope_parameters\": {\"full_attention\": {\"rope_theta\": 100000}}"},
    {"phi", "partial_rotary_full", "\"partial_rotary_factor\": 1"},
    {"phi", "gelu_tanh_as_exact", "\"hidden_act\": \"gelu\""},
    {"phi3", "window_removed", "\"sliding_window\": null"},
    {"phi3", "rope_theta_500000", "\"rope_theta\": 500000"},
    {"phi3-longrope", "rope_scaling_removed", "\"rope_scaling\": null"},
    {"phi3-longrope", "short_factor_always",
     "\"rope_scaling\": {\"type\": \"su\", \"short_factor\": [1.0, 1.05, 1.1, 1.3], "
     "\"long_factor\": [1.0, 1.05, 1.1, 1.3]}"},
    {"phi3-longrope", "long_factor_always",
     "\"rope_scaling\": {\"type\": \"yarn\", \"short_factor\": [1.0, 1.3, 2.5, 4.0], "
     "\"long_factor\": [1.0, 1.3, 2.5, 4.0]}"},
    {"phi3-longrope", "attention_factor_1",
     "\"rope_scaling\": {\"rope_type\": \"longrope\", \"attention_factor\": 1, "
     "\"short_factor\": [1.0, 1.05, 1.1, 1.3], \"long_factor\": [1.0, 1.3, 2.5, 4.0]}"},
    {"bloom", "residual_from_norm", "\"apply_residual_connection_post_layernorm\": true"},
    {"falcon-7b", "rope_theta_500000", "\"rope_theta\": 500000"},
    {"falcon-40b", "gelu_exact_as_tanh", "\"activation\": \"gelu_new\""},
    {"falcon-rw", "gelu_exact_as_tanh", "\"activation\": \"gelu_new\""},
    {"stablelm", "partial_rotary_full", "\"partial_rotary_factor\": 1"},
    {"stablelm-12b", "partial_rotary_full", "\"partial_rotary_factor\": 1"},
    {"olmo2", "rope_theta_ignored", "\"rope_theta\": 10000"},
    {"granite", "embedding_multiplier_off", "\"embedding_multiplier\": 1"},
    {"granite", "residual_multiplier_off", "\"residual_multiplier\": 1"},
    {"granite", "logits_scaling_off", "\"logits_scaling\": 1"},
    {"granite", "logits_multiplied_instead", "\"logits_scaling\": 0.625"},
    {"granite", "attention_multiplier_as_head_dim_scale",
     "\"attention_multiplier\": 0.3535533905932738"},
    {"mixtral", "top_1", "\"num_experts_per_tok\": 1"},
    {"mixtral", "all_experts", "\"num_experts_per_tok\": 4"},
    {"qwen3_moe", "norm_topk_prob_flipped", "\"norm_topk_prob\": false"},
    {"qwen3_moe", "top_2", "\"num_experts_per_tok\": 2"},
    {"olmoe", "norm_topk_prob_flipped", "\"norm_topk_prob\": true"},
    {"olmoe", "clip_qkv_off", "\"clip_qkv\": null"},
    {"olmoe", "top_1", "\"num_experts_per_tok\": 1"},
    {"mpt", "clip_qkv_off", "\"attn_config\": {}"},
    {"starcoder2", "window_removed", "\"sliding_window\": null"},
    {"starcoder2", "rope_theta_ignored", "\"rope_theta\": 10000"},
    {"cohere", "logit_scale_off", "\"logit_scale\": 1"},
};

static void a_mistaken_key_moves_the_logits_as_far_as_the_index_says(void **state) {
  (void)state;
  cJSON *index = reference_json(families, "index.json");
  int wrong = 0;
  for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
    const cJSON *folders = cJSON_GetObjectItemCaseSensitive(index, "folders");
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(folders, mistakes[i].folder);
    const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(entry, "sensitivity"), mistakes[i].mistake);
    assert_true(cJSON_IsNumber(wanted));
    struct model *m;
    struct error err;
    char folder[FOLDER_PATH];
    assert_ok(open_edited(&m, mistakes[i].folder, mistakes[i].keys, &err));
    double got = reference_difference(m, folder_path(folder, families, mistakes[i].folder));
    if (!(fabs(got - wanted->valuedouble) <= 2e-3 * fmax(0.1, wanted->valuedouble))) {
      print_error("%s, %s: %g, not %g\n", mistakes[i].folder, mistakes[i].mistake, got,
                  wanted->valuedouble);
      wrong++;
    }
    model_close(m);
  }
  assert_int_equal(wrong, 0);
  cJSON_Delete(index);
}

static void keys_without_effect_have_none(void **state) {
  (void)state;
  static const struct {
    const char *folder, *keys;
  } cases[] = {
      {"mpt", "\"learned_pos_emb\": false, \"expansion_ratio\": 2, \"logit_scale\": 3"},
      {"gemma2", "\"hidden_act\": \"relu\""},
      {"falcon-40b", "\"multi_query\": false"},
      {"qwen2", "\"sliding_window\": 3"},
      {"gptj", "\"rope_theta\": 7"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct model *m;
    struct error err;
    char folder[FOLDER_PATH];
    assert_ok(open_edited(&m, cases[i].folder, cases[i].keys, &err));
    assert_true(reference_difference(m, folder_path(folder, families, cases[i].folder)) < 1e-3);
    model_close(m);
  }
}

static void what_no_family_file_handles_is_refused_by_name(void **state) {
  (void)state;
  static const struct {
    const char *folder, *keys;
    status code;
    const char *part;
  } cases[] = {
      {"llama", "\"model_type\": \"mamba\"", STATUS_UNSUPPORTED,
       "is 'mamba', which is not handled"},
      {"llama", "\"partial_rotary_factor\": 0.5", STATUS_UNSUPPORTED, "key partial_rotary_factor"},
      {"gpt2", "\"add_cross_attention\": true", STATUS_UNSUPPORTED, "key add_cross_attention"},
      {"gpt2", "\"n_inner\": 40", STATUS_INPUT, "config.json's n_inner gives [32, 40]"},
      {"qwen3_moe", "\"mlp_only_layers\": [1]", STATUS_UNSUPPORTED, "key mlp_only_layers"},
      {"qwen3_moe", "\"decoder_sparse_step\": 2", STATUS_UNSUPPORTED, "key decoder_sparse_step"},
      {"qwen3_moe", "\"use_sliding_window\": true", STATUS_UNSUPPORTED, "key use_sliding_window"},
      {"mixtral", "\"num_experts_per_tok\": 5", STATUS_INPUT,
       "is 5, more than num_local_experts 4"},
      {"mixtral", "\"num_local_experts\": 5", STATUS_INPUT, "num_local_experts gives [5, 32]"},
      {"gemma2", "\"layer_types\": [\"full_attention\"]", STATUS_INPUT, "not a list of 3 layers"},
      {"gemma2", "\"layer_types\": [\"a\", \"b\", \"c\"]", STATUS_UNSUPPORTED, "has 'a', which"},
      {"gemma3-v5", "\"rope_parameters\": {\"sliding_attention\": {\"rope_type\": \"linear\"}}",
       STATUS_UNSUPPORTED, "key rope_parameters.sliding_attention.rope_type is 'linear'"},
      {"gemma3", "\"use_bidirectional_attention\": true", STATUS_UNSUPPORTED,
       "key use_bidirectional_attention"},
      {"phi3-longrope", "\"rope_scaling\": {\"type\": \"longrope\", \"short_factor\": [1]}",
       STATUS_INPUT, "key rope_scaling.short_factor is not a list of 4 numbers"},
      {"mistral", "\"rope_scaling\": {\"rope_type\": \"longrope\"}", STATUS_UNSUPPORTED,
       "is 'longrope', which is not handled"},
      {"mistral", "\"num_key_value_heads\": null", STATUS_INPUT,
       "num_key_value_heads gives [32, 32]"},
      {"gptj", "\"rotary_dim\": 7", STATUS_INPUT, "key rotary_dim"},
      {"falcon-40b", "\"parallel_attn\": false, \"num_ln_in_parallel_attn\": 1", STATUS_UNSUPPORTED,
       "key parallel_attn"},
      {"falcon-7b", "\"num_ln_in_parallel_attn\": 1, \"bias\": true", STATUS_INPUT,
       "tensor transformer.h.0.self_attention.query_key_value.bias is missing"},
      {"stablelm-12b", "\"qk_layernorm\": true, \"head_dim\": 4, \"num_attention_heads\": 2",
       STATUS_INPUT, "self_attn.q_layernorm.norms.0.weight has shape [8]"},
      {"phi", "\"qk_layernorm\": true", STATUS_INPUT, "self_attn.q_layernorm.weight is missing"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct model *m;
    struct error err = {0};
    assert_fails(open_edited(&m, cases[i].folder, cases[i].keys, &err), cases[i].code,
                 cases[i].part);
  }
}

/* Calls check for every reference checkpoint. */
static void for_each(void (*check)(const char *name, const struct model *m)) {
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

enum { TOKENS = 60 };

static void some_ids(const struct model *m, int32_t *ids) {
  for (int i = 0; i < TOKENS; i++) {
    ids[i] = (i * 31 + 7) % 89 % model_vocab(m);
  }
}

struct seen {
  const struct model *m;
  int last;     /* input of the last call */
  int64_t rows; /* of experts' MLPs, counted at their inner numbers */
};

static status look(void *user, int input, float *x, int rows, const struct batch *batch,
                   struct error *err) {
  struct seen *s = user;
  const struct model_config *c = model_config(s->m);
  (void)err;
  (void)x;
  bool first = input == 0, expert = c->experts > 0 && input >= 2;
  assert_true(first ? s->last < 0 || s->last >= 2 : input > s->last);
  assert_true(expert ? rows > 0 && rows <= batch->tokens : rows == batch->tokens);
  assert_true(expert || first || input == s->last + 1);
  s->rows += expert && input % 2 ? rows : 0;
  s->last = input;
  return STATUS_OK;
}

static void check_taps(const char *name, const struct model *m) {
  (void)name;
  int32_t ids[TOKENS];
  some_ids(m, ids);
  struct span span = {.length = TOKENS};
  struct batch batch = {ids, TOKENS, &span, 1};
  struct seen seen = {.m = m, .last = -1};
  struct tap tap = {&seen, look};
  float *with = reference_stream(m, &batch, &tap), *without = reference_stream(m, &batch, NULL);
  assert_memory_equal(with, without, TOKENS * (size_t)model_hidden(m) * sizeof *with);
  const struct model_config *c = model_config(m);
  assert_int_equal(seen.rows, (int64_t)c->experts_used * TOKENS * c->blocks);
  free(with);
  free(without);
}

static void taps_see_each_input_once_and_an_expert_its_own_tokens(void **state) {
  (void)state;
  for_each(check_taps);
}

struct cleared {
  int input, cols;
};

static status clear(void *user, int input, float *x, int rows, const struct batch *batch,
                    struct error *err) {
  const struct cleared *c = user;
  (void)batch;
  (void)err;
  if (input == c->input) {
    memset(x, 0, (size_t)rows * (size_t)c->cols * sizeof *x);
  }
  return STATUS_OK;
}

/* Block 0 behind the embedding: with one input cleared, and with the weights that read it. */
static void check_input(const struct model *m, int input, const struct batch *batch) {
  struct error err;
  struct workspace *w;
  struct block *b;
  size_t size = (size_t)batch->tokens * (size_t)model_hidden(m);
  float *x = malloc(size * sizeof *x), *y = malloc(size * sizeof *y);
  struct cleared cleared = {.input = input};
  struct tap tap = {&cleared, clear};
  int count;
  const struct linear *l = model_linears(m, &count);
  assert_ok(workspace_create(&w, m, &err));
  assert_ok(block_create(&b, m, &err));
  assert_ok(block_load(b, 0, NULL, &err));
  for (int i = 0; i < count; i++) {
    cleared.cols = l[i].input == input ? l[i].cols : cleared.cols;
  }
  assert_ok(forward_embed(m, w, batch, x, &err));
  assert_ok(forward_block(b, w, batch, x, &tap, &err));
  for (int i = 0; i < count; i++) {
    if (l[i].input == input) {
      float *zeros = calloc((size_t)l[i].rows * (size_t)l[i].cols, sizeof *zeros);
      block_set_linear(b, i, zeros);
      free(zeros);
    }
  }
  assert_ok(forward_embed(m, w, batch, y, &err));
  assert_ok(forward_block(b, w, batch, y, NULL, &err));
  for (size_t i = 0; i < size; i++) {
    assert_true(x[i] == y[i]);
  }
  free(x);
  free(y);
  block_free(b);
  workspace_free(w);
}

/* Rows read apart are the whole's, of matrices that are stored transposed too. */
static void check_rows(const char *name, const struct model *m) {
  (void)name;
  struct error err;
  int count, block = model_blocks(m) - 1;
  const struct linear *l = model_linears(m, &count);
  for (int i = 0; i < count; i++) {
    size_t cols = (size_t)l[i].cols, size = (size_t)l[i].rows * cols;
    float *whole = malloc(size * sizeof *whole), *parts = calloc(size, sizeof *parts);
    assert_ok(model_linear_read(m, block, i, whole, &err));
    for (int first = 0, rows; first < l[i].rows; first += rows) {
      rows = l[i].rows - first < 7 ? l[i].rows - first : 7;
      assert_ok(
          model_linear_read_rows(m, block, i, first, rows, parts + (size_t)first * cols, &err));
    }
    assert_memory_equal(whole, parts, size * sizeof *whole);
    assert_fails(model_linear_read_rows(m, block, i, 1, l[i].rows, parts, &err), STATUS_BUG,
                 "rows 1");
    free(whole);
    free(parts);
  }
}

static void check_inputs(const char *name, const struct model *m) {
  (void)name;
  int32_t ids[TOKENS];
  some_ids(m, ids);
  struct span span = {.length = TOKENS};
  struct batch batch = {ids, TOKENS, &span, 1};
  for (int input = 0; input < model_inputs(m); input++) {
    check_input(m, input, &batch);
  }
}

static void linears_of_an_input_read_what_its_tap_may_change(void **state) {
  (void)state;
  for_each(check_inputs);
}

static void rows_read_apart_are_the_whole_s(void **state) {
  (void)state;
  for_each(check_rows);
}

static void compare(const char *name, const float *a, const float *b, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!(fabsf(a[i] - b[i]) <= 2e-4F * fmaxf(1, fabsf(a[i])))) {
      fail_msg("%s: %g and %g", name, (double)a[i], (double)b[i]);
    }
  }
}

/* 25 tokens alone, twice packed with other lengths before them, and continued from 20. */
static void check_packing(const char *name, const struct model *m) {
  int32_t ids[2 * TOKENS];
  some_ids(m, ids);
  memcpy(ids + TOKENS, ids, sizeof *ids * TOKENS);
  size_t hidden = (size_t)model_hidden(m);
  struct span one = {.length = 25};
  struct batch single = {ids, 25, &one, 1};
  const struct span packed[] = {{0, 60, 0, 0}, {60, 25, 0, 0}, {85, 3, 0, 0}};
  struct batch together = {ids, 88, packed, 3};
  const struct span continued[] = {{0, 20, 0, 0}, {20, 5, 0, 20}};
  struct batch parts = {ids, 25, continued, 2};
  float *alone = reference_stream(m, &single, NULL);
  float *among = reference_stream(m, &together, NULL);
  float *behind = reference_stream(m, &parts, NULL);
  assert_memory_equal(alone, among + 60 * hidden, 25 * hidden * sizeof *alone);
  compare(name, alone, behind, 25 * hidden);
  free(alone);
  free(among);
  free(behind);
}

static void a_sequence_is_the_same_packed_and_continued(void **state) {
  (void)state;
  for_each(check_packing);
}

/* Both lengths of phi3-longrope, whose limit is 32, from one context. */
static void contexts_are_rotated_as_their_continuations_are(void **state) {
  (void)state;
  struct model *m;
  struct error err;
  struct workspace *w;
  char folder[FOLDER_PATH];
  assert_ok(model_open(&m, folder_path(folder, families, "phi3-longrope"), &err));
  size_t hidden = (size_t)model_hidden(m);
  int32_t ids[TOKENS];
  some_ids(m, ids);
  struct span one = {.length = 40};
  const struct span good[] = {{0, 30, 0, 0}, {30, 10, 0, 30}};
  struct batch whole = {ids, 40, &one, 1}, parts = {ids, 40, good, 2};
  float *a = reference_stream(m, &whole, NULL), *b = reference_stream(m, &parts, NULL);
  compare("phi3-longrope", a, b, 40 * hidden);
  const struct span bad[] = {{0, 30, 0, 0}, {30, 2, 0, 30}, {32, 3, 0, 30}};
  struct batch mixed = {ids, 35, bad, 3};
  assert_ok(workspace_create(&w, m, &err));
  assert_fails(forward_embed(m, w, &mixed, a, &err), STATUS_UNSUPPORTED, "share a context");
  workspace_free(w);
  free(a);
  free(b);
  model_close(m);
}

int main(void) {
  char base[FOLDER_PATH];
  if (!support_folder("reference", base, sizeof base)) {
    return support_skip("model.families", "no reference folder");
  }
  (void)folder_path(families, base, "families");
  linalg_set_threads(2);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_mistaken_key_moves_the_logits_as_far_as_the_index_says),
      cmocka_unit_test(keys_without_effect_have_none),
      cmocka_unit_test(what_no_family_file_handles_is_refused_by_name),
      cmocka_unit_test(taps_see_each_input_once_and_an_expert_its_own_tokens),
      cmocka_unit_test(linears_of_an_input_read_what_its_tap_may_change),
      cmocka_unit_test(rows_read_apart_are_the_whole_s),
      cmocka_unit_test(a_sequence_is_the_same_packed_and_continued),
      cmocka_unit_test(contexts_are_rotated_as_their_continuations_are),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
