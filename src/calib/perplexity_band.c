/* Windows of middling difficulty: of the candidates' perplexities under the dense model, those
 * between two quantiles, at random. One pass of the dense model over the candidates. */
#include <math.h>
#include <stdlib.h>

#include "calib/select.h"

enum { PARAM_LOW = 1, PARAM_HIGH };

static status check(const double *params, const char *path, struct error *err) {
  return params[PARAM_LOW] < params[PARAM_HIGH]
             ? STATUS_OK
             : err_at(err, STATUS_INPUT, path, 0, "low: %g (expected less than high: %g)",
                      params[PARAM_LOW], params[PARAM_HIGH]);
}

static status rank(struct pool *pool, const struct draw *draw, const struct candidates *c,
                   size_t *order, struct error *err) {
  bool *inside;
  TRY(mem_alloc(&inside, c->count, sizeof *inside, err));
  struct scored *scored = NULL;
  status st = candidates_difficulty(pool, draw, c, &scored, err);
  size_t low = (size_t)ceil(pool->set->params[PARAM_LOW] * (double)c->count - 1e-9);
  size_t high = (size_t)floor(pool->set->params[PARAM_HIGH] * (double)c->count + 1e-9), most = 0;
  for (size_t i = low; st == STATUS_OK && i < high; i++) {
    inside[scored[i].index] = true;
  }
  if (st == STATUS_OK && high < low + (size_t)draw->most) {
    st = select_too_few(pool, draw, high > low ? high - low : 0, c->count, "inside of the band",
                        err);
  }
  for (size_t i = 0; st == STATUS_OK && most < (size_t)draw->most; i++) { /* shuffled already */
    if (inside[i]) {
      order[most++] = i;
    }
  }
  free(scored);
  free(inside);
  return st;
}

const struct sampler sampler_perplexity_band = {
    .name = "perplexity_band",
    .params = {CANDIDATES_PARAM, {"low", 0, 1, 0.25, false}, {"high", 0, 1, 0.75, false}},
    .check = check,
    .rank = rank};
