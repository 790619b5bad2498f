#include "model/arch.h"

#define EXPERTS_NORMS                                                                              \
  [SLOT_ATTENTION_NORM] = "input_layernorm", [SLOT_MLP_NORM] = "post_attention_layernorm"

const struct arch_names mixtral_names = {
    ARCH_DECODER,
    .slots =
        {
            ARCH_DECODER_GLOBALS,
            ARCH_DECODER_ATTENTION,
            EXPERTS_NORMS,
            [SLOT_ROUTER] = "block_sparse_moe.gate",
            [SLOT_GATE] = "block_sparse_moe.experts.{}.w1",
            [SLOT_UP] = "block_sparse_moe.experts.{}.w3",
            [SLOT_DOWN] = "block_sparse_moe.experts.{}.w2",
        },
    .sides = {ARCH_DECODER_SIDES, [SIDE_EXPERTS] = "num_local_experts"},
};

const struct arch_names experts_names = {
    ARCH_DECODER,
    .slots =
        {
            ARCH_DECODER_GLOBALS,
            ARCH_DECODER_ATTENTION,
            EXPERTS_NORMS,
            [SLOT_ROUTER] = "mlp.gate",
            [SLOT_GATE] = "mlp.experts.{}.gate_proj",
            [SLOT_UP] = "mlp.experts.{}.up_proj",
            [SLOT_DOWN] = "mlp.experts.{}.down_proj",
        },
    .sides = {ARCH_DECODER_SIDES, [SIDE_EXPERTS] = "num_experts"},
};

enum { MOST_EXPERTS = 1 << 16 };

static status read_experts(const struct keys *keys, const char *key, int count, int used,
                           struct arch *out, struct error *err) {
  struct model_config *c = &out->config;
  TRY(keys_int_or(keys, key, 1, MOST_EXPERTS, count, &c->experts, err));
  TRY(keys_int_or(keys, "num_experts_per_tok", 1, MOST_EXPERTS, used, &c->experts_used, err));
  if (c->experts_used > c->experts) {
    return keys_fail(keys, "num_experts_per_tok", STATUS_INPUT, err, "is %d, more than %s %d",
                     c->experts_used, key, c->experts);
  }
  out->weight[SLOT_ROUTER] = true;
  return STATUS_OK;
}

status mixtral_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {
      ARCH_DECODER_KEYS, ARCH_RMS,        .kv_heads = 8,
      .eps = 1e-5,       ARCH_GATED_SILU, .rope = {.theta_key = "rope_theta", .theta = 1000000}};
  TRY(arch_decoder(keys, &names, out, err));
  TRY(read_experts(keys, "num_local_experts", 8, 2, out, err));
  out->config.experts_normalised = true;
  return arch_window_key(keys, 0, &out->config, err);
}

/* Blocks without experts would have other linears than the rest. */
static status refuse_dense_blocks(const struct keys *keys, struct error *err) {
  int step;
  TRY(keys_int_or(keys, "decoder_sparse_step", 1, 1 << 16, 1, &step, err));
  if (step != 1) {
    return keys_fail(keys, "decoder_sparse_step", STATUS_UNSUPPORTED, err,
                     "is %d, which is not handled (expected 1)", step);
  }
  const cJSON *dense = keys_get(keys, "mlp_only_layers");
  if (dense && (!cJSON_IsArray(dense) || cJSON_GetArraySize(dense) > 0)) {
    return keys_fail(keys, "mlp_only_layers", STATUS_UNSUPPORTED, err,
                     "names layers, which is not handled (expected an empty list)");
  }
  return STATUS_OK;
}

status qwen3_moe_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {ARCH_DECODER_KEYS, ARCH_RMS,
                                            .kv_heads = 4,     .eps = 1e-6,
                                            ARCH_GATED_SILU,   .rope = {ARCH_ROPE}};
  struct model_config *c = &out->config;
  bool slides;
  TRY(refuse_dense_blocks(keys, err));
  TRY(keys_bool_or(keys, "use_sliding_window", false, &slides, err));
  if (slides) {
    return keys_fail(keys, "use_sliding_window", STATUS_UNSUPPORTED, err,
                     "is true, which is not handled (expected false)");
  }
  TRY(arch_decoder(keys, &names, out, err));
  TRY(arch_ffn(keys, "moe_intermediate_size", 0, c, err));
  TRY(read_experts(keys, "num_experts", 128, 8, out, err));
  TRY(keys_bool_or(keys, "norm_topk_prob", false, &c->experts_normalised, err));
  arch_qk_norm(out, QK_NORM_SHARED, false);
  return arch_attention_bias(keys, out, err);
}

status olmoe_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {.sizes = {ARCH_SIZE_KEYS},
                                            .activation_key = "hidden_act",
                                            ARCH_RMS,
                                            .eps = 1e-5,
                                            ARCH_GATED_SILU,
                                            .rope = {ARCH_ROPE}};
  struct model_config *c = &out->config;
  TRY(arch_decoder(keys, &names, out, err));
  TRY(read_experts(keys, "num_experts", 64, 8, out, err));
  TRY(keys_bool_or(keys, "norm_topk_prob", false, &c->experts_normalised, err));
  if (keys_get(keys, "clip_qkv")) {
    TRY(arch_factor(keys, "clip_qkv", 1, &c->clip_qkv, err));
  }
  arch_qk_norm(out, QK_NORM_WHOLE, false);
  return arch_attention_bias(keys, out, err);
}
