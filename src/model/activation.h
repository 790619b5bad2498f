/* What stands between an MLP's linears. */
#ifndef ESPALIER_MODEL_ACTIVATION_H
#define ESPALIER_MODEL_ACTIVATION_H

#include <stddef.h>

#include "linalg/precision.h"
#include "model/config.h"

/* x = act(x) · factor in place, in the calling thread; factor [count], operands
 * (linalg/operand.h), or NULL for 1. GELU: Hendrycks & Gimpel, arXiv 1606.08415, exact (erf) and by
 * tanh; gated: Shazeer, arXiv 2002.05202. */
void activation_apply(enum activation kind, enum precision precision, float *x, const void *factor,
                      int count);

#endif
