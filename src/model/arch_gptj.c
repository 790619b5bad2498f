#include "model/arch.h"

const struct arch_names gptj_names = {
    .prefixes = {"transformer.", ""},
    .layer = "h.",
    .slots =
        {
            [SLOT_EMBED] = "wte",
            [SLOT_FINAL_NORM] = "ln_f",
            [SLOT_HEAD] = "lm_head",
            [SLOT_ATTENTION_NORM] = "ln_1",
            [SLOT_Q] = "attn.q_proj",
            [SLOT_K] = "attn.k_proj",
            [SLOT_V] = "attn.v_proj",
            [SLOT_O] = "attn.out_proj",
            [SLOT_UP] = "mlp.fc_in",
            [SLOT_DOWN] = "mlp.fc_out",
        },
    .sides =
        {
            [SIDE_HIDDEN] = "n_embd",
            [SIDE_VOCAB] = "vocab_size",
            [SIDE_FFN] = "n_inner",
        },
};

/* The base is always 10000. */
static status read_rope(const struct keys *keys, struct model_config *c, struct error *err) {
  c->position = POSITION_ROPE_INTERLEAVED;
  c->rope_theta = 10000;
  c->rope_factor = 1;
  TRY(keys_int_or(keys, "rotary_dim", 2, c->head_dim, 64, &c->rope_dims, err));
  if (c->rope_dims > c->head_dim || c->rope_dims % 2) {
    return keys_fail(keys, "rotary_dim", STATUS_INPUT, err,
                     "gives %d numbers to rotate of %d (expected an even number of them)",
                     c->rope_dims, c->head_dim);
  }
  return STATUS_OK;
}

status gptj_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct size_keys sizes = {.hidden = "n_embd",
                                         .blocks = "n_layer",
                                         .heads = "n_head",
                                         .positions = "n_positions",
                                         .most_positions = 2048};
  struct model_config *c = &out->config;
  TRY(arch_sizes(keys, &sizes, c, err));
  TRY(arch_ffn(keys, "n_inner", 4, c, err));
  TRY(arch_norms(keys, NORM_LAYER, "layer_norm_epsilon", 1e-5, c, err));
  TRY(arch_activation(keys, "activation_function", "gelu_new", &c->activation, err));
  TRY(arch_ends(keys, false, c, err));
  TRY(read_rope(keys, c, err));
  c->block = BLOCK_PARALLEL;
  out->weight[SLOT_EMBED] = out->weight[SLOT_HEAD] = out->bias[SLOT_HEAD] = true;
  arch_need_norms(out, true);
  out->weight[SLOT_MLP_NORM] = out->bias[SLOT_MLP_NORM] = false;
  arch_need(out->weight, SLOT_Q, SLOT_O);
  arch_need(out->weight, SLOT_UP, SLOT_DOWN);
  arch_need(out->bias, SLOT_UP, SLOT_DOWN);
  return STATUS_OK;
}
