/* /layers read back: what each linear of each variant lost. */
#ifndef ESPALIER_STORE_LAYERS_H
#define ESPALIER_STORE_LAYERS_H

#include <stddef.h>

#include "base/error.h"

struct results_layer {
  const char *variant, *linear; /* linear: "self_attn.q_proj" */
  int block;
  double sparsity, relative_error, damp; /* NaN where there is none */
};

struct results_layers {
  struct results_layer *at; /* [count], as the file has them: by variant, then by block */
  size_t count;
  unsigned char *text; /* holds the strings */
};

/* STATUS_INPUT for a file that is damaged or is no results file. */
status layers_read(struct results_layers *out, const char *path, struct error *err);
void layers_free(struct results_layers *l);

#endif
