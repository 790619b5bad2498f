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

status arch_llama(const struct keys *keys, const struct llama_keys *names, struct arch *out,
                  struct error *err) {
  struct model_config *c = &out->config;
  TRY(arch_sizes(keys, &names->sizes, c, err));
  TRY(arch_kv_heads(keys, "num_key_value_heads", names->kv_heads, c, err));
  TRY(arch_ffn(keys, "intermediate_size", 0, c, err));
  TRY(arch_norms(keys, NORM_RMS, "rms_norm_eps", names->eps, c, err));
  c->block = BLOCK_PRE_NORM;
  c->gated = true;
  TRY(arch_activation(keys, "hidden_act", "silu", &c->activation, err));
  TRY(arch_rope(keys, &names->rope, c, err));
  TRY(arch_ends(keys, names->tied, c, err));
  out->weight[SLOT_EMBED] = out->weight[SLOT_FINAL_NORM] = out->weight[SLOT_HEAD] = true;
  out->weight[SLOT_ATTENTION_NORM] = out->weight[SLOT_MLP_NORM] = true;
  arch_need(out->weight, SLOT_Q, SLOT_O);
  arch_need(out->weight, SLOT_GATE, SLOT_DOWN);
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

status llama_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct llama_keys names = {ARCH_LLAMA_KEYS};
  bool mlp;
  TRY(arch_llama(keys, &names, out, err));
  TRY(arch_attention_bias(keys, out, err));
  TRY(keys_bool_or(keys, "mlp_bias", false, &mlp, err));
  if (mlp) {
    arch_need(out->bias, SLOT_GATE, SLOT_DOWN);
  }
  return STATUS_OK;
}
