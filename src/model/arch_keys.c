#include <math.h>
#include <string.h>

#include "model/arch.h"

/* Beyond any model, and small enough that products of two fit into 64 bits. */
enum { MOST_WIDTH = 1 << 24, MOST_BLOCKS = 1 << 16, MOST_POSITIONS = 1 << 30, POSITIONS = 2048 };

status arch_sizes(const struct keys *keys, bool has_head_dim, struct model_config *c,
                  struct error *err) {
  TRY(keys_int(keys, "hidden_size", 1, MOST_WIDTH, &c->hidden, err));
  TRY(keys_int(keys, "num_hidden_layers", 1, MOST_BLOCKS, &c->blocks, err));
  TRY(keys_int(keys, "num_attention_heads", 1, MOST_WIDTH, &c->heads, err));
  TRY(keys_int(keys, "vocab_size", 1, MOST_WIDTH, &c->vocab, err));
  TRY(keys_int_or(keys, "max_position_embeddings", 1, MOST_POSITIONS, POSITIONS, &c->positions,
                  err));
  if (has_head_dim && keys_get(keys, "head_dim")) {
    TRY(keys_int(keys, "head_dim", 1, MOST_WIDTH / c->heads, &c->head_dim, err));
  } else if (c->hidden % c->heads) {
    return keys_fail(keys, "hidden_size", STATUS_INPUT, err,
                     "is %d, not a multiple of num_attention_heads %d", c->hidden, c->heads);
  } else {
    c->head_dim = c->hidden / c->heads;
  }
  c->kv_heads = c->heads;
  c->embed_dim = c->hidden;
  c->attention_scale = (float)(1 / sqrt(c->head_dim));
  if (keys_get(keys, "quantization_config")) {
    return keys_fail(keys, "quantization_config", STATUS_UNSUPPORTED, err,
                     "is not handled (expected F32, F16 or BF16 weights)");
  }
  return STATUS_OK;
}

status arch_activation(const struct keys *keys, const char *key, const char *otherwise,
                       enum activation *out, struct error *err) {
  static const struct {
    const char *name;
    enum activation is;
  } known[] = {
      {"silu", ACTIVATION_SILU},           {"swish", ACTIVATION_SILU},
      {"relu", ACTIVATION_RELU},           {"gelu", ACTIVATION_GELU},
      {"gelu_python", ACTIVATION_GELU},    {"gelu_new", ACTIVATION_GELU_TANH},
      {"gelu_fast", ACTIVATION_GELU_TANH}, {"gelu_pytorch_tanh", ACTIVATION_GELU_TANH},
  };
  const char *name;
  TRY(keys_text_or(keys, key, otherwise, &name, err));
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i].name, name) == 0) {
      *out = known[i].is;
      return STATUS_OK;
    }
  }
  return keys_fail(keys, key, STATUS_UNSUPPORTED, err,
                   "is '%s', which is not handled (known: silu, swish, relu, gelu, gelu_python, "
                   "gelu_new, gelu_fast, gelu_pytorch_tanh)",
                   name);
}

static status special(const struct keys *keys, const char *key, int *out, struct error *err) {
  const cJSON *item = keys_get(keys, key);
  *out = -1;
  if (cJSON_IsArray(item)) {
    item = item->child;
  }
  if (!item) {
    return STATUS_OK;
  }
  if (!cJSON_IsNumber(item) || item->valuedouble != floor(item->valuedouble) ||
      item->valuedouble < -1 || item->valuedouble > MOST_WIDTH) {
    return keys_fail(keys, key, STATUS_INPUT, err, "is not a token id");
  }
  *out = (int)item->valuedouble;
  return STATUS_OK;
}

status arch_specials(const struct keys *keys, struct model_config *c, struct error *err) {
  TRY(special(keys, "bos_token_id", &c->bos, err));
  return special(keys, "eos_token_id", &c->eos, err);
}
