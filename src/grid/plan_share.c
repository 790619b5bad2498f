/* What the variants of a plan have in common before they are evaluated, and what it saves. */
#include <stdlib.h>

#include "base/mem.h"
#include "grid/cost.h"
#include "grid/plan_parts.h"

/* A sparsity of 0 asks for nothing, whatever the method needs. */
static bool takes_statistics(const struct variant *v) {
  return v->calibration >= 0 && (v->sparsity.m || v->sparsity.ratio > 0);
}

static int compare_draws(const struct variant *v, const struct variant *w) {
  return v->model != w->model               ? v->model - w->model
         : v->calibration != w->calibration ? v->calibration - w->calibration
         : v->length != w->length           ? v->length - w->length
                                            : v->draw - w->draw;
}

static int by_draw(const void *a, const void *b, void *user) {
  const struct plan *p = user;
  size_t i = *(const size_t *)a, k = *(const size_t *)b;
  int order = compare_draws(&p->variants[i], &p->variants[k]);
  return order ? order : (i > k) - (i < k);
}

static status add_samples(struct plan_share *s, int samples, struct error *err) {
  size_t at = 0, cap = s->sample_count;
  while (at < s->sample_count && s->samples[at] < samples) {
    at++;
  }
  if (at < s->sample_count && s->samples[at] == samples) {
    return STATUS_OK;
  }
  TRY(mem_reserve(&s->samples, &cap, s->sample_count + 1, sizeof *s->samples, err));
  for (size_t i = s->sample_count++; i > at; i--) {
    s->samples[i] = s->samples[i - 1];
  }
  s->samples[at] = samples;
  return STATUS_OK;
}

static status add_damp(struct plan_share *s, double damp, struct error *err) {
  size_t cap = s->damp_count;
  for (size_t i = 0; i < s->damp_count; i++) {
    if (s->damps[i] == damp) {
      return STATUS_OK;
    }
  }
  TRY(mem_reserve(&s->damps, &cap, s->damp_count + 1, sizeof *s->damps, err));
  s->damps[s->damp_count++] = damp;
  return STATUS_OK;
}

static status add_variant(struct plan *p, size_t index, struct error *err) {
  struct variant *v = &p->variants[index];
  struct plan_share *s = &p->shares[p->share_count - 1];
  v->share = (int)(p->share_count - 1);
  if (s->variants++ == 0 || v->samples > p->variants[s->longest].samples) {
    s->longest = index;
  }
  s->needs |= v->method->needs;
  if (v->method->needs_factor) {
    TRY(add_damp(s, v->params.value[method_param_index(v->method, "damp")], err));
  }
  return add_samples(s, v->samples, err);
}

status plan_find_shares(struct plan *p, struct error *err) {
  size_t *order, count = 0;
  TRY(mem_alloc(&p->shares, p->variant_count, sizeof *p->shares, err));
  TRY(mem_alloc(&order, p->variant_count, sizeof *order, err));
  for (size_t i = 0; i < p->variant_count; i++) {
    p->variants[i].share = -1;
    if (takes_statistics(&p->variants[i])) {
      order[count++] = i;
    }
  }
  qsort_r(order, count, sizeof *order, by_draw, p);
  status st = STATUS_OK;
  for (size_t i = 0; st == STATUS_OK && i < count; i++) {
    const struct variant *v = &p->variants[order[i]];
    p->share_count += i == 0 || compare_draws(&p->variants[order[i - 1]], v) != 0;
    st = add_variant(p, order[i], err);
  }
  free(order);
  return st;
}

void plan_shares_free(struct plan *p) {
  for (size_t i = 0; i < p->share_count; i++) {
    free(p->shares[i].samples);
    free(p->shares[i].damps);
  }
  free(p->shares);
}

struct shared_pass_options plan_shared_pass(const struct plan *p, const struct plan_share *share) {
  const struct model *m = p->models[p->variants[share->longest].model].model;
  return (struct shared_pass_options){
      .blocks = p->grid->propagate == PROPAGATE_DENSE ? model_blocks(m) : 1,
      .samples = share->samples,
      .count = share->sample_count,
      .needs = share->needs,
      .damps = share->damps,
      .damp_count = share->damp_count};
}

static double tokens_of(const struct variant *v) {
  return (double)v->samples * v->length;
}

static double price_share(const struct plan *p, const struct plan_share *s,
                          enum propagate propagate) {
  const struct variant *longest = &p->variants[s->longest];
  const struct model *m = p->models[longest->model].model;
  return cost_shared_pass(m, propagate, s->needs, tokens_of(longest)) +
         (double)(s->sample_count * s->damp_count) * cost_shared_factors(m, propagate);
}

/* The share that a variant is one of several of, or NULL. */
static const struct plan_share *share_of(const struct plan *p, const struct variant *v) {
  return v->share >= 0 && p->shares[v->share].variants > 1 ? &p->shares[v->share] : NULL;
}

struct plan_saving plan_saving(const struct plan *p, enum propagate propagate) {
  struct plan_saving out = {0};
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[i];
    const struct model *m = p->models[v->model].model;
    if (v->calibration >= 0) {
      double alone = cost_prune(m, v->method, propagate, tokens_of(v));
      double rest = cost_prune_rest(m, v->method, propagate, tokens_of(v));
      bool shares = share_of(p, v) != NULL;
      out.variants += shares;
      out.alone_flops += alone;
      out.shared_flops += shares ? rest : alone;
    }
  }
  for (size_t i = 0; i < p->share_count; i++) {
    if (p->shares[i].variants > 1) {
      out.passes++;
      out.shared_flops += price_share(p, &p->shares[i], propagate);
    }
  }
  return out;
}

void plan_price_variants(struct plan *p) {
  enum propagate propagate = p->grid->propagate;
  for (size_t i = 0; i < p->share_count; i++) {
    p->shares[i].flops = price_share(p, &p->shares[i], propagate);
  }
  for (size_t i = 0; i < p->variant_count; i++) {
    struct variant *v = &p->variants[i];
    const struct plan_share *s = share_of(p, v);
    const struct model *m = p->models[v->model].model;
    v->prune_flops = cost_prune(m, v->method, propagate, tokens_of(v));
    v->peak_bytes = cost_bytes(m, v->method, tokens_of(v));
    if (s) {
      struct shared_pass_options pass = plan_shared_pass(p, s);
      v->prune_flops =
          cost_prune_rest(m, v->method, propagate, tokens_of(v)) + s->flops / (double)s->variants;
      v->peak_bytes += (double)shared_pass_bytes(m, &pass);
    }
  }
}
