#include "model/arch.h"

const struct arch_names mpt_names = {
    .prefixes = {"transformer.", ""},
    .layer = "blocks.",
    .slots =
        {
            [SLOT_EMBED] = "wte",
            [SLOT_FINAL_NORM] = "norm_f",
            [SLOT_HEAD] = "lm_head",
            [SLOT_ATTENTION_NORM] = "norm_1",
            [SLOT_MLP_NORM] = "norm_2",
            [SLOT_QKV] = "attn.Wqkv",
            [SLOT_O] = "attn.out_proj",
            [SLOT_UP] = "ffn.up_proj",
            [SLOT_DOWN] = "ffn.down_proj",
        },
    .sides = {[SIDE_HIDDEN] = "d_model", [SIDE_VOCAB] = "vocab_size"},
};

/* Transformers reads nothing else of this map; alibi_bias_max, qk_ln and alibi have no effect. */
static status read_attention(const struct keys *keys, struct model_config *c, struct error *err) {
  struct keys map;
  TRY(keys_map(keys, "attn_config", "attn_config.", &map, err));
  TRY(arch_factor(&map, "softmax_scale", (double)c->attention_scale, &c->attention_scale, err));
  return keys_get(&map, "clip_qkv") ? arch_factor(&map, "clip_qkv", 1, &c->clip_qkv, err)
                                    : STATUS_OK;
}

status mpt_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct size_keys sizes = {.hidden = "d_model",
                                         .blocks = "n_layers",
                                         .heads = "n_heads",
                                         .positions = "max_seq_len",
                                         .most_positions = 2048};
  static const enum slot linears[] = {SLOT_QKV, SLOT_O, SLOT_UP, SLOT_DOWN};
  struct model_config *c = &out->config;
  TRY(arch_sizes(keys, &sizes, c, err));
  TRY(arch_norms(keys, NORM_LAYER, "layer_norm_epsilon", 1e-5, c, err));
  TRY(arch_ends(keys, true, c, err));
  c->ffn = 4 * c->hidden;
  c->activation = ACTIVATION_GELU;
  c->position = POSITION_ALIBI;
  c->qkv = QKV_BLOCKS;
  out->weight[SLOT_EMBED] = out->weight[SLOT_HEAD] = true;
  arch_need_norms(out, false);
  for (size_t i = 0; i < sizeof linears / sizeof *linears; i++) {
    out->weight[linears[i]] = true;
  }
  return read_attention(keys, c, err);
}
