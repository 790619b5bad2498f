#include <limits.h>

#include "model/arch.h"

/* Of blocks from max_window_layers on, when use_sliding_window says so. */
static status read_window(const struct keys *keys, struct model_config *c, struct error *err) {
  bool used;
  int window, first;
  TRY(keys_bool_or(keys, "use_sliding_window", false, &used, err));
  int otherwise = keys_is_null(keys, "sliding_window") ? 0 : 4096;
  TRY(keys_int_or(keys, "sliding_window", 1, INT_MAX, otherwise, &window, err));
  TRY(keys_int_or(keys, "max_window_layers", 0, INT_MAX, 28, &first, err));
  TRY(arch_window(used ? window : 0, first, 0, c, err));
  return arch_layer_types(keys, c, err);
}

status qwen2_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {.sizes = {ARCH_SIZE_KEYS},
                                            .activation_key = "hidden_act",
                                            ARCH_RMS,
                                            .kv_heads = 32,
                                            .eps = 1e-6,
                                            ARCH_GATED_SILU,
                                            .rope = {ARCH_ROPE}};
  TRY(arch_decoder(keys, &names, out, err));
  arch_need(out->bias, SLOT_Q, SLOT_V);
  return read_window(keys, &out->config, err);
}

status qwen3_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {
      .sizes = {ARCH_SIZE_KEYS, .reads_head_dim = true, .head_dim = 128},
      .activation_key = "hidden_act",
      ARCH_RMS,
      .kv_heads = 32,
      .eps = 1e-6,
      ARCH_GATED_SILU,
      .rope = {ARCH_ROPE}};
  TRY(arch_decoder(keys, &names, out, err));
  arch_qk_norm(out, QK_NORM_SHARED, false);
  TRY(arch_attention_bias(keys, out, err));
  return read_window(keys, &out->config, err);
}
