#include "sched/attributing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/group.h"

/* One data set of one model. */
struct known {
  struct attribution *attribution; /* NULL: not made, or it cannot be */
  char reason[512];                /* why it cannot */
};

/* Neutral text of one model. */
struct neutral {
  bool there;
  struct sequences windows;
  struct background dense;
};

struct attributing {
  const struct plan *plan;
  size_t budget;
  struct known *known;      /* [models][datasets] */
  struct neutral *neutrals; /* [models] */
  struct background pruned; /* of the variant at hand */
  bool pruned_there;
};

static struct known *find(const struct attributing *a, int model, size_t dataset) {
  return &a->known[(size_t)model * a->plan->dataset_count + dataset];
}

status attributing_create(struct attributing **out, const struct plan *plan, size_t budget,
                          struct error *err) {
  struct attributing *a;
  TRY(mem_alloc(&a, 1, sizeof *a, err));
  a->plan = plan;
  a->budget = budget;
  status st = mem_alloc(&a->known, plan->model_count * plan->dataset_count, sizeof *a->known, err);
  if (st == STATUS_OK) {
    st = mem_alloc(&a->neutrals, plan->model_count, sizeof *a->neutrals, err);
  }
  if (st != STATUS_OK) {
    attributing_free(a);
    return st;
  }
  *out = a;
  return STATUS_OK;
}

void attributing_free(struct attributing *a) {
  if (!a) {
    return;
  }
  for (size_t i = 0; a->known && i < a->plan->model_count * a->plan->dataset_count; i++) {
    attribution_close(a->known[i].attribution);
  }
  for (size_t i = 0; a->neutrals && i < a->plan->model_count; i++) {
    sequences_free(&a->neutrals[i].windows);
    background_free(&a->neutrals[i].dense);
  }
  background_free(&a->pruned);
  free(a->known);
  free(a->neutrals);
  free(a);
}

static status make_neutral(struct attributing *a, int model, struct runner *dense,
                           const struct watcher *watcher, struct error *err) {
  struct neutral *n = &a->neutrals[model];
  const struct model *m = a->plan->models[model].model;
  if (n->there) {
    return STATUS_OK;
  }
  if (n->windows.count == 0) {
    TRY(plan_background(a->plan, (size_t)model, &n->windows, err));
  }
  TRY(background_observe(&n->dense, m, dense, &n->windows, watcher->see, watcher->user, err));
  n->there = true;
  return STATUS_OK;
}

static status find_out(struct attributing *a, int model, size_t dataset,
                       const struct subject *subject, const struct attribution_base *base,
                       struct runner *dense, const struct watcher *watcher, struct error *err) {
  struct attribution **out = &find(a, model, dataset)->attribution;
  const struct attribution_options *o = &a->plan->grid->attribution;
  return base ? attribution_restore(out, subject, o, base, dense, watcher, err)
              : attribution_open(out, subject, o, dense, watcher, err);
}

/* base NULL: nothing is known. */
static status make(struct attributing *a, int model, size_t dataset, const struct evalset *set,
                   const struct attribution_base *base, const struct watcher *watcher,
                   struct error *err) {
  const struct plan *p = a->plan;
  const struct plan_model *pm = &p->models[model];
  struct runner *dense;
  TRY(runner_open(&dense, pm->model, NULL, a->budget, err));
  status st = make_neutral(a, model, dense, watcher, err);
  if (st == STATUS_OK) {
    const struct subject subject = {.task = p->datasets[dataset].task,
                                    .set = set,
                                    .model = pm->model,
                                    .tokenizer = pm->tokenizer,
                                    .background = &a->neutrals[model].dense,
                                    .limit = p->grid->limit,
                                    .shots = p->grid->shots,
                                    .bos = p->grid->bos};
    st = find_out(a, model, dataset, &subject, base, dense, watcher, err);
  }
  runner_close(dense);
  return st;
}

/* What is wrong with the data or the model stays wrong; anything else is the caller's to handle. */
static bool is_lasting(status st) {
  return st == STATUS_INPUT || st == STATUS_UNSUPPORTED || st == STATUS_NUMERIC;
}

status attributing_prepare(struct attributing *a, int model, size_t dataset,
                           const struct evalset *set, const unsigned char *record, size_t size,
                           const struct watcher *watcher, struct error *err) {
  struct known *k = find(a, model, dataset);
  if (k->attribution || k->reason[0]) {
    return STATUS_OK;
  }
  struct error why = {0};
  struct attribution_base base = {0};
  if (size > 0) {
    TRY(record_decode_attribution_base(&base, record, size, err));
  }
  status st = make(a, model, dataset, set, size > 0 ? &base : NULL, watcher, &why);
  attribution_base_free(&base);
  if (is_lasting(st)) {
    (void)snprintf(k->reason, sizeof k->reason, "%.*s", (int)sizeof k->reason - 1, why.text);
    return STATUS_OK;
  }
  return st == STATUS_OK ? st : err_set(err, st, "%s", why.text);
}

static void name_record(char to_variant[DIGEST_TEXT], const char *variant, char to_id[DIGEST_TEXT],
                        const char *cell, char dataset[64], const struct plan *p, size_t index) {
  (void)snprintf(to_variant, DIGEST_TEXT, "%s", variant);
  (void)snprintf(to_id, DIGEST_TEXT, "%s", cell);
  (void)snprintf(dataset, 64, "%s", p->datasets[index].name);
}

status attributing_base(struct attributing *a, int model, size_t dataset, const char *variant,
                        const char *cell, struct runner *dense, const struct watcher *watcher,
                        unsigned char **out, size_t *size, struct error *err) {
  struct known *k = find(a, model, dataset);
  if (!k->attribution) {
    struct attribution_base none = {.failed = true};
    name_record(none.variant, variant, none.id, cell, none.dataset, a->plan, dataset);
    (void)snprintf(none.error, sizeof none.error, "%s", k->reason);
    return record_encode_attribution_base(&none, out, size, err);
  }
  if (a->plan->grid->attribution.causal) {
    TRY(attribution_check(k->attribution, dense, watcher, err));
  }
  struct attribution_base *base = attribution_base(k->attribution);
  name_record(base->variant, variant, base->id, cell, base->dataset, a->plan, dataset);
  return record_encode_attribution_base(base, out, size, err);
}

void attributing_turn(struct attributing *a) {
  background_free(&a->pruned);
  a->pruned_there = false;
}

static status measure(struct attributing *a, int model, size_t dataset, struct runner *runner,
                      const struct watcher *watcher, struct eval_result *result,
                      struct attribution_loss *loss, struct error *err) {
  const struct neutral *n = &a->neutrals[model];
  if (!a->pruned_there) {
    TRY(background_observe(&a->pruned, a->plan->models[model].model, runner, &n->windows,
                           watcher->see, watcher->user, err));
    a->pruned_there = true;
  }
  return attribution_measure(find(a, model, dataset)->attribution, runner, &a->pruned, watcher,
                             result, loss, err);
}

static status evaluate_only(struct attributing *a, int model, const struct evalset *set,
                            struct runner *runner, const struct watcher *watcher,
                            struct eval_result *result, struct error *err) {
  struct group alone = group_single();
  return evalset_evaluate(set, runner, a->plan->models[model].model, &alone, watcher->see,
                          watcher->user, result, err);
}

status attributing_loss(struct attributing *a, int model, size_t dataset, const char *variant,
                        const char *cell, const struct evalset *set, struct runner *runner,
                        const struct watcher *watcher, struct eval_result *result,
                        unsigned char **out, size_t *size, struct error *err) {
  const struct known *k = find(a, model, dataset);
  struct attribution_loss loss = {0};
  status st;
  if (k->attribution) {
    st = measure(a, model, dataset, runner, watcher, result, &loss, err);
  } else {
    st = evaluate_only(a, model, set, runner, watcher, result, err);
    loss.failed = true;
    (void)snprintf(loss.error, sizeof loss.error, "%s", k->reason);
  }
  if (st == STATUS_OK) {
    name_record(loss.variant, variant, loss.id, cell, loss.dataset, a->plan, dataset);
    st = record_encode_attribution_loss(&loss, out, size, err);
  }
  attribution_loss_free(&loss);
  return st;
}
