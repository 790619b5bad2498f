/* Inside of grid/: the steps of plan_create. */
#ifndef ESPALIER_GRID_PLAN_PARTS_H
#define ESPALIER_GRID_PLAN_PARTS_H

#include "grid/expand.h"
#include "grid/plan.h"

enum {
  LENGTH_MOST = 2048
}; /* default tokens per sequence and window, when the model has as many */

/* Default length of a model: its positions, at most LENGTH_MOST. */
int plan_default_length(const struct model *m);

/* Opens models, tasks and calibration sets, and checks what depends on them. */
status plan_open_parts(struct plan *p, struct error *err);

/* Finds the variants that share. */
status plan_find_shares(struct plan *p, struct error *err);
void plan_shares_free(struct plan *p);

/* Operations of shares and of what is left to their variants, and memory. */
void plan_price_variants(struct plan *p);

/* Digests, ids and costs; reads, renders and draws everything. */
status plan_identify(struct plan *p, struct error *err);

void plan_cache_free(struct plan_cache *cache);

/* The draw that a calibrated variant takes its first `samples` sequences from; the plan's. */
status plan_drawn(struct plan *p, const struct variant *v, const struct sequences **out,
                  struct error *err);

#endif
