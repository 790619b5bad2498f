/* Coverage-centric coreset: Zheng, Liu, Lai and Prakash, "Coverage-centric Coreset Selection for
 * High Pruning Rates" (arXiv 2210.15809). The hardest share `beta` of the candidates is left out;
 * the range of the others' difficulty is cut into strata of equal width, and the budget is spread
 * evenly over them, what a small stratum leaves over going to the others. Difficulty is the mean
 * negative log-likelihood under the dense model, where the paper has scores of a training run.
 *
 * The strata take turns, one window each, until the budget is spent: for every count that is the
 * paper's allocation, and a smaller count is a prefix of a larger one. */
#include <stdlib.h>
#include <string.h>

#include "calib/select.h"

enum { PARAM_BETA = 1, PARAM_STRATA };

/* Stratum of each candidate into stratum [c->count], `strata` for those left out. Returns how many
 * are in. */
static size_t stratify(const struct scored *ascending, size_t count, double beta, size_t strata,
                       size_t *stratum) {
  size_t left = count - (size_t)(beta * (double)count);
  double low = ascending[0].score;
  double width = (left > 0 ? ascending[left - 1].score - low : 0) / (double)strata;
  for (size_t i = 0; i < count; i++) {
    size_t at = width > 0 && i < left ? (size_t)((ascending[i].score - low) / width) : 0;
    at = at < strata ? at : strata - 1;
    stratum[ascending[i].index] = i < left ? at : strata;
  }
  return left;
}

/* turns [strata]: where each stratum's search for its next candidate stands. */
static void take_turns(const size_t *stratum, const size_t *visits, size_t strata, size_t *turns,
                       size_t count, size_t *order, size_t most) {
  size_t taken = 0;
  while (taken < most) {
    for (size_t k = 0; k < strata && taken < most; k++) {
      size_t s = visits[k];
      while (turns[s] < count && stratum[turns[s]] != s) {
        turns[s]++;
      }
      if (turns[s] < count) {
        order[taken++] = turns[s]++;
      }
    }
  }
}

static status rank(struct pool *pool, const struct draw *draw, const struct candidates *c,
                   size_t *order, struct error *err) {
  size_t strata = (size_t)pool->set->params[PARAM_STRATA], most = (size_t)draw->most;
  struct scored *scored = NULL;
  size_t *stratum = NULL, *turns = NULL, *visits = NULL;
  status st;
  TRY_GOTO(st, done, candidates_difficulty(pool, draw, c, &scored, err));
  TRY_GOTO(st, done, mem_alloc(&stratum, c->count, sizeof *stratum, err));
  TRY_GOTO(st, done, mem_alloc(&turns, strata, sizeof *turns, err));
  TRY_GOTO(st, done, shuffled(&visits, strata, draw->seed, err));
  size_t left = stratify(scored, c->count, pool->set->params[PARAM_BETA], strata, stratum);
  if (left < most) {
    st = select_too_few(pool, draw, left, c->count, "left without the hardest", err);
  } else {
    take_turns(stratum, visits, strata, turns, c->count, order, most);
  }
done:
  free(scored);
  free(stratum);
  free(turns);
  free(visits);
  return st;
}

const struct sampler sampler_ccs = {
    .name = "ccs",
    .params = {CANDIDATES_PARAM, {"beta", 0, 0.99, 0.1, false}, {"strata", 1, 4096, 50, true}},
    .rank = rank};
