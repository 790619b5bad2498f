#include "model/arch.h"

const struct arch_names phi_names = {
    ARCH_DECODER,
    .slots =
        {
            [SLOT_EMBED] = "embed_tokens",
            [SLOT_FINAL_NORM] = "final_layernorm",
            [SLOT_HEAD] = "lm_head",
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_Q_NORM] = "self_attn.q_layernorm",
            [SLOT_K_NORM] = "self_attn.k_layernorm",
            [SLOT_Q] = "self_attn.q_proj",
            [SLOT_K] = "self_attn.k_proj",
            [SLOT_V] = "self_attn.v_proj",
            [SLOT_O] = "self_attn.dense",
            [SLOT_UP] = "mlp.fc1",
            [SLOT_DOWN] = "mlp.fc2",
        },
    .sides = {ARCH_DECODER_SIDES},
};

status phi_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {
      .sizes = {ARCH_SIZE_KEYS},
      .activation_key = "hidden_act",
      .activation = "gelu_new",
      .norm = NORM_LAYER,
      .eps_key = "layer_norm_eps",
      .eps = 1e-5,
      .rope = {ARCH_ROPE, .share_key = "partial_rotary_factor", .share = 0.5}};
  bool normed;
  TRY(arch_decoder(keys, &names, out, err));
  out->config.block = BLOCK_PARALLEL;
  arch_need_norms(out, true);
  out->weight[SLOT_MLP_NORM] = out->bias[SLOT_MLP_NORM] = false;
  arch_need(out->bias, SLOT_Q, SLOT_O);
  arch_need(out->bias, SLOT_UP, SLOT_DOWN);
  out->bias[SLOT_HEAD] = true;
  TRY(keys_bool_or(keys, "qk_layernorm", false, &normed, err));
  if (normed) {
    arch_qk_norm(out, QK_NORM_SHARED, true);
  }
  return STATUS_OK;
}

const struct arch_names phi3_names = {
    ARCH_DECODER,
    .slots =
        {
            ARCH_DECODER_GLOBALS,
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_MLP_NORM] = "post_attention_layernorm",
            [SLOT_QKV] = "self_attn.qkv_proj",
            [SLOT_O] = "self_attn.o_proj",
            [SLOT_GATE_UP] = "mlp.gate_up_proj",
            [SLOT_DOWN] = "mlp.down_proj",
        },
    .sides = {ARCH_DECODER_SIDES},
};

status phi3_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {
      .sizes = {ARCH_SIZE_KEYS},
      .activation_key = "hidden_act",
      ARCH_RMS,
      .eps = 1e-5,
      ARCH_GATED_SILU,
      .rope = {ARCH_ROPE, .share_key = "partial_rotary_factor", .share = 1, .longrope = true}};
  struct model_config *c = &out->config;
  TRY(arch_decoder(keys, &names, out, err));
  c->qkv = QKV_BLOCKS;
  c->gate_up_fused = true;
  for (int i = SLOT_Q; i <= SLOT_DOWN; i++) {
    out->weight[i] = i == SLOT_O || i == SLOT_GATE_UP || i == SLOT_DOWN;
  }
  out->weight[SLOT_QKV] = true;
  return arch_window_key(keys, 0, c, err);
}
