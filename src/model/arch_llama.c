#include "model/arch.h"

const struct arch_names llama_names = {
    .prefixes = {"model.", ""},
    .layer = "layers.",
    .slots =
        {
            [SLOT_EMBED] = "embed_tokens",
            [SLOT_FINAL_NORM] = "norm",
            [SLOT_HEAD] = "lm_head",
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_MLP_NORM] = "post_attention_layernorm",
            [SLOT_Q] = "self_attn.q_proj",
            [SLOT_K] = "self_attn.k_proj",
            [SLOT_V] = "self_attn.v_proj",
            [SLOT_O] = "self_attn.o_proj",
            [SLOT_GATE] = "mlp.gate_proj",
            [SLOT_UP] = "mlp.up_proj",
            [SLOT_DOWN] = "mlp.down_proj",
        },
    .sides =
        {
            [SIDE_HIDDEN] = "hidden_size",
            [SIDE_EMBED] = "hidden_size",
            [SIDE_VOCAB] = "vocab_size",
            [SIDE_HEADS] = "num_attention_heads",
            [SIDE_KV_HEADS] = "num_key_value_heads",
            [SIDE_FFN] = "intermediate_size",
        },
};

static status read_kv_heads(const struct keys *keys, struct model_config *c, struct error *err) {
  TRY(keys_int_or(keys, "num_key_value_heads", 1, c->heads, c->heads, &c->kv_heads, err));
  if (c->heads % c->kv_heads) {
    return keys_fail(keys, "num_key_value_heads", STATUS_INPUT, err,
                     "is %d, not a divisor of num_attention_heads %d", c->kv_heads, c->heads);
  }
  return STATUS_OK;
}

static status read_biases(const struct keys *keys, struct arch *out, struct error *err) {
  bool attention, mlp;
  TRY(keys_bool_or(keys, "attention_bias", false, &attention, err));
  TRY(keys_bool_or(keys, "mlp_bias", false, &mlp, err));
  for (int i = SLOT_Q; i <= SLOT_O; i++) {
    out->bias[i] = attention;
  }
  for (int i = SLOT_GATE; i <= SLOT_DOWN; i++) {
    out->bias[i] = mlp;
  }
  return STATUS_OK;
}

status llama_configure(const struct keys *keys, struct arch *out, struct error *err) {
  struct model_config *c = &out->config;
  TRY(arch_sizes(keys, true, c, err));
  TRY(read_kv_heads(keys, c, err));
  TRY(keys_int(keys, "intermediate_size", 1, 1 << 24, &c->ffn, err));
  double eps;
  TRY(keys_positive_or(keys, "rms_norm_eps", 1e-6, &eps, err));
  c->norm = NORM_RMS;
  c->norm_eps = (float)eps;
  c->block = BLOCK_PRE_NORM;
  c->gated = true;
  c->final_norm = true;
  TRY(arch_activation(keys, "hidden_act", "silu", &c->activation, err));
  TRY(arch_rope(keys, 10000, c, err));
  TRY(keys_bool_or(keys, "tie_word_embeddings", false, &c->tied, err));
  TRY(arch_specials(keys, c, err));
  out->weight[SLOT_EMBED] = out->weight[SLOT_FINAL_NORM] = out->weight[SLOT_HEAD] = true;
  for (int i = SLOT_ATTENTION_NORM; i <= SLOT_DOWN; i++) {
    out->weight[i] = true;
  }
  return read_biases(keys, out, err);
}
