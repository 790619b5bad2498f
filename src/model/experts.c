#include <math.h>
#include <string.h>

#include "model/block.h"

/* Whether expert a comes before b: the first of equals wins. */
static bool precedes(const float *share, int a, int b) {
  return share[a] > share[b] || (share[a] == share[b] && a < b);
}

/* The last expert that is chosen; -1 when the shares are not numbers. */
static int find_last(const struct model_config *c, const float *share) {
  int last = -1;
  for (int k = 0; k < c->experts_used; k++) {
    int best = -1;
    for (int e = 0; e < c->experts; e++) {
      bool left = last < 0 || precedes(share, last, e);
      if (left && share[e] >= 0 && (best < 0 || precedes(share, e, best))) {
        best = e;
      }
    }
    if (best < 0) {
      return -1;
    }
    last = best;
  }
  return last;
}

/* logits [experts] → the chosen experts' shares, 0 for the others. */
static void choose(const struct model_config *c, float *logits) {
  float max = logits[0];
  double all = 0, chosen = 0;
  for (int e = 1; e < c->experts; e++) {
    max = logits[e] > max ? logits[e] : max;
  }
  for (int e = 0; e < c->experts; e++) {
    all += exp((double)logits[e] - (double)max);
  }
  for (int e = 0; e < c->experts; e++) {
    logits[e] = (float)(exp((double)logits[e] - (double)max) / all);
  }
  int last = find_last(c, logits);
  if (last < 0) {
    return; /* what is not a number reaches the head, which refuses it */
  }
  for (int e = 0; e < c->experts; e++) {
    chosen += e == last || precedes(logits, e, last) ? (double)logits[e] : 0;
  }
  double scale = c->experts_normalised ? 1 / chosen : 1;
  float bar = logits[last];
  for (int e = 0; e < c->experts; e++) {
    bool taken = logits[e] > bar || (logits[e] == bar && e <= last);
    logits[e] = taken ? (float)((double)logits[e] * scale) : 0;
  }
}

static status route(const struct pass *p, const void *x, struct error *err) {
  const struct model_config *c = p->b->config;
  int tokens = p->batch->tokens;
  float *shares = p->w->routing.shares.at;
  const struct product product = {
      .x = x, .m = tokens, .output = PRODUCT_SET, .y = shares, .ldy = c->experts};
  TRY(packed_multiply(p->b->router, &product, err));
#pragma omp parallel for schedule(static)
  for (int t = 0; t < tokens; t++) {
    choose(c, shares + (size_t)t * (size_t)c->experts);
  }
  return STATUS_OK;
}

/* The rows of x that the expert takes, into routing.in; returns how many. */
static int gather(const struct pass *p, int expert, const void *x) {
  const struct model_config *c = p->b->config;
  enum precision precision = p->w->precision;
  size_t hidden = (size_t)c->hidden;
  struct routing *r = &p->w->routing;
  int rows = 0;
  for (int32_t t = 0; t < p->batch->tokens; t++) {
    if (r->shares.at[(size_t)t * (size_t)c->experts + (size_t)expert] != 0) {
      memcpy(operand_at(precision, r->in.at, (size_t)rows * hidden),
             operand_from(precision, x, (size_t)t * hidden), hidden * operand_bytes(precision));
      r->rows[rows++] = t;
    }
  }
  return rows;
}

/* y += the expert's outputs, times their shares. */
static void scatter(const struct pass *p, int expert, int rows, float *y) {
  const struct model_config *c = p->b->config;
  const struct routing *r = &p->w->routing;
  size_t hidden = (size_t)c->hidden;
#pragma omp parallel for schedule(static)
  for (int i = 0; i < rows; i++) {
    size_t t = (size_t)r->rows[i];
    float share = r->shares.at[t * (size_t)c->experts + (size_t)expert];
    const float *from = r->out.at + (size_t)i * hidden;
    for (size_t j = 0; j < hidden; j++) {
      y[t * hidden + j] += share * from[j];
    }
  }
}

status block_experts(const struct pass *p, const void *x, float *y, struct error *err) {
  const struct model_config *c = p->b->config;
  struct routing *r = &p->w->routing;
  TRY(route(p, x, err));
  memset(y, 0, (size_t)p->batch->tokens * (size_t)c->hidden * sizeof *y);
  for (int e = 0; e < c->experts; e++) {
    int rows = gather(p, e, x);
    if (rows > 0) {
      TRY(block_mlp(p, e, r->in.at, rows, r->out.at, PRODUCT_SET, err));
      scatter(p, e, rows, y);
    }
  }
  return STATUS_OK;
}
