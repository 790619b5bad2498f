#include "model/arch.h"

const struct arch_names opt_names = {
    .prefixes = {"model.decoder.", "decoder."},
    .layer = "layers.",
    .slots =
        {
            [SLOT_EMBED] = "embed_tokens",
            [SLOT_POSITIONS] = "embed_positions",
            [SLOT_PROJECT_IN] = "project_in",
            [SLOT_PROJECT_OUT] = "project_out",
            [SLOT_FINAL_NORM] = "final_layer_norm",
            [SLOT_HEAD] = "lm_head",
            [SLOT_ATTENTION_NORM] = "self_attn_layer_norm",
            [SLOT_MLP_NORM] = "final_layer_norm",
            [SLOT_Q] = "self_attn.q_proj",
            [SLOT_K] = "self_attn.k_proj",
            [SLOT_V] = "self_attn.v_proj",
            [SLOT_O] = "self_attn.out_proj",
            [SLOT_UP] = "fc1",
            [SLOT_DOWN] = "fc2",
        },
    .sides =
        {
            [SIDE_HIDDEN] = "hidden_size",
            [SIDE_EMBED] = "word_embed_proj_dim",
            [SIDE_VOCAB] = "vocab_size",
            [SIDE_POSITIONS] = "max_position_embeddings",
            [SIDE_HEADS] = "hidden_size",
            [SIDE_KV_HEADS] = "hidden_size",
            [SIDE_FFN] = "ffn_dim",
        },
};

static status read_norms(const struct keys *keys, struct arch *out, struct error *err) {
  struct model_config *c = &out->config;
  bool before, removed, affine;
  TRY(keys_bool_or(keys, "do_layer_norm_before", true, &before, err));
  TRY(keys_bool_or(keys, "_remove_final_layer_norm", false, &removed, err));
  TRY(keys_bool_or(keys, "layer_norm_elementwise_affine", true, &affine, err));
  if (!affine) {
    return keys_fail(keys, "layer_norm_elementwise_affine", STATUS_UNSUPPORTED, err,
                     "is false, which is not handled (expected true)");
  }
  c->norm = NORM_LAYER;
  c->norm_eps = 1e-5f;
  c->block = before ? BLOCK_PRE_NORM : BLOCK_POST_NORM;
  c->final_norm = before && !removed;
  out->weight[SLOT_FINAL_NORM] = out->bias[SLOT_FINAL_NORM] = c->final_norm;
  for (int i = SLOT_ATTENTION_NORM; i <= SLOT_MLP_NORM; i++) {
    out->weight[i] = out->bias[i] = true;
  }
  return STATUS_OK;
}

static status read_linears(const struct keys *keys, struct arch *out, struct error *err) {
  static const enum slot linears[] = {SLOT_Q, SLOT_K, SLOT_V, SLOT_O, SLOT_UP, SLOT_DOWN};
  bool bias;
  TRY(keys_bool_or(keys, "enable_bias", true, &bias, err));
  for (size_t i = 0; i < sizeof linears / sizeof *linears; i++) {
    out->weight[linears[i]] = true;
    out->bias[linears[i]] = bias;
  }
  return STATUS_OK;
}

status opt_configure(const struct keys *keys, struct arch *out, struct error *err) {
  struct model_config *c = &out->config;
  TRY(arch_sizes(keys, false, c, err));
  TRY(keys_int(keys, "ffn_dim", 1, 1 << 24, &c->ffn, err));
  TRY(keys_int_or(keys, "word_embed_proj_dim", 1, 1 << 24, c->hidden, &c->embed_dim, err));
  c->position = POSITION_LEARNED;
  c->position_offset = 2;
  TRY(arch_activation(keys, "activation_function", "relu", &c->activation, err));
  TRY(keys_bool_or(keys, "tie_word_embeddings", true, &c->tied, err));
  TRY(arch_specials(keys, c, err));
  out->weight[SLOT_EMBED] = out->weight[SLOT_POSITIONS] = out->weight[SLOT_HEAD] = true;
  out->weight[SLOT_PROJECT_IN] = out->weight[SLOT_PROJECT_OUT] = c->embed_dim != c->hidden;
  TRY(read_norms(keys, out, err));
  return read_linears(keys, out, err);
}
