/* Rotary positions (Su et al., arXiv 2104.09864): angles computed in double, kept as float. */
#ifndef ESPALIER_MODEL_ROPE_H
#define ESPALIER_MODEL_ROPE_H

#include <stdint.h>

#include "model/config.h"

struct rope {
  int pairs;        /* rotated dimensions / 2 */
  int positions;    /* rows of the tables */
  float *cos, *sin; /* [positions][pairs] */
};

/* Some models rotate in two ways. */
enum rope_use {
  ROPE_USUAL,
  ROPE_WINDOW, /* in windowed blocks, where rope_window_theta says so */
  ROPE_BEYOND, /* ROPE_LONG: in sequences of more than rope_original tokens */
  ROPE_USES
};

/* Angle per position of each pair, out [rope_dims / 2]: theta^(-2i/dims), scaled as the
 * configuration says (linear; llama3: Llama 3.1's bands by wavelength; long: a divisor per pair).
 */
void rope_frequencies(const struct model_config *c, enum rope_use use, double *out);

/* Makes the tables reach `positions`; zero-initialise before the first call. */
status rope_reserve(struct rope *r, const struct model_config *c, enum rope_use use, int positions,
                    struct error *err);
void rope_free(struct rope *r);

/* Rotates x [rows][heads·head_dim] in place; at [rows] holds the rows' positions. Dimensions of a
 * head behind the rotated ones pass. */
void rope_apply(const struct rope *r, enum position_kind kind, const int32_t *at, int rows,
                float *x, int heads, int head_dim);

#endif
