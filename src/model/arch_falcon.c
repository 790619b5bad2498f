#include "model/arch.h"

const struct arch_names falcon_names = {
    .prefixes = {"transformer.", ""},
    .layer = "h.",
    .slots =
        {
            [SLOT_EMBED] = "word_embeddings",
            [SLOT_FINAL_NORM] = "ln_f",
            [SLOT_HEAD] = "lm_head",
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_MLP_NORM] = "post_attention_layernorm",
            [SLOT_QKV] = "self_attention.query_key_value",
            [SLOT_O] = "self_attention.dense",
            [SLOT_UP] = "mlp.dense_h_to_4h",
            [SLOT_DOWN] = "mlp.dense_4h_to_h",
        },
    .sides =
        {
            [SIDE_HIDDEN] = "hidden_size",
            [SIDE_VOCAB] = "vocab_size",
            [SIDE_HEADS] = "num_attention_heads",
            [SIDE_KV_HEADS] = "num_kv_heads",
            [SIDE_FFN] = "ffn_hidden_size",
        },
};

/* The newer layout is always parallel and groups its key heads; the older one is parallel when it
 * says so, and has one key head or as many as query heads. */
static status read_layout(const struct keys *keys, struct arch *out, struct error *err) {
  struct model_config *c = &out->config;
  bool newer, parallel, single;
  int norms;
  TRY(keys_bool_or(keys, "new_decoder_architecture", false, &newer, err));
  TRY(keys_bool_or(keys, "parallel_attn", true, &parallel, err));
  TRY(keys_bool_or(keys, "multi_query", true, &single, err));
  TRY(keys_int_or(keys, "num_ln_in_parallel_attn", 1, 2, newer ? 2 : 1, &norms, err));
  if (newer && !parallel && norms == 1) {
    return keys_fail(keys, "parallel_attn", STATUS_UNSUPPORTED, err,
                     "is false, which is not handled with new_decoder_architecture and one norm");
  }
  c->qkv = QKV_GROUPS;
  if (newer) {
    TRY(arch_kv_heads(keys, "num_kv_heads", 0, c, err));
  } else {
    c->kv_heads = single ? 1 : c->heads;
  }
  c->block = newer || parallel ? BLOCK_PARALLEL : BLOCK_PRE_NORM;
  arch_need_norms(out, true);
  bool two = newer ? norms == 2 : !parallel;
  out->weight[SLOT_MLP_NORM] = out->bias[SLOT_MLP_NORM] = two;
  if (newer && two) {
    out->renamed[SLOT_ATTENTION_NORM] = "ln_attn";
    out->renamed[SLOT_MLP_NORM] = "ln_mlp";
  }
  return STATUS_OK;
}

static status read_positions(const struct keys *keys, struct model_config *c, struct error *err) {
  static const struct rope_keys rope = {ARCH_ROPE};
  bool alibi;
  TRY(keys_bool_or(keys, "alibi", false, &alibi, err));
  if (!alibi) {
    return arch_rope(keys, &rope, c, err);
  }
  c->position = POSITION_ALIBI;
  c->alibi_rounded = true;
  return STATUS_OK;
}

status falcon_configure(const struct keys *keys, struct arch *out, struct error *err) {
  struct size_keys sizes = {ARCH_SIZE_KEYS};
  static const enum slot linears[] = {SLOT_QKV, SLOT_O, SLOT_UP, SLOT_DOWN};
  struct model_config *c = &out->config;
  bool bias;
  sizes.hidden = keys_get(keys, "n_embed") ? "n_embed" : sizes.hidden; /* the older spelling wins */
  TRY(arch_sizes(keys, &sizes, c, err));
  TRY(arch_ffn(keys, "ffn_hidden_size", 4, c, err));
  TRY(arch_norms(keys, NORM_LAYER, "layer_norm_epsilon", 1e-5, c, err));
  TRY(arch_activation(keys, "activation", "gelu", &c->activation, err));
  TRY(arch_ends(keys, true, c, err));
  TRY(keys_bool_or(keys, "bias", false, &bias, err));
  out->weight[SLOT_EMBED] = out->weight[SLOT_HEAD] = true;
  for (size_t i = 0; i < sizeof linears / sizeof *linears; i++) {
    out->weight[linears[i]] = true;
    out->bias[linears[i]] = bias;
  }
  TRY(read_layout(keys, out, err));
  return read_positions(keys, c, err);
}
