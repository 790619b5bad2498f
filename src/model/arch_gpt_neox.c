#include "model/arch.h"

const struct arch_names gpt_neox_names = {
    .prefixes = {"gpt_neox.", ""},
    .layer = "layers.",
    .slots =
        {
            [SLOT_EMBED] = "embed_in",
            [SLOT_FINAL_NORM] = "final_layer_norm",
            [SLOT_HEAD] = "embed_out",
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_MLP_NORM] = "post_attention_layernorm",
            [SLOT_QKV] = "attention.query_key_value",
            [SLOT_O] = "attention.dense",
            [SLOT_UP] = "mlp.dense_h_to_4h",
            [SLOT_DOWN] = "mlp.dense_4h_to_h",
        },
    .head_otherwise = "lm_head",
    .sides =
        {
            [SIDE_HIDDEN] = "hidden_size",
            [SIDE_VOCAB] = "vocab_size",
            [SIDE_FFN] = "intermediate_size",
        },
};

status gpt_neox_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct size_keys sizes = {ARCH_SIZE_KEYS};
  static const struct rope_keys rope = {
      .theta_key = "rotary_emb_base", .theta = 10000, .share_key = "rotary_pct", .share = 0.25};
  struct model_config *c = &out->config;
  bool parallel, bias;
  TRY(arch_sizes(keys, &sizes, c, err));
  TRY(arch_ffn(keys, "intermediate_size", 0, c, err));
  TRY(arch_norms(keys, NORM_LAYER, "layer_norm_eps", 1e-5, c, err));
  TRY(arch_activation(keys, "hidden_act", "gelu", &c->activation, err));
  TRY(arch_rope(keys, &rope, c, err));
  TRY(arch_ends(keys, false, c, err));
  TRY(keys_bool_or(keys, "use_parallel_residual", true, &parallel, err));
  TRY(keys_bool_or(keys, "attention_bias", true, &bias, err));
  c->block = parallel ? BLOCK_PARALLEL : BLOCK_PRE_NORM;
  c->qkv = QKV_GROUPS;
  out->weight[SLOT_EMBED] = out->weight[SLOT_HEAD] = true;
  arch_need_norms(out, true);
  out->weight[SLOT_QKV] = out->weight[SLOT_O] = true;
  out->bias[SLOT_QKV] = out->bias[SLOT_O] = bias;
  arch_need(out->weight, SLOT_UP, SLOT_DOWN);
  arch_need(out->bias, SLOT_UP, SLOT_DOWN);
  return STATUS_OK;
}
