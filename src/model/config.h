/* What config.json says, in one vocabulary for all families: a family is a row of arch.c that fills
 * this and names the tensors. The forward pass reads only what stands here. */
#ifndef ESPALIER_MODEL_CONFIG_H
#define ESPALIER_MODEL_CONFIG_H

#include <stdbool.h>

#include "model/model.h"

enum norm_kind {
  NORM_RMS,   /* x / sqrt(mean x² + eps) · w */
  NORM_LAYER, /* (x − mean) / sqrt(var + eps) · w + b, biased variance; b may be absent */
};

enum position_kind {
  POSITION_ROPE_HALF,        /* rotary pairs (i, i + dims/2) */
  POSITION_ROPE_INTERLEAVED, /* rotary pairs (2i, 2i + 1) */
  POSITION_LEARNED,          /* a table added to the embedding */
  POSITION_ALIBI,            /* a slope per head added to the scores */
};

enum activation { ACTIVATION_SILU, ACTIVATION_RELU, ACTIVATION_GELU, ACTIVATION_GELU_TANH };

/* How a block puts its two branches into the residual stream x. */
enum block_kind {
  BLOCK_PRE_NORM,  /* x += attn(n1(x)); x += mlp(n2(x)) */
  BLOCK_POST_NORM, /* x = n1(x + attn(x)); x = n2(x + mlp(x)) */
};

enum rope_scaling { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3 };

struct model_config {
  int hidden, blocks, vocab, positions;
  int heads, kv_heads, head_dim;
  int ffn; /* width between the MLP's linears */
  enum norm_kind norm;
  float norm_eps;
  enum block_kind block;
  enum activation activation;
  bool gated; /* act(gate(x)) · up(x), else act(up(x)) */
  float attention_scale;
  enum position_kind position;
  int position_offset; /* POSITION_LEARNED: position p reads row p + offset */
  int rope_dims;       /* rotated dimensions of a head */
  double rope_theta;
  enum rope_scaling rope_scaling;
  double rope_factor, rope_low, rope_high; /* rope_low, rope_high: ROPE_LLAMA3 */
  int rope_original;                       /* ROPE_LLAMA3: original_max_position_embeddings */
  bool final_norm; /* the last block's output is normalised before the head */
  int embed_dim; /* width of the embedding and of the head: hidden unless projections stand between
                  */
  bool tied;     /* the head is the embedding */
  int bos, eos;  /* -1: none */
};

/* Tensors by meaning. A weight and its optional bias share a slot. */
enum slot {
  SLOT_EMBED,                         /* [vocab][embed_dim] */
  SLOT_POSITIONS,                     /* [positions + offset][hidden] */
  SLOT_PROJECT_IN,                    /* [hidden][embed_dim] */
  SLOT_PROJECT_OUT,                   /* [embed_dim][hidden] */
  SLOT_FINAL_NORM,                    /* [hidden] */
  SLOT_HEAD,                          /* [vocab][embed_dim] */
  SLOT_GLOBALS,                       /* the slots below exist once per block */
  SLOT_ATTENTION_NORM = SLOT_GLOBALS, /* [hidden] */
  SLOT_MLP_NORM,                      /* [hidden] */
  SLOT_Q,                             /* [heads·head_dim][hidden] */
  SLOT_K,                             /* [kv_heads·head_dim][hidden] */
  SLOT_V,                             /* [kv_heads·head_dim][hidden] */
  SLOT_O,                             /* [hidden][heads·head_dim] */
  SLOT_GATE,                          /* [ffn][hidden] */
  SLOT_UP,                            /* [ffn][hidden] */
  SLOT_DOWN,                          /* [hidden][ffn] */
  SLOT_COUNT,
};

const struct model_config *model_config(const struct model *m);

/* Whether the checkpoint has the slot's weight, and its bias. block is ignored for global slots. */
bool model_has(const struct model *m, enum slot slot, int block);
bool model_has_bias(const struct model *m, enum slot slot, int block);

/* The slot's weight as float32 in the shape above; refuses NaN and infinities with the tensor's
 * name. rows: read only `rows` rows from row `first` (rows 0: all). */
status model_read(const struct model *m, enum slot slot, int block, int first, int rows, float *out,
                  struct error *err);
status model_read_bias(const struct model *m, enum slot slot, int block, float *out,
                       struct error *err);

/* The slot of linear i of a block's list (model_linears). */
enum slot model_linear_slot(const struct model *m, int linear);

#endif
