#include "model/arch.h"

status cohere_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {.sizes = {ARCH_SIZE_KEYS},
                                            .activation_key = "hidden_act",
                                            .norm = NORM_LAYER,
                                            .eps_key = "layer_norm_eps",
                                            .eps = 1e-5,
                                            ARCH_GATED_SILU,
                                            .rope = {.theta_key = "rope_theta", .theta = 500000},
                                            .tied = true};
  struct model_config *c = &out->config;
  bool normed;
  TRY(arch_decoder(keys, &names, out, err));
  c->position = POSITION_ROPE_INTERLEAVED;
  c->block = BLOCK_PARALLEL;
  out->weight[SLOT_MLP_NORM] = false;
  TRY(arch_factor(keys, "logit_scale", 0.0625, &c->logit_scale, err));
  TRY(keys_bool_or(keys, "use_qk_norm", false, &normed, err));
  if (normed) {
    arch_qk_norm(out, QK_NORM_OWN, false);
  }
  return arch_attention_bias(keys, out, err);
}
