#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/arch.h"

static status read_llama3(const struct keys *k, struct model_config *c, struct error *err) {
  TRY(keys_positive(k, "factor", &c->rope_factor, err));
  TRY(keys_positive(k, "low_freq_factor", &c->rope_low, err));
  TRY(keys_positive(k, "high_freq_factor", &c->rope_high, err));
  TRY(keys_int(k, "original_max_position_embeddings", 1, 1 << 30, &c->rope_original, err));
  if (c->rope_high <= c->rope_low) {
    return keys_fail(k, "high_freq_factor", STATUS_INPUT, err,
                     "is %g, not above low_freq_factor %g", c->rope_high, c->rope_low);
  }
  c->rope_scaling = ROPE_LLAMA3;
  return STATUS_OK;
}

static status read_divisors(const struct keys *k, const char *key, int pairs, double *out,
                            struct error *err) {
  const cJSON *list = keys_get(k, key), *item;
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != pairs) {
    return keys_fail(k, key, STATUS_INPUT, err, "is not a list of %d numbers", pairs);
  }
  int i = 0;
  cJSON_ArrayForEach(item, list) {
    if (!cJSON_IsNumber(item) || !(item->valuedouble > 0) || !isfinite(item->valuedouble)) {
      return keys_fail(k, key, STATUS_INPUT, err, "has an item that is not a number above 0");
    }
    out[i++] = item->valuedouble;
  }
  return STATUS_OK;
}

/* LongRoPE (Ding et al., arXiv 2402.13753). The caller has read rope_original where
 * original_max_position_embeddings stands beside the map; that one wins. */
static status read_longrope(const struct keys *k, struct model_config *c, struct error *err) {
  int pairs = c->rope_dims / 2;
  if (c->rope_original == 0) {
    TRY(keys_int(k, "original_max_position_embeddings", 2, 1 << 30, &c->rope_original, err));
  }
  TRY(mem_alloc(&c->rope_divisors, 2 * (size_t)pairs, sizeof *c->rope_divisors, err));
  TRY(read_divisors(k, "short_factor", pairs, c->rope_divisors, err));
  TRY(read_divisors(k, "long_factor", pairs, c->rope_divisors + pairs, err));
  double ratio = (double)c->positions / c->rope_original;
  double magnitude = ratio > 1 ? sqrt(1 + log(ratio) / log(c->rope_original)) : 1;
  c->rope_scaling = ROPE_LONG;
  return keys_positive_or(k, "attention_factor", magnitude, &c->rope_magnitude, err);
}

static bool is_longrope(const char *type) {
  /* "su" and "yarn" are older spellings in files of the families that have it. */
  return strcmp(type, "longrope") == 0 || strcmp(type, "su") == 0 || strcmp(type, "yarn") == 0;
}

status arch_rope_scaling(const struct keys *k, bool longrope, struct model_config *c,
                         struct error *err) {
  /* "type" is the older spelling; transformers reads it when "rope_type" is absent. */
  const char *key = keys_get(k, "rope_type") ? "rope_type" : "type", *type;
  TRY(keys_text_or(k, key, "default", &type, err));
  if (keys_get(k, "mrope_section")) {
    return keys_fail(k, "mrope_section", STATUS_UNSUPPORTED, err, "is not handled");
  }
  if (strcmp(type, "default") == 0) {
    c->rope_scaling = ROPE_PLAIN;
    return STATUS_OK;
  }
  if (strcmp(type, "linear") == 0) {
    c->rope_scaling = ROPE_LINEAR;
    return keys_positive(k, "factor", &c->rope_factor, err);
  }
  if (strcmp(type, "llama3") == 0) {
    return read_llama3(k, c, err);
  }
  if (longrope && is_longrope(type)) {
    return read_longrope(k, c, err);
  }
  return keys_fail(k, key, STATUS_UNSUPPORTED, err,
                   "is '%s', which is not handled (known: default, linear, llama3%s)", type,
                   longrope ? ", longrope" : "");
}

status arch_rope_theta(const struct keys *k, double *theta, struct error *err) {
  return keys_positive_or(k, "rope_theta", *theta, theta, err);
}

static status refuse_share(const struct keys *k, struct error *err) {
  double share;
  TRY(keys_positive_or(k, "partial_rotary_factor", 1, &share, err));
  if (share != 1) {
    return keys_fail(k, "partial_rotary_factor", STATUS_UNSUPPORTED, err,
                     "is %g, which is not handled (expected 1)", share);
  }
  return STATUS_OK;
}

static status read_dims(const struct keys *keys, const struct keys *parameters,
                        const struct rope_keys *names, struct model_config *c, struct error *err) {
  double share = 1;
  const char *key = names->share_key;
  if (key) {
    TRY(keys_positive_or(keys, key, names->share, &share, err));
    TRY(keys_positive_or(parameters, "partial_rotary_factor", share, &share, err));
  } else {
    TRY(refuse_share(keys, err));
    TRY(refuse_share(parameters, err));
  }
  c->rope_dims = share < 1 ? (int)(c->head_dim * share) : c->head_dim;
  if (share > 1 || c->rope_dims < 2) {
    return keys_fail(keys, key ? key : "head_dim", STATUS_INPUT, err,
                     "gives %g of %d numbers to rotate", share, c->head_dim);
  }
  if (c->rope_dims % 2) {
    return keys_fail(keys, keys_get(keys, "head_dim") ? "head_dim" : "hidden_size", STATUS_INPUT,
                     err, "gives heads of %d numbers, which do not pair up for rotation",
                     c->rope_dims);
  }
  return STATUS_OK;
}

status arch_rope(const struct keys *keys, const struct rope_keys *names, struct model_config *c,
                 struct error *err) {
  struct keys scaling, parameters;
  TRY(keys_map(keys, "rope_scaling", "rope_scaling.", &scaling, err));
  TRY(keys_map(keys, "rope_parameters", "rope_parameters.", &parameters, err));
  TRY(keys_positive_or(keys, names->theta_key, names->theta, &c->rope_theta, err));
  TRY(arch_rope_theta(&parameters, &c->rope_theta, err));
  c->rope_factor = 1;
  c->position = POSITION_ROPE_HALF;
  TRY(read_dims(keys, &parameters, names, c, err));
  if (names->longrope && keys_get(keys, "original_max_position_embeddings")) {
    TRY(keys_int(keys, "original_max_position_embeddings", 2, 1 << 30, &c->rope_original, err));
  }
  return arch_rope_scaling(parameters.map ? &parameters : &scaling, names->longrope, c, err);
}
