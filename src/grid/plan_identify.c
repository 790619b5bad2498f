/* Identities: hashes of everything that determines a result, so that the same cell in two grids, or
 * in a resumed run, is one cell. Reading all that for the hashes is also what refuses bad data
 * before any work starts. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grid/cost.h"
#include "grid/plan_parts.h"

/* Raise it when calibration, pruning or evaluation change results without a method's version. */
#define IDENTITY "espalier-2"

static status digest_model(struct plan_model *pm, struct error *err) {
  char weights[DIGEST_TEXT];
  TRY(model_digest(pm->model, weights, err));
  struct digest d = {0};
  TRY(digest_feed_text(&d, weights, err));
  TRY(digest_feed_text(&d, tokenizer_digest(pm->tokenizer), err));
  digest_finish(&d, pm->digest);
  return STATUS_OK;
}

static int by_pool(const void *a, const void *b, void *user) {
  const struct plan *p = user;
  size_t i = *(const size_t *)a, k = *(const size_t *)b;
  const struct variant *v = &p->variants[i], *w = &p->variants[k];
  int by_set = v->calibration - w->calibration;
  return v->model != w->model ? v->model - w->model : by_set ? by_set : (i > k) - (i < k);
}

/* Digest of the calibration ids, "" without any. */
static status digest_draw(struct plan *p, const struct variant *v, char out[DIGEST_TEXT],
                          struct error *err) {
  out[0] = '\0';
  if (v->calibration < 0) {
    return STATUS_OK;
  }
  const struct sequences *drawn;
  TRY(plan_drawn(p, v, &drawn, err));
  struct sequences prefix = *drawn;
  prefix.count = (size_t)v->samples;
  return sequences_digest(&prefix, out, err);
}

static status identify_variant(struct plan *p, struct variant *v, struct error *err) {
  char draw[DIGEST_TEXT];
  TRY(digest_draw(p, v, draw, err));
  struct digest d = {0};
  int64_t version = v->method->version;
  TRY(digest_feed_text(&d, IDENTITY, err));
  TRY(digest_feed_text(&d, p->models[v->model].digest, err));
  TRY(digest_feed_text(&d, v->method->name, err));
  TRY(digest_feed(&d, &version, sizeof version, err));
  TRY(digest_feed_text(&d, v->params_json, err));
  TRY(digest_feed_text(&d, v->sparsity_text, err));
  TRY(digest_feed_text(&d, draw, err));
  TRY(digest_feed_text(&d, precision_name(p->grid->precision), err));
  if (v->calibration >= 0 && p->grid->propagate != PROPAGATE_PRUNED) {
    TRY(digest_feed_text(&d, "propagate", err));
    TRY(digest_feed_text(&d, propagate_name(p->grid->propagate), err));
  }
  digest_finish(&d, v->id);
  return STATUS_OK;
}

static status identify_cell(const struct plan *p, const struct variant *v,
                            const struct plan_dataset *data, struct cell *cell, struct error *err) {
  const struct grid *g = p->grid;
  const struct model *m = p->models[v->model].model;
  enum task_type type = task_type(data->task);
  bool windows = type == TASK_PERPLEXITY, texts = windows || type == TASK_ROLLING;
  int window = g->window ? g->window : windows ? plan_default_length(m) : model_positions(m);
  const int64_t options[] = {windows ? g->windows : g->limit, texts ? 0 : g->shots,
                             windows ? 0 : g->bos, texts ? window : 0};
  struct digest d = {0};
  TRY(digest_feed_text(&d, v->id, err));
  TRY(digest_feed_text(&d, data->data_digest, err));
  TRY(digest_feed_text(&d, task_digest(data->task), err));
  TRY(digest_feed(&d, options, sizeof options, err));
  digest_finish(&d, cell->id);
  return STATUS_OK;
}

/* Reads a data set as a model will see it: its digest, and what a pass over it costs. */
static status measure_dataset(struct plan *p, size_t model, size_t dataset, double *flops,
                              struct error *err) {
  struct plan_dataset *data = &p->datasets[dataset];
  const struct plan_model *pm = &p->models[model];
  struct evalset_options options = plan_evalset_options(p);
  struct evalset *set;
  TRY(evalset_create(&set, data->task, pm->tokenizer, pm->model, &options, err));
  memcpy(data->data_digest, evalset_data_digest(set), DIGEST_TEXT);
  *flops = cost_evaluate(pm->model, (double)evalset_tokens(set), (double)evalset_queries(set));
  evalset_free(set);
  return STATUS_OK;
}

static status identify_cells(struct plan *p, const double *flops, struct error *err) {
  for (size_t i = 0; i < p->variant_count; i++) {
    struct variant *v = &p->variants[i];
    for (size_t k = 0; k < p->dataset_count; k++) {
      struct cell *cell = plan_cell(p, i, k);
      TRY(identify_cell(p, v, &p->datasets[k], cell, err));
      cell->flops = flops[(size_t)v->model * p->dataset_count + k];
      v->eval_flops += cell->wanted ? cell->flops : 0;
    }
    v->seconds = cost_seconds(v->prune_flops + v->eval_flops);
  }
  return STATUS_OK;
}

static status identify_variants(struct plan *p, struct error *err) {
  size_t *order; /* sets one after the other, so that each is tokenised once */
  TRY(mem_alloc(&order, p->variant_count, sizeof *order, err));
  for (size_t i = 0; i < p->variant_count; i++) {
    order[i] = i;
  }
  qsort_r(order, p->variant_count, sizeof *order, by_pool, p);
  status st = STATUS_OK;
  for (size_t i = 0; i < p->variant_count && st == STATUS_OK; i++) {
    st = identify_variant(p, &p->variants[order[i]], err);
  }
  free(order);
  return st;
}

status plan_identify(struct plan *p, struct error *err) {
  double *flops; /* [models][datasets]: one pass */
  TRY(mem_alloc(&flops, p->model_count * p->dataset_count, sizeof *flops, err));
  status st = STATUS_OK;
  for (size_t i = 0; i < p->model_count && st == STATUS_OK; i++) {
    st = digest_model(&p->models[i], err);
    for (size_t k = 0; k < p->dataset_count && st == STATUS_OK; k++) {
      st = measure_dataset(p, i, k, &flops[i * p->dataset_count + k], err);
    }
  }
  if (st == STATUS_OK) {
    st = identify_variants(p, err);
  }
  if (st == STATUS_OK) {
    plan_price_variants(p);
    st = identify_cells(p, flops, err);
  }
  free(flops);
  return st;
}
