#include "model/arch.h"

/* No norm before a branch; both names mean the branches' outputs. */
const struct arch_names olmo2_names = {
    ARCH_DECODER,
    .slots =
        {
            ARCH_DECODER_GLOBALS,
            ARCH_DECODER_ATTENTION,
            ARCH_DECODER_MLP,
            [SLOT_ATTENTION_OUT_NORM] = "post_attention_layernorm",
            [SLOT_MLP_OUT_NORM] = "post_feedforward_layernorm",
        },
    .sides = {ARCH_DECODER_SIDES},
};

status olmo2_configure(const struct keys *keys, struct arch *out, struct error *err) {
  static const struct decoder_keys names = {.sizes = {ARCH_SIZE_KEYS},
                                            .activation_key = "hidden_act",
                                            ARCH_RMS,
                                            .eps = 1e-5,
                                            ARCH_GATED_SILU,
                                            .rope = {ARCH_ROPE}};
  TRY(arch_decoder(keys, &names, out, err));
  out->weight[SLOT_ATTENTION_NORM] = out->weight[SLOT_MLP_NORM] = false;
  out->weight[SLOT_ATTENTION_OUT_NORM] = out->weight[SLOT_MLP_OUT_NORM] = true;
  arch_qk_norm(out, QK_NORM_WHOLE, false);
  return arch_attention_bias(keys, out, err);
}
