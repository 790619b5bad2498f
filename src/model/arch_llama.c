#include "model/arch.h"

const struct arch_names llama_names = {
    ARCH_DECODER,
    .slots =
        {
            ARCH_DECODER_GLOBALS,
            ARCH_DECODER_ATTENTION,
            ARCH_DECODER_MLP,
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_MLP_NORM] = "post_attention_layernorm",
        },
    .sides = {ARCH_DECODER_SIDES},
};

status arch_decoder(const struct keys *keys, const struct decoder_keys *names, struct arch *out,
                    struct error *err) {
  struct model_config *c = &out->config;
  TRY(arch_sizes(keys, &names->sizes, c, err));
  TRY(arch_kv_heads(keys, "num_key_value_heads", names->kv_heads, c, err));
  TRY(arch_ffn(keys, "intermediate_size", 0, c, err));
  TRY(arch_norms(keys, names->norm, names->eps_key, names->eps, c, err));
  c->block = BLOCK_PRE_NORM;
  c->gated = names->gated;
  TRY(arch_activation(keys, names->activation_key, names->activation, &c->activation, err));
  TRY(arch_rope(keys, &names->rope, c, err));
  TRY(arch_ends(keys, names->tied, c, err));
  out->weight[SLOT_EMBED] = out->weight[SLOT_HEAD] = true;
  arch_need_norms(out, false);
  arch_need(out->weight, SLOT_Q, SLOT_O);
  arch_need(out->weight, names->gated ? SLOT_GATE : SLOT_UP, SLOT_DOWN);
  return STATUS_OK;
}

status arch_attention_bias(const struct keys *keys, struct arch *out, struct error *err) {
  bool bias;
  TRY(keys_bool_or(keys, "attention_bias", false, &bias, err));
  if (bias) {
    arch_need(out->bias, SLOT_Q, SLOT_O);
  }
  return STATUS_OK;
}

static status read_biases(const struct keys *keys, struct arch *out, struct error *err) {
  bool mlp;
  TRY(arch_attention_bias(keys, out, err));
  TRY(keys_bool_or(keys, "mlp_bias", false, &mlp, err));
  if (mlp) {
    arch_need(out->bias, SLOT_GATE, SLOT_DOWN);
  }
  return STATUS_OK;
}

status llama_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {ARCH_DECODER_KEYS, ARCH_RMS, .eps = 1e-6,
                                            ARCH_GATED_SILU, .rope = {ARCH_ROPE}};
  TRY(arch_decoder(keys, &names, out, err));
  return read_biases(keys, out, err);
}

status granite_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {ARCH_DECODER_KEYS, ARCH_RMS, .eps = 1e-6,
                                            ARCH_GATED_SILU, .rope = {ARCH_ROPE}};
  struct model_config *c = &out->config;
  float divisor;
  TRY(arch_decoder(keys, &names, out, err));
  TRY(arch_factor(keys, "embedding_multiplier", 1, &c->embed_scale, err));
  TRY(arch_factor(keys, "attention_multiplier", 1, &c->attention_scale, err));
  TRY(arch_factor(keys, "residual_multiplier", 1, &c->residual_scale, err));
  TRY(arch_factor(keys, "logits_scaling", 1, &divisor, err));
  c->logit_scale = 1 / divisor;
  return read_biases(keys, out, err);
}

status mistral_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {ARCH_DECODER_KEYS, ARCH_RMS,
                                            .kv_heads = 8,     .eps = 1e-6,
                                            ARCH_GATED_SILU,   .rope = {ARCH_ROPE}};
  TRY(arch_decoder(keys, &names, out, err));
  return arch_window_key(keys, 4096, &out->config, err);
}
