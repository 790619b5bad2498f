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
  static const enum slot norms[] = {SLOT_ATTENTION_NORM, SLOT_MLP_NORM};
  for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
    out->weight[norms[i]] = out->bias[norms[i]] = true;
  }
  out->weight[SLOT_FINAL_NORM] = out->bias[SLOT_FINAL_NORM] = c->final_norm;
  return STATUS_OK;
}

static status read_linears(const struct keys *keys, struct arch *out, struct error *err) {
  bool bias;
  TRY(keys_bool_or(keys, "enable_bias", true, &bias, err));
  for (int i = 0; i < 2; i++) {
    bool *what = i == 0 ? out->weight : out->bias;
    if (i == 0 || bias) {
      arch_need(what, SLOT_Q, SLOT_O);
      arch_need(what, SLOT_UP, SLOT_DOWN);
    }
  }
  return STATUS_OK;
}

status opt_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct size_keys sizes = {ARCH_SIZE_KEYS};
  struct model_config *c = &out->config;
  TRY(arch_sizes(keys, &sizes, c, err));
  TRY(arch_ffn(keys, "ffn_dim", 0, c, err));
  TRY(keys_int_or(keys, "word_embed_proj_dim", 1, ARCH_MOST_WIDTH, c->hidden, &c->embed_dim, err));
  c->position = POSITION_LEARNED;
  c->position_offset = 2;
  TRY(arch_activation(keys, "activation_function", "relu", &c->activation, err));
  TRY(arch_ends(keys, true, c, err));
  out->weight[SLOT_EMBED] = out->weight[SLOT_POSITIONS] = out->weight[SLOT_HEAD] = true;
  out->weight[SLOT_PROJECT_IN] = out->weight[SLOT_PROJECT_OUT] = c->embed_dim != c->hidden;
  TRY(read_norms(keys, out, err));
  return read_linears(keys, out, err);
}
