#include "model/arch.h"

const struct arch_names bloom_names = {
    .prefixes = {"transformer.", ""},
    .layer = "h.",
    .slots =
        {
            [SLOT_EMBED] = "word_embeddings",
            [SLOT_EMBED_NORM] = "word_embeddings_layernorm",
            [SLOT_FINAL_NORM] = "ln_f",
            [SLOT_HEAD] = "lm_head",
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_MLP_NORM] = "post_attention_layernorm",
            [SLOT_QKV] = "self_attention.query_key_value",
            [SLOT_O] = "self_attention.dense",
            [SLOT_UP] = "mlp.dense_h_to_4h",
            [SLOT_DOWN] = "mlp.dense_4h_to_h",
        },
    .sides = {[SIDE_HIDDEN] = "hidden_size", [SIDE_VOCAB] = "vocab_size"},
};

/* The first of two spellings that the file has, or else the first. */
static const char *spelling(const struct keys *keys, const char *one, const char *other) {
  return !keys_get(keys, one) && keys_get(keys, other) ? other : one;
}

status bloom_configure(const struct keys *keys, struct arch *out, struct error *err) {
  struct size_keys sizes = {.hidden = spelling(keys, "n_embed", "hidden_size"),
                            .blocks = spelling(keys, "n_layer", "num_hidden_layers"),
                            .heads = spelling(keys, "n_head", "num_attention_heads"),
                            .positions = "seq_length",
                            .most_positions = 2048};
  struct model_config *c = &out->config;
  TRY(arch_sizes(keys, &sizes, c, err));
  TRY(arch_norms(keys, NORM_LAYER, "layer_norm_epsilon", 1e-5, c, err));
  TRY(arch_ends(keys, true, c, err));
  TRY(keys_bool_or(keys, "apply_residual_connection_post_layernorm", false, &c->normed_residual,
                   err));
  c->ffn = 4 * c->hidden;
  c->activation = ACTIVATION_GELU_TANH;
  c->position = POSITION_ALIBI;
  c->qkv = QKV_GROUPS;
  static const enum slot slots[] = {SLOT_EMBED_NORM, SLOT_QKV, SLOT_O, SLOT_UP, SLOT_DOWN};
  for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
    out->weight[slots[i]] = out->bias[slots[i]] = true;
  }
  out->weight[SLOT_EMBED] = out->weight[SLOT_HEAD] = true;
  arch_need_norms(out, true);
  return STATUS_OK;
}
