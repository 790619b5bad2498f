#include "model/arch.h"

const struct arch_names gpt2_names = {
    .prefixes = {"transformer.", ""},
    .layer = "h.",
    .slots =
        {
            [SLOT_EMBED] = "wte",
            [SLOT_POSITIONS] = "wpe",
            [SLOT_FINAL_NORM] = "ln_f",
            [SLOT_HEAD] = "lm_head",
            [SLOT_ATTENTION_NORM] = "ln_1",
            [SLOT_MLP_NORM] = "ln_2",
            [SLOT_QKV] = "attn.c_attn",
            [SLOT_O] = "attn.c_proj",
            [SLOT_UP] = "mlp.c_fc",
            [SLOT_DOWN] = "mlp.c_proj",
        },
    .sides =
        {
            [SIDE_HIDDEN] = "n_embd",
            [SIDE_VOCAB] = "vocab_size",
            [SIDE_POSITIONS] = "n_positions",
            [SIDE_FFN] = "n_inner",
        },
};

static status read_scale(const struct keys *keys, struct model_config *c, struct error *err) {
  bool scaled;
  TRY(keys_bool_or(keys, "scale_attn_weights", true, &scaled, err));
  c->attention_scale = scaled ? c->attention_scale : 1;
  return keys_bool_or(keys, "scale_attn_by_inverse_layer_idx", false, &c->scale_by_block, err);
}

status gpt2_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct size_keys sizes = {.hidden = "n_embd",
                                         .blocks = "n_layer",
                                         .heads = "n_head",
                                         .positions = "n_positions",
                                         .most_positions = 1024};
  static const enum slot linears[] = {SLOT_QKV, SLOT_O, SLOT_UP, SLOT_DOWN};
  struct model_config *c = &out->config;
  bool crossed;
  TRY(keys_bool_or(keys, "add_cross_attention", false, &crossed, err));
  if (crossed) {
    return keys_fail(keys, "add_cross_attention", STATUS_UNSUPPORTED, err,
                     "is true, which is not handled (expected false)");
  }
  TRY(arch_sizes(keys, &sizes, c, err));
  TRY(arch_ffn(keys, "n_inner", 4, c, err));
  TRY(arch_norms(keys, NORM_LAYER, "layer_norm_epsilon", 1e-5, c, err));
  TRY(arch_activation(keys, "activation_function", "gelu_new", &c->activation, err));
  TRY(arch_ends(keys, true, c, err));
  c->position = POSITION_LEARNED;
  c->qkv = QKV_BLOCKS;
  out->weight[SLOT_EMBED] = out->weight[SLOT_POSITIONS] = out->weight[SLOT_HEAD] = true;
  arch_need_norms(out, true);
  for (size_t i = 0; i < sizeof linears / sizeof *linears; i++) {
    out->weight[linears[i]] = out->bias[linears[i]] = out->transposed[linears[i]] = true;
  }
  return read_scale(keys, c, err);
}
