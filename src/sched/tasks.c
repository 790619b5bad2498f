#include "sched/tasks.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Keys are given to shares as they come up; a share of one variant ties a rank to nothing. */
static int key_of(struct tasks *to, const struct plan *p, size_t variant) {
  int share = p->variants[variant].share;
  if (share < 0 || p->shares[share].variants < 2) {
    return 0;
  }
  if (to->keys[share] == 0) {
    to->keys[share] = ++to->key_count;
    to->shared[to->key_count] = p->shares[share].flops;
  }
  return to->keys[share];
}

/* Whether the dense model's attribution of one of the data sets is still to come. */
static bool is_later(const struct plan *p, const struct ledger *ledger, size_t variant,
                     const int *datasets, int count) {
  size_t dense = plan_dense(p, p->variants[variant].model);
  for (int i = 0; i < count && dense < p->variant_count && dense != variant; i++) {
    size_t d = (size_t)datasets[i];
    if (plan_attributed(p, d) && plan_cell(p, dense, d)->wanted &&
        !(ledger && ledger_cell_done(ledger, dense, d))) {
      return true;
    }
  }
  return false;
}

static status add_task(struct tasks *to, const struct plan *p, const struct ledger *ledger,
                       size_t variant, const int *datasets, int count, struct error *err) {
  TRY(mem_reserve(&to->at, &to->cap, to->count + 1, sizeof *to->at, err));
  struct work_task *t = &to->at[to->count];
  *t = (struct work_task){.variant = variant,
                          .cells = count,
                          .cost = p->variants[variant].prune_flops,
                          .key = key_of(to, p, variant),
                          .later = is_later(p, ledger, variant, datasets, count)};
  TRY(mem_alloc(&t->datasets, (size_t)count, sizeof *t->datasets, err));
  to->count++;
  memcpy(t->datasets, datasets, (size_t)count * sizeof *datasets);
  for (int i = 0; i < count; i++) {
    t->cost += plan_cell(p, variant, (size_t)datasets[i])->flops;
  }
  return STATUS_OK;
}

/* A variant whose masks alone are missing is pruned again with one cell to evaluate, the cheapest:
 * a task has at least one. */
static int cheapest_cell(const struct plan *p, size_t variant) {
  int best = -1;
  for (size_t d = 0; d < p->dataset_count; d++) {
    const struct cell *c = plan_cell(p, variant, d);
    if (c->wanted && (best < 0 || c->flops < plan_cell(p, variant, (size_t)best)->flops)) {
      best = (int)d;
    }
  }
  return best;
}

/* missing: room for [dataset_count]. */
static status add_variant(struct tasks *to, const struct plan *p, const struct ledger *ledger,
                          size_t variant, int *missing, struct error *err) {
  int count = 0;
  for (size_t d = 0; d < p->dataset_count; d++) {
    if (!plan_cell(p, variant, d)->wanted) {
      continue;
    }
    if (ledger && ledger_cell_done(ledger, variant, d)) {
      to->reused++;
    } else {
      missing[count++] = (int)d;
    }
  }
  if (count == 0 && p->grid->store_masks && !p->variants[variant].method->dense &&
      !(ledger && ledger_variant_done(ledger, variant))) {
    missing[0] = cheapest_cell(p, variant);
    count = missing[0] >= 0;
    to->reused -= (size_t)count;
  }
  if (count == 0) {
    return STATUS_OK;
  }
  if (!p->variants[variant].method->dense) {
    return add_task(to, p, ledger, variant, missing, count, err);
  }
  for (int i = 0; i < count; i++) {
    TRY(add_task(to, p, ledger, variant, &missing[i], 1, err));
  }
  return STATUS_OK;
}

status tasks_make(struct tasks *out, const struct plan *plan, const struct ledger *ledger,
                  struct error *err) {
  *out = (struct tasks){0};
  int *missing;
  TRY(mem_alloc(&missing, plan->dataset_count, sizeof *missing, err));
  status st = mem_alloc(&out->keys, plan->share_count, sizeof *out->keys, err);
  if (st == STATUS_OK) {
    st = mem_alloc(&out->shared, plan->share_count + 1, sizeof *out->shared, err);
  }
  for (size_t v = 0; st == STATUS_OK && v < plan->variant_count; v++) {
    st = add_variant(out, plan, ledger, v, missing, err);
  }
  free(missing);
  return st;
}

void tasks_free(struct tasks *t) {
  for (size_t i = 0; i < t->count; i++) {
    free(t->at[i].datasets);
  }
  free(t->at);
  free(t->keys);
  free(t->shared);
  *t = (struct tasks){0};
}
