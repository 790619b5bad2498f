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
  SIDE_POSITIONS, /* positions + offset */
  SIDE_HEADS,     /* heads · head_dim */
  SIDE_KV_HEADS,  /* kv_heads · head_dim */
  SIDE_FFN,
  SIDE_COUNT
};

/* A family's vocabulary. */
struct arch_names {
  const char *prefixes[2]; /* of every tensor but the head: as saved with its head, and alone */
  const char *layer;       /* between the prefix and a block's number: "layers." */
  const char *slots[SLOT_COUNT]; /* without ".weight"; NULL: the family never has it */
  const char *sides[SIDE_COUNT]; /* keys of config.json */
};

/* What a checkpoint of the family must have, by its config.json. */
struct arch {
  struct model_config config;
  bool weight[SLOT_COUNT];
  bool bias[SLOT_COUNT];
};

struct family {
  const char *type; /* config.json's model_type */
  const struct arch_names *names;
  status (*configure)(const struct keys *keys, struct arch *out, struct error *err);
};

/* The family of a config.json; an unknown model_type is refused with the list of known ones. */
status family_of(const struct keys *keys, const struct family **out, struct error *err);

extern const struct arch_names llama_names, opt_names;
status llama_configure(const struct keys *keys, struct arch *out, struct error *err);
status opt_configure(const struct keys *keys, struct arch *out, struct error *err);

/* Keys that many families share. Each fills its part of *c and checks it. */

/* hidden_size, num_hidden_layers, num_attention_heads, vocab_size, max_position_embeddings (absent:
 * 2048), head_dim when has_head_dim (else hidden_size / heads) and the scale of the scores. */
status arch_sizes(const struct keys *keys, bool has_head_dim, struct model_config *c,
                  struct error *err);

/* The activation behind a key by transformers' names. */
status arch_activation(const struct keys *keys, const char *key, const char *otherwise,
                       enum activation *out, struct error *err);

/* bos_token_id, eos_token_id: a number, a list (the first counts) or null. */
status arch_specials(const struct keys *keys, struct model_config *c, struct error *err);

/* rope_theta, rope_scaling and rope_parameters (which wins); theta: the family's default base. */
status arch_rope(const struct keys *keys, double theta, struct model_config *c, struct error *err);

#endif
