#include <string.h>

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

static status read_scaling(const struct keys *k, struct model_config *c, struct error *err) {
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
  return keys_fail(k, key, STATUS_UNSUPPORTED, err,
                   "is '%s', which is not handled (known: default, linear, llama3)", type);
}

static status read_share(const struct keys *k, struct error *err) {
  double share;
  TRY(keys_positive_or(k, "partial_rotary_factor", 1, &share, err));
  if (share != 1) {
    return keys_fail(k, "partial_rotary_factor", STATUS_UNSUPPORTED, err,
                     "is %g, which is not handled (expected 1)", share);
  }
  return STATUS_OK;
}

status arch_rope(const struct keys *keys, double theta, struct model_config *c, struct error *err) {
  struct keys scaling, parameters;
  TRY(keys_map(keys, "rope_scaling", "rope_scaling.", &scaling, err));
  TRY(keys_map(keys, "rope_parameters", "rope_parameters.", &parameters, err));
  TRY(keys_positive_or(keys, "rope_theta", theta, &c->rope_theta, err));
  TRY(keys_positive_or(&parameters, "rope_theta", c->rope_theta, &c->rope_theta, err));
  TRY(read_share(keys, err));
  TRY(read_share(&parameters, err));
  c->rope_factor = 1;
  TRY(read_scaling(parameters.map ? &parameters : &scaling, c, err));
  c->position = POSITION_ROPE_HALF;
  c->rope_dims = c->head_dim;
  if (c->rope_dims % 2) {
    return keys_fail(keys, keys_get(keys, "head_dim") ? "head_dim" : "hidden_size", STATUS_INPUT,
                     err, "gives heads of %d numbers, which do not pair up for rotation",
                     c->head_dim);
  }
  return STATUS_OK;
}
