/* A worker's attributions: what the dense models say of data sets, kept from one variant to the
 * next, and what a pruned variant lost. */
#ifndef ESPALIER_SCHED_ATTRIBUTING_H
#define ESPALIER_SCHED_ATTRIBUTING_H

#include "attribution/attribution.h"
#include "grid/plan.h"

struct attributing;

status attributing_create(struct attributing **out, const struct plan *plan, size_t budget,
                          struct error *err);
void attributing_free(struct attributing *a);

/* Makes the attribution of (model, dataset) unless it is there. record [size] (size 0: none): what
 * another rank has found out of it. set: the data set for this model, which lives as long. What
 * cannot be attributed is remembered, and no failure of this call; a watcher's status is. */
status attributing_prepare(struct attributing *a, int model, size_t dataset,
                           const struct evalset *set, const unsigned char *record, size_t size,
                           const struct watcher *watcher, struct error *err);

/* variant, cell: ids. The dense variant's record, with the causal check where asked for; the caller
 * frees *out. */
status attributing_base(struct attributing *a, int model, size_t dataset, const char *variant,
                        const char *cell, struct runner *dense, const struct watcher *watcher,
                        unsigned char **out, size_t *size, struct error *err);

/* A new variant: its background is not known yet. */
void attributing_turn(struct attributing *a);

/* Evaluates the variant of the last turn into *result and makes its record; the caller frees both.
 * Where the dense model could not be attributed the record says why, and the result is an ordinary
 * one. */
status attributing_loss(struct attributing *a, int model, size_t dataset, const char *variant,
                        const char *cell, const struct evalset *set, struct runner *runner,
                        const struct watcher *watcher, struct eval_result *result,
                        unsigned char **out, size_t *size, struct error *err);

#endif
