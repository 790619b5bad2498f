#include "grid/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grid/plan_parts.h"

static status count_point(void *user, const struct point *p, struct error *err) {
  (void)p;
  (void)err;
  ++*(size_t *)user;
  return STATUS_OK;
}

static void set_method(const struct grid *g, const struct point *at, struct variant *v) {
  if (at->method >= 0) {
    const struct grid_method *m = &g->methods[at->method];
    v->label = m->label;
    v->method = m->method;
    v->params = m->params[at->params];
    v->sparsity = g->sparsity[at->sparsity].value;
    memcpy(v->sparsity_text, g->sparsity[at->sparsity].text, sizeof v->sparsity_text);
    return;
  }
  v->method = method_find("dense");
  v->label = v->method->name;
  v->params = method_defaults(v->method);
  sparsity_print(&v->sparsity, v->sparsity_text);
}

static status add_point(void *user, const struct point *at, struct error *err) {
  struct plan *p = user;
  const struct grid *g = p->grid;
  struct variant *v = &p->variants[p->variant_count];
  v->model = at->model;
  set_method(g, at, v);
  v->calibration = at->set;
  v->draw = at->draw;
  if (at->set >= 0) {
    int length = g->lengths[at->length].value;
    v->samples = g->samples[at->samples].value;
    v->length = length ? length : plan_default_length(p->models[at->model].model);
  }
  TRY(method_params_json(v->method, &v->params, &v->params_json, err));
  for (size_t d = 0; d < p->dataset_count; d++) {
    plan_cell(p, p->variant_count, d)->wanted = !point_excluded(g, at, (int)d);
  }
  p->variant_count++;
  return STATUS_OK;
}

static int by_cost(const void *a, const void *b, void *user) {
  const struct plan *p = user;
  size_t i = *(const size_t *)a, k = *(const size_t *)b;
  double x = p->variants[i].prune_flops + p->variants[i].eval_flops;
  double y = p->variants[k].prune_flops + p->variants[k].eval_flops;
  return x != y ? (x < y) - (x > y) : (i > k) - (i < k);
}

static status build(struct plan *p, enum plan_level level, struct error *err) {
  TRY(plan_open_parts(p, err));
  size_t count = 0;
  TRY(grid_expand(p->grid, count_point, &count, err));
  TRY(mem_alloc(&p->variants, count, sizeof *p->variants, err));
  TRY(mem_alloc(&p->cells, count * p->dataset_count, sizeof *p->cells, err));
  TRY(mem_alloc(&p->longest, count, sizeof *p->longest, err));
  TRY(grid_expand(p->grid, add_point, p, err));
  TRY(plan_find_shares(p, err));
  if (level == PLAN_FULL) {
    TRY(plan_identify(p, err));
  }
  for (size_t i = 0; i < count; i++) {
    p->longest[i] = i;
  }
  qsort_r(p->longest, count, sizeof *p->longest, by_cost, p);
  return STATUS_OK;
}

status plan_create(struct plan **out, const struct grid *grid, enum plan_level level,
                   struct error *err) {
  struct plan *p;
  TRY(mem_alloc(&p, 1, sizeof *p, err));
  p->grid = grid;
  status st = build(p, level, err);
  if (st != STATUS_OK) {
    plan_free(p);
    return st;
  }
  *out = p;
  return STATUS_OK;
}

void plan_free(struct plan *p) {
  if (!p) {
    return;
  }
  plan_cache_free(p->cache);
  plan_shares_free(p);
  for (size_t i = 0; i < p->variant_count; i++) {
    free(p->variants[i].params_json);
  }
  for (size_t i = 0; i < p->calibration_count; i++) {
    calibration_close(p->calibrations[i].calibration);
  }
  calibration_close(p->background.calibration);
  for (size_t i = 0; i < p->dataset_count; i++) {
    task_close(p->datasets[i].task);
  }
  for (size_t i = 0; i < p->model_count; i++) {
    tokenizer_close(p->models[i].tokenizer);
    model_close(p->models[i].model);
  }
  free(p->variants);
  free(p->cells);
  free(p->longest);
  free(p->calibrations);
  free(p->datasets);
  free(p->models);
  free(p);
}

size_t plan_dense(const struct plan *p, int model) {
  size_t i = 0;
  while (i < p->variant_count && (p->variants[i].model != model || !p->variants[i].method->dense)) {
    i++;
  }
  return i;
}

struct evalset_options plan_evalset_options(const struct plan *p, size_t dataset) {
  return (struct evalset_options){
      .limit = p->grid->limit,
      .windows = p->grid->windows,
      .shots = p->grid->shots,
      .length = p->grid->window,
      .bos = p->grid->bos,
      .spans = plan_attributed(p, dataset),
  };
}
