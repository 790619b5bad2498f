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

/* How a block puts its two branches into the residual stream x. A norm whose slot is empty passes
 * its input; a branch's output goes through its SLOT_*_OUT_NORM, where there is one, before it is
 * added. */
enum block_kind {
  BLOCK_PRE_NORM,  /* x += attn(n1(x)); x += mlp(n2(x)) */
  BLOCK_POST_NORM, /* x = n1(x + attn(x)); x = n2(x + mlp(x)) */
  BLOCK_PARALLEL,  /* x += attn(n1(x)) + mlp(n2(x)); without an n2 both read n1(x) */
};

/* Where q, k and v come from. */
enum qkv_layout {
  QKV_APART,  /* three linears */
  QKV_BLOCKS, /* rows of SLOT_QKV: all of q, all of k, all of v */
  QKV_GROUPS, /* rows of SLOT_QKV by key head: the query heads that read it, k, v */
};

/* Norms of q and k before the rotation, of the kind of the other norms. */
enum qk_norm {
  QK_NORM_NONE,
  QK_NORM_SHARED,    /* over a head, one weight [head_dim] for all of them */
  QK_NORM_OWN,       /* over a head, each with its own weight: [heads][head_dim] */
  QK_NORM_OWN_APART, /* the same, stored as a tensor [head_dim] per head */
  QK_NORM_WHOLE,     /* over all heads at once: [heads·head_dim] */
};

enum rope_scaling { ROPE_PLAIN, ROPE_LINEAR, ROPE_LLAMA3, ROPE_LONG };

struct model_config {
  int hidden, blocks, vocab, positions;
  int heads, kv_heads, head_dim;
  int ffn; /* width between the MLP's linears; of one expert where there are several */
  enum norm_kind norm;
  float norm_eps;
  bool norm_plus_one; /* norms multiply by 1 + w */
  enum block_kind block;
  bool normed_residual; /* BLOCK_PRE_NORM: branches are added to n1(x) and n2(x) in place of x */
  float residual_scale; /* factor of what a branch adds */
  enum activation activation;
  bool gated;         /* act(gate(x)) · up(x), else act(up(x)) */
  bool gate_up_fused; /* SLOT_GATE_UP: rows of gate, then of up */
  int experts;        /* MLPs of which a token takes experts_used; 0: one MLP for all tokens */
  int experts_used;
  bool experts_normalised; /* the chosen experts' probabilities are made to sum to 1 */
  enum qkv_layout qkv;
  enum qk_norm qk_norm;
  float clip_qkv; /* q, k and v are clamped to ±this before the rotation; 0: not */
  float attention_scale;
  bool scale_by_block; /* block i, from 0, divides attention_scale by i + 1 */
  float score_cap;     /* score = cap · tanh(score / cap), scaled already; 0: not */
  int window;          /* positions that a windowed block's query sees, itself among them */
  bool *windowed;      /* [blocks]: has the window; NULL: no block has */
  enum position_kind position;
  int position_offset; /* POSITION_LEARNED: position p reads row p + offset */
  bool alibi_rounded;  /* POSITION_ALIBI: slopes, positions and their products are rounded to
                          bfloat16 and multiplied by attention_scale */
  int rope_dims;       /* rotated dimensions of a head */
  double rope_theta;
  double rope_window_theta; /* windowed blocks rotate by this base, unscaled; 0: as the others */
  enum rope_scaling rope_scaling;
  double rope_factor, rope_low, rope_high; /* rope_low, rope_high: ROPE_LLAMA3 */
  int rope_original;     /* ROPE_LLAMA3, ROPE_LONG: original_max_position_embeddings */
  double *rope_divisors; /* ROPE_LONG: [2][rope_dims / 2], of the frequencies in sequences of up to
                            rope_original tokens, and in longer ones */
  double rope_magnitude; /* ROPE_LONG: factor of the cosines and sines */
  float embed_scale;     /* factor of the embedding's rows */
  bool final_norm;       /* the last block's output is normalised before the head */
  int embed_dim; /* width of the embedding and of the head: hidden unless projections stand between
                  */
  bool tied;     /* the head is the embedding */
  float logit_scale;
  float logit_cap; /* logit = cap · tanh(logit / cap); 0: not */
  int bos, eos;    /* -1: none */
};

/* Tensors by meaning. A weight and its optional bias share a slot. */
enum slot {
  SLOT_EMBED,                         /* [vocab][embed_dim] */
  SLOT_EMBED_NORM,                    /* [hidden] */
  SLOT_POSITIONS,                     /* [positions + offset][hidden] */
  SLOT_PROJECT_IN,                    /* [hidden][embed_dim] */
  SLOT_PROJECT_OUT,                   /* [embed_dim][hidden] */
  SLOT_FINAL_NORM,                    /* [hidden] */
  SLOT_HEAD,                          /* [vocab][embed_dim] */
  SLOT_GLOBALS,                       /* the slots below exist once per block */
  SLOT_ATTENTION_NORM = SLOT_GLOBALS, /* [hidden] */
  SLOT_ATTENTION_OUT_NORM,            /* [hidden] */
  SLOT_MLP_NORM,                      /* [hidden] */
  SLOT_MLP_OUT_NORM,                  /* [hidden] */
  SLOT_Q_NORM,                        /* as qk_norm says */
  SLOT_K_NORM,
  SLOT_ROUTER,  /* [experts][hidden] */
  SLOT_QKV,     /* [(heads + 2·kv_heads)·head_dim][hidden] */
  SLOT_Q,       /* [heads·head_dim][hidden] */
  SLOT_K,       /* [kv_heads·head_dim][hidden] */
  SLOT_V,       /* [kv_heads·head_dim][hidden] */
  SLOT_O,       /* [hidden][heads·head_dim] */
  SLOT_GATE_UP, /* [2·ffn][hidden] */
  SLOT_GATE,    /* [ffn][hidden], one per expert, as are the next two */
  SLOT_UP,      /* [ffn][hidden] */
  SLOT_DOWN,    /* [hidden][ffn] */
  SLOT_COUNT,
};

const struct model_config *model_config(const struct model *m);

/* Whether the checkpoint has the slot's weight, and its bias. block is ignored for global slots. */
bool model_has(const struct model *m, enum slot slot, int block);
bool model_has_bias(const struct model *m, enum slot slot, int block);

/* The slot's weight as float32 in the shape above, several tensors one after the other; refuses NaN
 * and infinities with the tensor's name. rows: read only `rows` rows from row `first` (rows 0: all)
 * of a slot that is one tensor. */
status model_read(const struct model *m, enum slot slot, int block, int first, int rows, float *out,
                  struct error *err);
status model_read_bias(const struct model *m, enum slot slot, int block, float *out,
                       struct error *err);

/* The bias of a linear of a block's list, [rows]. */
bool model_linear_has_bias(const struct model *m, int linear);
status model_linear_read_bias(const struct model *m, int block, int linear, float *out,
                              struct error *err);

/* The slot of linear i of a block's list (model_linears), and which of the slot's matrices it is:
 * the expert's number, or 0. */
enum slot model_linear_slot(const struct model *m, int linear);
int model_linear_part(const struct model *m, int linear);

#endif
