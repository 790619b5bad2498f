#include <limits.h>
#include <math.h>
#include <string.h>

#include "model/arch.h"

/* Four norms a block; llama's name of the MLP's norm means the attention's output here. */
const struct arch_names gemma2_names = {
    ARCH_DECODER,
    .slots =
        {
            ARCH_DECODER_GLOBALS,
            ARCH_DECODER_ATTENTION,
            ARCH_DECODER_MLP,
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_ATTENTION_OUT_NORM] = "post_attention_layernorm",
            [SLOT_MLP_NORM] = "pre_feedforward_layernorm",
            [SLOT_MLP_OUT_NORM] = "post_feedforward_layernorm",
        },
    .sides = {ARCH_DECODER_SIDES},
};

#define GEMMA_KEYS                                                                                 \
  .sizes = {ARCH_SIZE_KEYS, .reads_head_dim = true, .head_dim = 256}, ARCH_RMS, .eps = 1e-6,       \
  .activation = "gelu_pytorch_tanh", .gated = true, .tied = true

static status read_common(const struct keys *keys, const struct decoder_keys *names,
                          struct arch *out, struct error *err) {
  struct model_config *c = &out->config;
  TRY(arch_decoder(keys, names, out, err));
  c->norm_plus_one = true;
  c->embed_scale = sqrtf((float)c->hidden);
  return arch_attention_bias(keys, out, err);
}

status gemma_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {GEMMA_KEYS, .activation_key = "hidden_act",
                                            .kv_heads = 16, .rope = {ARCH_ROPE}};
  TRY(read_common(keys, &names, out, err));
  struct model_config *c = &out->config;
  if (c->activation == ACTIVATION_GELU) {
    c->activation = ACTIVATION_GELU_TANH; /* the first files say "gelu" and mean this */
  }
  return STATUS_OK;
}

static status read_cap(const struct keys *keys, const char *key, double otherwise, float *out,
                       struct error *err) {
  bool none = !keys_get(keys, key) && (otherwise == 0 || keys_is_null(keys, key));
  *out = 0;
  return none ? STATUS_OK : arch_factor(keys, key, otherwise, out, err);
}

/* What gemma2 and gemma3 share: caps are the defaults of absent keys, 0 for none. */
static status read_second(const struct keys *keys, double score_cap, double logit_cap, int period,
                          struct arch *out, struct error *err) {
  struct model_config *c = &out->config;
  double scalar;
  int window;
  TRY(keys_positive_or(keys, "query_pre_attn_scalar", 256, &scalar, err));
  c->attention_scale = (float)(1 / sqrt(scalar));
  TRY(read_cap(keys, "attn_logit_softcapping", score_cap, &c->score_cap, err));
  TRY(read_cap(keys, "final_logit_softcapping", logit_cap, &c->logit_cap, err));
  int otherwise = keys_is_null(keys, "sliding_window") ? 0 : 4096;
  TRY(keys_int_or(keys, "sliding_window", 1, INT_MAX, otherwise, &window, err));
  TRY(arch_window(window, 0, period, c, err));
  out->weight[SLOT_ATTENTION_OUT_NORM] = out->weight[SLOT_MLP_OUT_NORM] = true;
  return arch_layer_types(keys, c, err);
}

status gemma2_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {GEMMA_KEYS, .activation_key = "hidden_activation",
                                            .kv_heads = 4, .rope = {ARCH_ROPE}};
  TRY(read_common(keys, &names, out, err));
  return read_second(keys, 50, 30, 2, out, err);
}

/* rope_parameters by kind of layer. */
static status read_ropes(const struct keys *keys, struct model_config *c, struct error *err) {
  struct keys both, full, sliding;
  const char *type;
  TRY(keys_positive_or(keys, "rope_local_base_freq", 10000, &c->rope_window_theta, err));
  TRY(keys_map(keys, "rope_parameters", "rope_parameters.", &both, err));
  TRY(keys_map(&both, "full_attention", "rope_parameters.full_attention.", &full, err));
  TRY(keys_map(&both, "sliding_attention", "rope_parameters.sliding_attention.", &sliding, err));
  if (full.map) {
    TRY(arch_rope_theta(&full, &c->rope_theta, err));
    TRY(arch_rope_scaling(&full, false, c, err));
  }
  TRY(arch_rope_theta(&sliding, &c->rope_window_theta, err));
  TRY(keys_text_or(&sliding, "rope_type", "default", &type, err));
  if (strcmp(type, "default") != 0) {
    return keys_fail(&sliding, "rope_type", STATUS_UNSUPPORTED, err,
                     "is '%s', which is not handled (known: default)", type);
  }
  return STATUS_OK;
}

status gemma3_text_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {GEMMA_KEYS, .activation_key = "hidden_activation",
                                            .kv_heads = 4,
                                            .rope = {.theta_key = "rope_theta", .theta = 1000000}};
  bool both_ways;
  int period;
  TRY(keys_bool_or(keys, "use_bidirectional_attention", false, &both_ways, err));
  if (both_ways) {
    return keys_fail(keys, "use_bidirectional_attention", STATUS_UNSUPPORTED, err,
                     "is true, which is not handled (expected false)");
  }
  TRY(read_common(keys, &names, out, err));
  arch_qk_norm(out, QK_NORM_SHARED, false);
  TRY(read_ropes(keys, &out->config, err));
  TRY(keys_int_or(keys, "_sliding_window_pattern", 1, INT_MAX, 6, &period, err));
  TRY(keys_int_or(keys, "sliding_window_pattern", 1, INT_MAX, period, &period, err));
  return read_second(keys, 0, 0, period, out, err);
}
