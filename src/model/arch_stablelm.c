#include "model/arch.h"

const struct arch_names stablelm_names = {
    ARCH_DECODER,
    .slots =
        {
            ARCH_DECODER_GLOBALS,
            ARCH_DECODER_LINEARS,
            ARCH_DECODER_MLP,
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_MLP_NORM] = "post_attention_layernorm",
            [SLOT_Q_NORM] = "self_attn.q_layernorm.norms.{}",
            [SLOT_K_NORM] = "self_attn.k_layernorm.norms.{}",
        },
    .sides = {ARCH_DECODER_SIDES},
};

status stablelm_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {
      .sizes = {ARCH_SIZE_KEYS},
      .activation_key = "hidden_act",
      .kv_heads = 32,
      .norm = NORM_LAYER,
      .eps_key = "layer_norm_eps",
      .eps = 1e-5,
      ARCH_GATED_SILU,
      .rope = {ARCH_ROPE, .share_key = "partial_rotary_factor", .share = 0.25}};
  struct model_config *c = &out->config;
  bool bias, normed, parallel;
  TRY(arch_decoder(keys, &names, out, err));
  TRY(keys_bool_or(keys, "use_qkv_bias", false, &bias, err));
  TRY(keys_bool_or(keys, "qk_layernorm", false, &normed, err));
  TRY(keys_bool_or(keys, "use_parallel_residual", false, &parallel, err));
  arch_need_norms(out, true);
  if (bias) {
    arch_need(out->bias, SLOT_Q, SLOT_V);
  }
  if (normed) {
    arch_qk_norm(out, QK_NORM_OWN_APART, false);
  }
  if (parallel) {
    c->block = BLOCK_PARALLEL;
    out->weight[SLOT_MLP_NORM] = out->bias[SLOT_MLP_NORM] = false;
  }
  return STATUS_OK;
}
