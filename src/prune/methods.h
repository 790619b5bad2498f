/* What the table in methods.c is made of: each method's functions and parameters, in the file of
 * its name. */
#ifndef ESPALIER_PRUNE_METHODS_H
#define ESPALIER_PRUNE_METHODS_H

#include "prune/method.h"

status dense_prune(const struct prune_task *task, struct error *err);
status magnitude_prune(const struct prune_task *task, struct error *err);
status wanda_prune(const struct prune_task *task, struct error *err);

extern const struct param_spec sparsegpt_params[];
status sparsegpt_check(const struct params *params, const struct sparsity *sparsity,
                       struct error *err);
status sparsegpt_prune(const struct prune_task *task, struct error *err);

extern const struct param_spec ria_params[];
status ria_prune(const struct prune_task *task, struct error *err);

#endif
