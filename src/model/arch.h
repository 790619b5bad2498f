/* Model families as a table of differences: a row says how config.json is read and what the tensors
 * are called. A family that differs in nothing but its row is one line in arch.c; one that reads
 * other keys is one small file beside arch_llama.c. */
#ifndef ESPALIER_MODEL_ARCH_H
#define ESPALIER_MODEL_ARCH_H

#include "model/config.h"
#include "model/keys.h"

/* What the length of a tensor's side comes from; the configuration key is named in messages. */
enum side {
  SIDE_NONE, /* the slot has fewer sides */
  SIDE_HIDDEN,
  SIDE_EMBED,
  SIDE_VOCAB,
  SIDE_POSITIONS,  /* positions + offset */
  SIDE_HEADS,      /* heads · head_dim */
  SIDE_KV_HEADS,   /* kv_heads · head_dim */
  SIDE_QKV,        /* (heads + 2 · kv_heads) · head_dim */
  SIDE_HEAD_COUNT, /* heads */
  SIDE_KV_COUNT,   /* kv_heads */
  SIDE_HEAD_DIM,
  SIDE_EXPERTS,
  SIDE_FFN,
  SIDE_GATE_UP, /* 2 · ffn */
  SIDE_COUNT
};

/* A family's vocabulary. */
struct arch_names {
  const char *prefixes[2]; /* of every tensor but the head: as saved with its head, and alone */
  const char *layer;       /* between the prefix and a block's number: "layers." */
  const char *slots[SLOT_COUNT]; /* without ".weight"; "{}" stands for the number of one of several
                                    tensors; NULL: the family never has it */
  const char *head_otherwise;    /* another name of the head, or NULL */
  const char *sides[SIDE_COUNT]; /* keys of config.json; NULL: that of a related side */
};

/* What a checkpoint of the family must have, by its config.json. */
struct arch {
  struct model_config config; /* its arrays belong to the arch */
  bool weight[SLOT_COUNT];
  bool bias[SLOT_COUNT];
  bool transposed[SLOT_COUNT];     /* a matrix is stored [inputs][outputs] */
  const char *renamed[SLOT_COUNT]; /* in place of the family's name of the slot, or NULL */
};

/* Tensors that make up a slot of one block: one per expert, or per head of QK_NORM_OWN_APART. */
int arch_parts(const struct arch *a, enum slot slot);

void arch_free(struct arch *a);

struct family {
  const char *type; /* config.json's model_type */
  const struct arch_names *names;
  status (*configure)(const struct keys *keys, struct arch *out, struct error *err);
};

/* The family of a config.json; an unknown model_type is refused with the list of known ones. */
status family_of(const struct keys *keys, const struct family **out, struct error *err);

/* The rows: X(type, names). */
#define ARCH_FAMILIES(X)                                                                           \
  X(llama, llama)                                                                                  \
  X(opt, opt)                                                                                      \
  X(gpt2, gpt2)                                                                                    \
  X(gpt_neox, gpt_neox)                                                                            \
  X(gptj, gptj)                                                                                    \
  X(mistral, llama)                                                                                \
  X(mixtral, mixtral)                                                                              \
  X(qwen2, llama)                                                                                  \
  X(qwen3, llama)                                                                                  \
  X(qwen3_moe, experts)                                                                            \
  X(olmo2, olmo2)                                                                                  \
  X(olmoe, experts)                                                                                \
  X(gemma, llama)                                                                                  \
  X(gemma2, gemma2)                                                                                \
  X(gemma3_text, gemma2)                                                                           \
  X(phi, phi)                                                                                      \
  X(phi3, phi3)                                                                                    \
  X(bloom, bloom)                                                                                  \
  X(falcon, falcon)                                                                                \
  X(mpt, mpt)                                                                                      \
  X(stablelm, stablelm)                                                                            \
  X(starcoder2, starcoder2)                                                                        \
  X(cohere, llama)                                                                                 \
  X(granite, llama)

#define X(type, names)                                                                             \
  status type##_configure(const struct keys *keys, struct arch *out, struct error *err);
ARCH_FAMILIES(X)
#undef X

extern const struct arch_names llama_names, opt_names, gpt2_names, gpt_neox_names, gptj_names,
    mixtral_names, experts_names, olmo2_names, gemma2_names, phi_names, phi3_names, bloom_names,
    falcon_names, mpt_names, stablelm_names, starcoder2_names;

/* Parts of the names that many families share. */
#define ARCH_DECODER .prefixes = {"model.", ""}, .layer = "layers."
#define ARCH_DECODER_GLOBALS                                                                       \
  [SLOT_EMBED] = "embed_tokens", [SLOT_FINAL_NORM] = "norm", [SLOT_HEAD] = "lm_head"
#define ARCH_DECODER_LINEARS                                                                       \
  [SLOT_Q] = "self_attn.q_proj", [SLOT_K] = "self_attn.k_proj", [SLOT_V] = "self_attn.v_proj",     \
  [SLOT_O] = "self_attn.o_proj"
#define ARCH_DECODER_ATTENTION                                                                     \
  ARCH_DECODER_LINEARS, [SLOT_Q_NORM] = "self_attn.q_norm", [SLOT_K_NORM] = "self_attn.k_norm"
#define ARCH_DECODER_MLP                                                                           \
  [SLOT_GATE] = "mlp.gate_proj", [SLOT_UP] = "mlp.up_proj", [SLOT_DOWN] = "mlp.down_proj"
#define ARCH_DECODER_SIDES                                                                         \
  [SIDE_HIDDEN] = "hidden_size", [SIDE_VOCAB] = "vocab_size",                                      \
  [SIDE_HEADS] = "num_attention_heads", [SIDE_KV_HEADS] = "num_key_value_heads",                   \
  [SIDE_FFN] = "intermediate_size"

/* Keys that many families share. Each fills its part of *c and checks it. */

/* The most numbers that a width may have: beyond any model, and products of two fit into 64 bits.
 */
enum { ARCH_MOST_WIDTH = 1 << 24 };

/* The spellings of the sizes, and what stands for absent ones. */
struct size_keys {
  const char *hidden, *blocks, *heads, *positions;
  int most_positions; /* where the key `positions` is absent */
  bool reads_head_dim;
  int head_dim; /* where the key is absent; 0: hidden / heads */
};
#define ARCH_SIZE_KEYS                                                                             \
  .hidden = "hidden_size", .blocks = "num_hidden_layers", .heads = "num_attention_heads",          \
  .positions = "max_position_embeddings", .most_positions = 2048

/* Sizes, the scale of the scores, and 1 for every factor. */
status arch_sizes(const struct keys *keys, const struct size_keys *names, struct model_config *c,
                  struct error *err);

/* num_key_value_heads by its key; otherwise: where it is absent, 0 for as many as heads, which null
 * means always. */
status arch_kv_heads(const struct keys *keys, const char *key, int otherwise,
                     struct model_config *c, struct error *err);

/* The MLP's width; an absent key gives `times` · hidden, and is refused when times is 0. */
status arch_ffn(const struct keys *keys, const char *key, int times, struct model_config *c,
                struct error *err);

/* The kind of all norms and their eps. */
status arch_norms(const struct keys *keys, enum norm_kind kind, const char *key, double eps,
                  struct model_config *c, struct error *err);

/* The activation behind a key by transformers' names. */
status arch_activation(const struct keys *keys, const char *key, const char *otherwise,
                       enum activation *out, struct error *err);

/* tie_word_embeddings, and bos_token_id, eos_token_id: a number, a list (the first counts) or null.
 */
status arch_ends(const struct keys *keys, bool tied, struct model_config *c, struct error *err);

/* A factor above 0 into a float. */
status arch_factor(const struct keys *keys, const char *key, double otherwise, float *out,
                   struct error *err);

/* Rotary positions. */
struct rope_keys {
  const char *theta_key; /* "rope_theta" */
  double theta;          /* where it is absent */
  const char *share_key; /* of the rotated share of a head; NULL: all of it, other values of
                            partial_rotary_factor are refused */
  double share;          /* where it is absent */
  bool longrope;         /* the family has this scaling */
};

/* rope_theta, rope_scaling and rope_parameters (which wins), and the rotated dimensions. */
status arch_rope(const struct keys *keys, const struct rope_keys *names, struct model_config *c,
                 struct error *err);

/* The scaling that a map of rope parameters says. */
status arch_rope_scaling(const struct keys *k, bool longrope, struct model_config *c,
                         struct error *err);

/* rope_theta of a map of rope parameters, without change where it is absent. */
status arch_rope_theta(const struct keys *k, double *theta, struct error *err);

/* A window of `window` positions (0: none) in every block from `first` on, but for each period-th
 * of all blocks (0: none is left out). */
status arch_window(int window, int first, int period, struct model_config *c, struct error *err);

/* sliding_window in every block; otherwise: where it is absent, 0 for none, which null means
 * always.
 */
status arch_window_key(const struct keys *keys, int otherwise, struct model_config *c,
                       struct error *err);

/* Windows by the list layer_types; without the key they stay. */
status arch_layer_types(const struct keys *keys, struct model_config *c, struct error *err);

/* Weights, or biases, of the slots from `first` to `last`. */
void arch_need(bool *what, enum slot first, enum slot last);

/* The weights, and the biases when `bias`, of both norms of a block and of the last one. */
void arch_need_norms(struct arch *out, bool bias);

/* A family of linears q, k, v, o and an MLP behind rotary positions, with llama's keys but for
 * these. */
struct decoder_keys {
  struct size_keys sizes;
  int kv_heads; /* as arch_kv_heads's */
  enum norm_kind norm;
  const char *eps_key;
  double eps; /* where it is absent */
  const char *activation_key, *activation;
  bool gated;
  struct rope_keys rope;
  bool tied;
};
#define ARCH_DECODER_KEYS                                                                          \
  .sizes = {ARCH_SIZE_KEYS, .reads_head_dim = true}, .activation_key = "hidden_act"
#define ARCH_RMS .norm = NORM_RMS, .eps_key = "rms_norm_eps"
#define ARCH_GATED_SILU .activation = "silu", .gated = true
#define ARCH_ROPE .theta_key = "rope_theta", .theta = 10000

/* All but biases. */
status arch_decoder(const struct keys *keys, const struct decoder_keys *names, struct arch *out,
                    struct error *err);

/* attention_bias (absent: false) of q, k, v and o. */
status arch_attention_bias(const struct keys *keys, struct arch *out, struct error *err);

/* q/k norms with a weight and, when `bias`, a bias. */
void arch_qk_norm(struct arch *out, enum qk_norm kind, bool bias);

#endif
