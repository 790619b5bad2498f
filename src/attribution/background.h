/* What units do on neutral text: windows of a calibration set, seen by one model. */
#ifndef ESPALIER_ATTRIBUTION_BACKGROUND_H
#define ESPALIER_ATTRIBUTION_BACKGROUND_H

#include "attribution/units.h"
#include "base/sequences.h"
#include "model/runner.h"

/* A sequence's first token is left out: it attracts activations a hundred times all others'. */
struct background {
  struct units units;
  int64_t tokens;    /* seen */
  double *mean;      /* [units.count]: of |a| */
  double *spread;    /* [units.count]: standard deviation of |a| */
  float *peak;       /* [units.count]: largest |a| */
  double perplexity; /* of the windows' tokens after the first */
  float *hidden;     /* [blocks - 1][sampled][width]: what the blocks after the first read */
  int sampled, width;
};

status background_observe(struct background *out, const struct model *m, struct runner *runner,
                          const struct sequences *windows,
                          status (*progress)(void *user, double done, struct error *err),
                          void *progress_user, struct error *err);
void background_free(struct background *b);

/* Units of each block, into out [blocks], whose largest |a| is below a millionth of the block's
 * mean one: never active. */
void background_dead(const struct background *b, int32_t *out);

/* Mean over blocks after the first of |x' - x|^2 / |x|^2, of what they read on the first tokens;
 * NaN with one block. */
double background_error(const struct background *dense, const struct background *pruned);

#endif
