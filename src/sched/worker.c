#include "sched/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prune/prune.h"
#include "sched/attributing.h"
#include "sched/host.h"
#include "sched/mask_parts.h"
#include "sched/master.h"
#include "sched/sharing.h"
#include "sched/watch.h"
#include "store/record.h"

struct worker {
  struct plan *plan;
  const struct worker_link *link;
  size_t budget;
  struct sharing sharing;
  const struct team *team;
  struct evalset **sets;           /* [models][datasets], made at first use */
  struct overlay **overlays;       /* [models], made at first use */
  struct attributing *attributing; /* NULL: the grid asks for none */
  const struct message *lease;
  int cell;      /* what is being worked on */
  status halted; /* what link->alive said */
};

status worker_create(struct worker **out, struct plan *plan, const struct worker_link *link,
                     const struct team *team, size_t budget, const char *scratch,
                     struct error *err) {
  struct worker *w;
  TRY(mem_alloc(&w, 1, sizeof *w, err));
  w->plan = plan;
  w->link = link;
  w->budget = budget;
  /* Beside it stand pruned weights and blocks to evaluate. */
  w->sharing = (struct sharing){
      .plan = plan, .budget = budget / 2, .group = &team->group, .scratch = scratch};
  w->team = team;
  status st;
  TRY_GOTO(
      st, fail,
      mem_alloc(&w->sets, plan->model_count * plan->dataset_count, sizeof(struct evalset *), err));
  TRY_GOTO(st, fail, mem_alloc(&w->overlays, plan->model_count, sizeof(struct overlay *), err));
  if (plan->grid->attributed) {
    TRY_GOTO(st, fail, attributing_create(&w->attributing, plan, budget, err));
  }
  *out = w;
  return STATUS_OK;
fail:
  worker_free(w);
  return st;
}

void worker_free(struct worker *w) {
  if (!w) {
    return;
  }
  attributing_free(w->attributing); /* borrows the sets */
  for (size_t i = 0; w->sets && i < w->plan->model_count * w->plan->dataset_count; i++) {
    evalset_free(w->sets[i]);
  }
  for (size_t i = 0; w->overlays && i < w->plan->model_count; i++) {
    overlay_free(w->overlays[i]);
  }
  sharing_free(&w->sharing);
  free(w->sets);
  free(w->overlays);
  free(w);
}

/* Where ranks of a team could part: all go on when all can, and learn whether the link ended it. */
static status settle(struct worker *w, status st, struct error *err) {
  const struct group *g = &w->team->group;
  TRY_GOTO(st, failed, group_agree(g, st, err));
  return STATUS_OK;
failed:
  if (g->size > 1) {
    int64_t halted = w->halted;
    if (group_sum_int64(g, &halted, 1, NULL) == STATUS_OK) { /* the leader's, others have none */
      w->halted = (status)halted;
    }
  }
  return st;
}

static status progress(void *user, double done, struct error *err) {
  struct worker *w = user;
  watch_sign(w->team->watch);
  w->halted = w->link->alive(w->link->user, w->lease, w->cell, done, err);
  return w->halted;
}

/* A new thing to work on: the master hears of it before anything can go wrong. */
static status begin(struct worker *w, int cell, struct error *err) {
  w->cell = cell;
  return progress(w, 0, err);
}

static status emit(struct worker *w, int cell, unsigned char *record, size_t size,
                   struct error *err) {
  struct message m = {.kind = MESSAGE_RESULT,
                      .task = w->lease->task,
                      .instance = w->lease->instance,
                      .cell = cell,
                      .record = record,
                      .record_size = size};
  status st = w->link->result(w->link->user, &m, err);
  free(record);
  return st;
}

static status emit_variant(struct worker *w, const struct variant_record *r, struct error *err) {
  unsigned char *bytes;
  size_t size;
  TRY(record_encode_variant(r, &bytes, &size, err));
  return emit(w, MASTER_PREPARE, bytes, size, err);
}

/* Before the variant's own record, so that where that one is, all of its masks are. */
static status emit_masks(struct worker *w, struct overlay *overlay, struct error *err) {
  if (!overlay || !w->plan->grid->store_masks) {
    return STATUS_OK;
  }
  const struct model *m = w->plan->models[w->plan->variants[w->lease->variant].model].model;
  for (int part = 0; part < mask_parts(m); part++) {
    unsigned char *bytes;
    size_t size;
    TRY(mask_parts_encode(m, overlay, w->lease->variant_id, part, &bytes, &size, err));
    TRY(emit(w, MASTER_PREPARE, bytes, size, err));
  }
  return STATUS_OK;
}

static status emit_cell(struct worker *w, const struct lease_cell *c, struct cell_record *r,
                        struct error *err) {
  memcpy(r->variant, w->lease->variant_id, sizeof r->variant);
  memcpy(r->id, c->id, sizeof r->id);
  (void)snprintf(r->dataset, sizeof r->dataset, "%s", w->plan->datasets[c->dataset].name);
  unsigned char *bytes;
  size_t size;
  TRY(record_encode_cell(r, &bytes, &size, err));
  return emit(w, c->cell, bytes, size, err);
}

static status fail_cell(struct worker *w, const struct lease_cell *c, const char *reason,
                        struct error *err) {
  struct cell_record r = {.failed = true};
  (void)snprintf(r.error, sizeof r.error, "%.*s", (int)sizeof r.error - 1, reason);
  return emit_cell(w, c, &r, err);
}

/* Rows of /layers, and the share of zeros over all of them. */
static status fill_layers(struct variant_record *r, const struct model *m,
                          const struct prune_layer *layers, struct error *err) {
  int linears;
  const struct linear *list = model_linears(m, &linears);
  size_t count = (size_t)linears * (size_t)model_blocks(m);
  TRY(mem_alloc(&r->layers, count, sizeof *r->layers, err));
  r->layer_count = count;
  double zeros = 0, weights = 0;
  for (size_t i = 0; i < count; i++) {
    const struct prune_layer *from = &layers[i];
    const struct linear *l = &list[from->linear];
    struct layer_row *to = &r->layers[i];
    (void)snprintf(to->linear, sizeof to->linear, "%s", l->name);
    to->block = from->block;
    to->sparsity = from->sparsity;
    to->relative_error = from->relative_error;
    to->damp = from->damp;
    to->seconds = from->seconds;
    double size = (double)l->rows * l->cols;
    zeros += from->sparsity * size;
    weights += size;
  }
  r->achieved_sparsity = weights > 0 ? zeros / weights : 0;
  return STATUS_OK;
}

static status prune_with(struct worker *w, const struct variant *v, const struct sequences *ids,
                         struct shared_pass *shared, struct overlay *overlay,
                         struct variant_record *r, struct error *err) {
  const struct model *m = w->plan->models[v->model].model;
  int linears;
  (void)model_linears(m, &linears);
  struct prune_layer *layers = NULL;
  status st = mem_alloc(&layers, (size_t)linears * (size_t)model_blocks(m), sizeof *layers, err);
  TRY(group_agree(&w->team->group, st, err));
  struct prune_options options = {.method = v->method,
                                  .params = v->params,
                                  .sparsity = v->sparsity,
                                  .calibration = v->calibration >= 0 ? ids : NULL,
                                  .propagate = w->plan->grid->propagate,
                                  .shared = shared,
                                  .factor = FACTOR_AUTO,
                                  .gram_bytes = w->budget,
                                  .group = &w->team->group,
                                  .progress = progress,
                                  .progress_user = w};
  struct prune_sink sink = prune_into_overlay(overlay);
  st = prune_model(m, &options, &sink, layers, err);
  if (st == STATUS_OK) {
    st = fill_layers(r, m, layers, err);
  }
  free(layers);
  return st;
}

/* Makes the variant's weights: *overlay stays the worker's, NULL for the dense model. */
static status prune(struct worker *w, struct overlay **overlay, struct variant_record *r,
                    struct error *err) {
  size_t index = (size_t)w->lease->variant;
  const struct variant *v = &w->plan->variants[index];
  *overlay = NULL;
  if (v->method->dense) {
    return STATUS_OK;
  }
  struct overlay **kept = &w->overlays[v->model];
  struct sequences ids = {0};
  struct shared_pass *shared = NULL;
  status st = STATUS_OK;
  if (!*kept) {
    st = overlay_create_shared(kept, w->plan->models[v->model].model, &w->team->group, err);
  }
  if (st == STATUS_OK) {
    overlay_clear(*kept);
    st = plan_draw(w->plan, index, &ids, err);
  }
  st = group_agree(&w->team->group, st, err);
  if (st == STATUS_OK) {
    st = sharing_take(&w->sharing, index, progress, w, &shared, err);
  }
  if (st == STATUS_OK) {
    st = prune_with(w, v, &ids, shared, *kept, r, err);
  }
  sequences_free(&ids);
  *overlay = *kept;
  return st;
}

/* The data set as tokens, shared by all variants of the model that this process evaluates. */
static status find_set(struct worker *w, const struct lease_cell *c, int model,
                       const struct evalset **out, struct error *err) {
  const struct plan_dataset *d = &w->plan->datasets[c->dataset];
  const struct plan_model *m = &w->plan->models[model];
  struct evalset **set = &w->sets[(size_t)model * w->plan->dataset_count + (size_t)c->dataset];
  if (!*set) {
    struct evalset_options options = plan_evalset_options(w->plan, (size_t)c->dataset);
    TRY(evalset_create(set, d->task, m->tokenizer, m->model, &options, err));
  }
  if (strcmp(evalset_data_digest(*set), c->data_digest) != 0) {
    evalset_free(*set);
    *set = NULL;
    return err_at(err, STATUS_INPUT, task_data(d->task), 0, "has changed since the run began");
  }
  *out = *set;
  return STATUS_OK;
}

static status fill_cell(struct cell_record *to, const struct eval_result *from, bool items,
                        struct error *err) {
  TRY(mem_alloc(&to->metrics, from->metric_count, sizeof *to->metrics, err));
  to->metric_count = from->metric_count;
  for (size_t i = 0; i < from->metric_count; i++) {
    const struct metric *m = &from->metrics[i];
    (void)snprintf(to->metrics[i].name, sizeof to->metrics[i].name, "%s", m->name);
    to->metrics[i].value = m->value;
    to->metrics[i].stderr_ = m->stderr_;
    to->metrics[i].items = m->items;
  }
  if (items) {
    to->items = from->items;
    to->choices = from->choices;
    to->loglikelihoods = from->loglikelihoods;
    to->gold = from->gold;
    to->correct = from->correct;
    to->correct_norm = from->correct_norm;
  }
  return STATUS_OK;
}

/* What the lease's data sets mean to the dense model, before there is a variant in memory. */
static status prepare_attributions(struct worker *w, struct error *err) {
  const struct message *lease = w->lease;
  const struct watcher watcher = {progress, w};
  int model = w->plan->variants[lease->variant].model;
  attributing_turn(w->attributing);
  for (uint32_t i = 0; i < lease->cell_count; i++) {
    size_t dataset = (size_t)lease->cells[i].dataset;
    const struct evalset *set = NULL;
    if (plan_attributed(w->plan, dataset)) {
      TRY(find_set(w, &lease->cells[i], model, &set, err));
      const struct lease_cell *c = &lease->cells[i];
      TRY(attributing_prepare(w->attributing, model, dataset, set, c->base, c->base_size, &watcher,
                              err));
    }
  }
  return STATUS_OK;
}

/* Before the cell's own record, so that where that one is, its attribution is. */
static status attribute(struct worker *w, const struct lease_cell *c, const struct evalset *set,
                        struct runner *runner, struct eval_result *out, struct error *err) {
  const struct variant *v = &w->plan->variants[w->lease->variant];
  const struct watcher watcher = {progress, w};
  const char *id = w->lease->variant_id;
  size_t dataset = (size_t)c->dataset, size;
  unsigned char *record;
  if (!v->method->dense) {
    TRY(attributing_loss(w->attributing, v->model, dataset, id, c->id, set, runner, &watcher, out,
                         &record, &size, err));
    return emit(w, MASTER_PREPARE, record, size, err);
  }
  TRY(attributing_base(w->attributing, v->model, dataset, id, c->id, runner, &watcher, &record,
                       &size, err));
  TRY(emit(w, MASTER_PREPARE, record, size, err));
  return evalset_evaluate(set, runner, w->plan->models[v->model].model, &w->team->group, progress,
                          w, out, err);
}

static status evaluate(struct worker *w, const struct lease_cell *c, struct runner *runner,
                       struct eval_result *out, struct error *err) {
  int model = w->plan->variants[w->lease->variant].model;
  const struct evalset *set = NULL;
  TRY(group_agree(&w->team->group, find_set(w, c, model, &set, err), err));
  if (plan_attributed(w->plan, (size_t)c->dataset)) {
    return attribute(w, c, set, runner, out, err);
  }
  return evalset_evaluate(set, runner, w->plan->models[model].model, &w->team->group, progress, w,
                          out, err);
}

static status do_cell(struct worker *w, const struct lease_cell *c, struct runner *runner,
                      struct error *err) {
  TRY(settle(w, begin(w, c->cell, err), err));
  double start = host_seconds();
  struct eval_result result = {0};
  status st = settle(w, evaluate(w, c, runner, &result, err), err);
  if (st != STATUS_OK) {
    eval_result_free(&result);
    return w->halted != STATUS_OK ? w->halted : settle(w, fail_cell(w, c, err->text, err), err);
  }
  struct cell_record r = {.seconds = host_seconds() - start};
  st = fill_cell(&r, &result, w->plan->grid->store_items, err);
  if (st == STATUS_OK) {
    st = emit_cell(w, c, &r, err);
  }
  free(r.metrics);
  eval_result_free(&result);
  return settle(w, st, err);
}

static status fail_all(struct worker *w, const char *reason, struct error *err) {
  char text[ERROR_TEXT]; /* reason may stand in *err */
  (void)snprintf(text, sizeof text, "%s", reason);
  for (uint32_t i = 0; i < w->lease->cell_count; i++) {
    TRY(fail_cell(w, &w->lease->cells[i], text, err));
  }
  return STATUS_OK;
}

static status fail_variant(struct worker *w, struct variant_record *r, struct error *err) {
  char text[ERROR_TEXT];
  (void)snprintf(text, sizeof text, "%s", err->text);
  r->failed = true;
  (void)snprintf(r->error, sizeof r->error, "%.*s", (int)sizeof r->error - 1, text);
  TRY(emit_variant(w, r, err));
  return fail_all(w, text, err);
}

static status check(const struct worker *w, struct error *err) {
  const struct message *l = w->lease;
  bool good = l->variant >= 0 && (size_t)l->variant < w->plan->variant_count;
  for (uint32_t i = 0; good && i < l->cell_count; i++) {
    good = l->cells[i].dataset >= 0 && (size_t)l->cells[i].dataset < w->plan->dataset_count;
  }
  if (!good) {
    return err_set(err, STATUS_BUG, "a lease outside of the plan (variant %d)", l->variant);
  }
  return STATUS_OK;
}

static status emit_all(struct worker *w, struct overlay *overlay, const struct variant_record *r,
                       struct error *err) {
  TRY(emit_masks(w, overlay, err));
  return emit_variant(w, r, err);
}

/* The leader's lease, to its team. */
static status share_lease(const struct worker *w, const struct message *lease, struct error *err) {
  if (w->team->group.size == 1 || w->team->group.rank != 0) {
    return STATUS_OK;
  }
  unsigned char *bytes;
  size_t size;
  TRY(message_encode(lease, &bytes, &size, err));
  status st = team_tell(w->team, bytes, size, err);
  free(bytes);
  return st;
}

static status do_lease(struct worker *w, struct variant_record *r, struct runner **runner,
                       struct error *err) {
  const struct message *lease = w->lease;
  TRY(settle(w, begin(w, MASTER_PREPARE, err), err));
  status st = w->attributing ? prepare_attributions(w, err) : STATUS_OK;
  double start = host_seconds();
  struct overlay *overlay = NULL;
  st = group_agree(&w->team->group, st, err);
  if (st == STATUS_OK) {
    st = prune(w, &overlay, r, err);
  }
  r->seconds = host_seconds() - start; /* with what later variants share */
  st = group_agree(&w->team->group, st, err);
  if (st == STATUS_OK) {
    const struct model *m = w->plan->models[w->plan->variants[lease->variant].model].model;
    st = runner_open_shared(runner, m, overlay, w->budget, &w->team->group, err);
  }
  st = settle(w, st, err);
  if (st != STATUS_OK) {
    return w->halted != STATUS_OK ? w->halted : settle(w, fail_variant(w, r, err), err);
  }
  if (!lease->prune_known) {
    TRY(settle(w, emit_all(w, overlay, r, err), err));
  }
  for (uint32_t i = 0; i < lease->cell_count; i++) {
    TRY(do_cell(w, &lease->cells[i], *runner, err));
  }
  return STATUS_OK;
}

status worker_lease(struct worker *w, const struct message *lease, struct error *err) {
  w->lease = lease;
  w->halted = STATUS_OK;
  TRY(check(w, err));
  TRY(share_lease(w, lease, err));
  struct variant_record r = {.ranks = w->team->group.size};
  memcpy(r.id, lease->variant_id, sizeof r.id);
  struct runner *runner = NULL;
  status st = do_lease(w, &r, &runner, err);
  watch_rest(w->team->watch);
  runner_close(runner);
  free(r.layers);
  w->lease = NULL;
  return st;
}
