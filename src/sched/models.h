/* Which models a results file's numbers come from: name and digest of each. */
#ifndef ESPALIER_SCHED_MODELS_H
#define ESPALIER_SCHED_MODELS_H

#include "grid/plan.h"

/* {"nano-llama": "<digest>"}, the results file's attribute `models`. The caller frees *out. */
status models_describe(const struct plan *plan, char **out, struct error *err);

/* Refuses (STATUS_INPUT) a plan with a model whose files are not those that the results file of
 * that name was begun with. A results file that is not there, cannot be read, or is older than the
 * attribute says nothing. */
status models_check(const struct plan *plan, const char *results, struct error *err);

#endif
