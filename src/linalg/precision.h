/* Arithmetic of the forward pass. */
#ifndef ESPALIER_LINALG_PRECISION_H
#define ESPALIER_LINALG_PRECISION_H

enum precision {
  PRECISION_FLOAT32,
  PRECISION_BFLOAT16, /* weights and activations in bfloat16; sums and residual stream in float32 */
};

enum { PRECISION_COUNT = PRECISION_BFLOAT16 + 1 };

const char *precision_name(enum precision p); /* "float32" */
int precision_parse(const char *text);        /* -1 when there is none of that name */

#endif
