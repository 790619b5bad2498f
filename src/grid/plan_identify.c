/* Identities: hashes of everything that determines a result, so that the same cell in two grids, or
 * in a resumed run, is one cell. Reading all that for the hashes is also what refuses bad data
 * before any work starts. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grid/cost.h"
#include "grid/plan_parts.h"
#include "linalg/matmul.h"

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

/* backgrounds [models]: digests of the attributions' neutral windows. */
static status identify_attribution(const struct plan *p, const struct variant *v,
                                   const char (*backgrounds)[DIGEST_TEXT], struct digest *d,
                                   struct error *err) {
  TRY(digest_feed_text(d, backgrounds[v->model], err));
  return attribution_digest(&p->grid->attribution, d, err);
}

static status identify_cell(const struct plan *p, const struct variant *v, size_t dataset,
                            const char (*backgrounds)[DIGEST_TEXT], struct cell *cell,
                            struct error *err) {
  const struct plan_dataset *data = &p->datasets[dataset];
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
  if (plan_attributed(p, dataset)) {
    TRY(identify_attribution(p, v, backgrounds, &d, err));
  }
  digest_finish(&d, cell->id);
  return STATUS_OK;
}

/* Reads a data set as a model will see it: its digest, and what a pass over it costs. */
static status measure_dataset(struct plan *p, size_t model, size_t dataset, double *flops,
                              double *tokens_per_item, struct error *err) {
  struct plan_dataset *data = &p->datasets[dataset];
  const struct plan_model *pm = &p->models[model];
  struct evalset_options options = plan_evalset_options(p, dataset);
  struct evalset *set;
  TRY(evalset_create(&set, data->task, pm->tokenizer, pm->model, &options, err));
  memcpy(data->data_digest, evalset_data_digest(set), DIGEST_TEXT);
  *flops = cost_evaluate(pm->model, (double)evalset_tokens(set), (double)evalset_queries(set));
  if (plan_attributed(p, dataset)) {
    double items = (double)evalset_items(set);
    *tokens_per_item = items > 0 ? (double)evalset_tokens(set) / items : 0;
  }
  evalset_free(set);
  return STATUS_OK;
}

/* Digest of each model's neutral windows, "" without attributions. */
static status identify_backgrounds(const struct plan *p, char (*out)[DIGEST_TEXT],
                                   struct error *err) {
  for (size_t i = 0; p->grid->attributed && i < p->model_count; i++) {
    struct sequences s = {0};
    TRY_WITH(err, plan_background(p, i, &s, err), "background");
    status st = sequences_digest(&s, out[i], err);
    sequences_free(&s);
    TRY(st);
  }
  return STATUS_OK;
}

/* One pass over every data set, for each model. */
struct passes {
  double *flops;                    /* [models][datasets] */
  double *tokens_per_item;          /* [models][datasets], of those that are attributed */
  char (*backgrounds)[DIGEST_TEXT]; /* [models] */
};

/* What a cell costs beside its evaluation. */
static double attribution_flops(const struct plan *p, const struct variant *v, size_t dataset,
                                double pass, double tokens_per_item) {
  const struct attribution_options *o = &p->grid->attribution;
  const struct model *m = p->models[v->model].model;
  if (!plan_attributed(p, dataset)) {
    return 0;
  }
  if (!v->method->dense) {
    return attribution_pruned_passes(o) * pass;
  }
  double trials =
      o->influence == INFLUENCE_LEAVE_ONE_OUT ? (double)o->candidates * o->occurrences : 0;
  /* what comes before the word is shared: half of an item on average */
  return attribution_dense_passes(o) * pass +
         cost_evaluate(m, trials * tokens_per_item / 2, trials);
}

static status identify_cells(struct plan *p, const struct passes *passes, struct error *err) {
  for (size_t i = 0; i < p->variant_count; i++) {
    struct variant *v = &p->variants[i];
    for (size_t k = 0; k < p->dataset_count; k++) {
      struct cell *cell = plan_cell(p, i, k);
      size_t at = (size_t)v->model * p->dataset_count + k;
      TRY(identify_cell(p, v, k, (const char(*)[DIGEST_TEXT])passes->backgrounds, cell, err));
      cell->flops = passes->flops[at];
      cell->attribution_flops =
          attribution_flops(p, v, k, cell->flops, passes->tokens_per_item[at]);
      cell->flops += cell->attribution_flops;
      v->eval_flops += cell->wanted ? cell->flops : 0;
    }
  }
  plan_set_rate(p, COST_RATE * linalg_threads());
  return STATUS_OK;
}

void plan_set_rate(struct plan *p, double rate) {
  p->rate = rate;
  for (size_t i = 0; i < p->variant_count; i++) {
    struct variant *v = &p->variants[i];
    v->seconds = (v->prune_flops + v->eval_flops) / rate;
  }
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

static status identify(struct plan *p, struct passes *passes, struct error *err) {
  size_t cells = p->model_count * p->dataset_count;
  TRY(mem_alloc(&passes->flops, cells, sizeof *passes->flops, err));
  TRY(mem_alloc(&passes->tokens_per_item, cells, sizeof *passes->tokens_per_item, err));
  TRY(mem_alloc(&passes->backgrounds, p->model_count, sizeof *passes->backgrounds, err));
  for (size_t i = 0; i < p->model_count; i++) {
    TRY(digest_model(&p->models[i], err));
    for (size_t k = 0; k < p->dataset_count; k++) {
      size_t at = i * p->dataset_count + k;
      TRY(measure_dataset(p, i, k, &passes->flops[at], &passes->tokens_per_item[at], err));
    }
  }
  TRY(identify_backgrounds(p, passes->backgrounds, err));
  TRY(identify_variants(p, err));
  plan_price_variants(p);
  return identify_cells(p, passes, err);
}

status plan_identify(struct plan *p, struct error *err) {
  struct passes passes = {0};
  status st = identify(p, &passes, err);
  free(passes.flops);
  free(passes.tokens_per_item);
  free(passes.backgrounds);
  return st;
}
