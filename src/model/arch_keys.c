#include <math.h>
#include <string.h>

#include "model/arch.h"

enum { MOST_BLOCKS = 1 << 16, MOST_POSITIONS = 1 << 30 };

static status read_head_dim(const struct keys *keys, const struct size_keys *names,
                            struct model_config *c, struct error *err) {
  if (names->reads_head_dim && (keys_get(keys, "head_dim") || names->head_dim)) {
    return keys_int_or(keys, "head_dim", 1, ARCH_MOST_WIDTH / c->heads, names->head_dim,
                       &c->head_dim, err);
  }
  if (c->hidden % c->heads) {
    return keys_fail(keys, names->hidden, STATUS_INPUT, err, "is %d, not a multiple of %s %d",
                     c->hidden, names->heads, c->heads);
  }
  c->head_dim = c->hidden / c->heads;
  return STATUS_OK;
}

status arch_sizes(const struct keys *keys, const struct size_keys *names, struct model_config *c,
                  struct error *err) {
  TRY(keys_int(keys, names->hidden, 1, ARCH_MOST_WIDTH, &c->hidden, err));
  TRY(keys_int(keys, names->blocks, 1, MOST_BLOCKS, &c->blocks, err));
  TRY(keys_int(keys, names->heads, 1, ARCH_MOST_WIDTH, &c->heads, err));
  TRY(keys_int(keys, "vocab_size", 1, ARCH_MOST_WIDTH, &c->vocab, err));
  TRY(keys_int_or(keys, names->positions, 1, MOST_POSITIONS, names->most_positions, &c->positions,
                  err));
  TRY(read_head_dim(keys, names, c, err));
  c->kv_heads = c->heads;
  c->embed_dim = c->hidden;
  c->attention_scale = (float)(1 / sqrt(c->head_dim));
  c->embed_scale = c->residual_scale = c->logit_scale = 1;
  if (keys_get(keys, "quantization_config")) {
    return keys_fail(keys, "quantization_config", STATUS_UNSUPPORTED, err,
                     "is not handled (expected F32, F16 or BF16 weights)");
  }
  return STATUS_OK;
}

status arch_kv_heads(const struct keys *keys, const char *key, int otherwise,
                     struct model_config *c, struct error *err) {
  otherwise = otherwise && !keys_is_null(keys, key) ? otherwise : c->heads;
  TRY(keys_int_or(keys, key, 1, c->heads, otherwise, &c->kv_heads, err));
  if (c->heads % c->kv_heads) {
    return keys_fail(keys, key, STATUS_INPUT, err, "is %d, not a divisor of the %d attention heads",
                     c->kv_heads, c->heads);
  }
  return STATUS_OK;
}

status arch_ffn(const struct keys *keys, const char *key, int times, struct model_config *c,
                struct error *err) {
  if (times == 0) {
    return keys_int(keys, key, 1, ARCH_MOST_WIDTH, &c->ffn, err);
  }
  int otherwise = c->hidden <= ARCH_MOST_WIDTH / times ? times * c->hidden : ARCH_MOST_WIDTH;
  return keys_int_or(keys, key, 1, ARCH_MOST_WIDTH, otherwise, &c->ffn, err);
}

status arch_factor(const struct keys *keys, const char *key, double otherwise, float *out,
                   struct error *err) {
  double value;
  TRY(keys_positive_or(keys, key, otherwise, &value, err));
  *out = (float)value;
  return STATUS_OK;
}

status arch_norms(const struct keys *keys, enum norm_kind kind, const char *key, double eps,
                  struct model_config *c, struct error *err) {
  c->norm = kind;
  c->final_norm = true;
  return arch_factor(keys, key, eps, &c->norm_eps, err);
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
      item->valuedouble < -1 || item->valuedouble > ARCH_MOST_WIDTH) {
    return keys_fail(keys, key, STATUS_INPUT, err, "is not a token id");
  }
  *out = (int)item->valuedouble;
  return STATUS_OK;
}

status arch_ends(const struct keys *keys, bool tied, struct model_config *c, struct error *err) {
  TRY(keys_bool_or(keys, "tie_word_embeddings", tied, &c->tied, err));
  TRY(special(keys, "bos_token_id", &c->bos, err));
  return special(keys, "eos_token_id", &c->eos, err);
}

void arch_need(bool *what, enum slot first, enum slot last) {
  for (int slot = (int)first; slot <= (int)last; slot++) {
    what[slot] = true;
  }
}

void arch_need_norms(struct arch *out, bool bias) {
  static const enum slot norms[] = {SLOT_ATTENTION_NORM, SLOT_MLP_NORM, SLOT_FINAL_NORM};
  for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) {
    out->weight[norms[i]] = true;
    out->bias[norms[i]] = bias;
  }
}

void arch_qk_norm(struct arch *out, enum qk_norm kind, bool bias) {
  out->config.qk_norm = kind;
  out->weight[SLOT_Q_NORM] = out->weight[SLOT_K_NORM] = true;
  out->bias[SLOT_Q_NORM] = out->bias[SLOT_K_NORM] = bias;
}
