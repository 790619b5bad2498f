#include "model/arch.h"

const struct arch_names starcoder2_names = {
    ARCH_DECODER,
    .slots =
        {
            ARCH_DECODER_GLOBALS,
            ARCH_DECODER_LINEARS,
            [SLOT_ATTENTION_NORM] = "input_layernorm",
            [SLOT_MLP_NORM] = "post_attention_layernorm",
            [SLOT_UP] = "mlp.c_fc",
            [SLOT_DOWN] = "mlp.c_proj",
        },
    .sides = {ARCH_DECODER_SIDES},
};

status starcoder2_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {.sizes = {ARCH_SIZE_KEYS},
                                            .activation_key = "hidden_act",
                                            .activation = "gelu_pytorch_tanh",
                                            .kv_heads = 2,
                                            .norm = NORM_LAYER,
                                            .eps_key = "norm_epsilon",
                                            .eps = 1e-5,
                                            .rope = {ARCH_ROPE},
                                            .tied = true};
  bool bias;
  TRY(arch_decoder(keys, &names, out, err));
  arch_need_norms(out, true);
  TRY(keys_bool_or(keys, "use_bias", true, &bias, err));
  if (bias) {
    arch_need(out->bias, SLOT_Q, SLOT_O);
    arch_need(out->bias, SLOT_UP, SLOT_DOWN);
  }
  return arch_window_key(keys, 0, &out->config, err);
}
