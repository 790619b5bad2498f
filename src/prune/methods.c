#include "prune/methods.h"

#include <string.h>

static const struct method table[] = {
    {
        .name = "dense",
        .version = 1,
        .needs = STATS_NONE,
        .dense = true,
        .about = "the model as it is: the baseline of every table",
        .prune = dense_prune,
    },
    {
        .name = "magnitude",
        .version = 1,
        .needs = STATS_NONE,
        .about = "smallest absolute weights of a layer (Wanda's repository, arXiv 2306.11695)",
        .prune = magnitude_prune,
    },
    {
        .name = "wanda",
        .version = 1,
        .needs = STATS_SQUARES,
        .about = "smallest weight times input norm in each row (arXiv 2306.11695)",
        .prune = wanda_prune,
    },
    {
        .name = "sparsegpt",
        .version = 1,
        .needs = STATS_GRAM,
        .needs_factor = true,
        .about = "second-order pruning with updates of the kept weights (arXiv 2301.00774)",
        .params = sparsegpt_params,
        .check = sparsegpt_check,
        .prune = sparsegpt_prune,
    },
    {
        .name = "ria",
        .version = 1,
        .needs = STATS_SQUARES,
        .about = "relative importance and activations (Plug-and-Play, ICLR 2024)",
        .params = ria_params,
        .prune = ria_prune,
    },
};

enum { METHODS = sizeof table / sizeof *table };

const struct method *methods_all(size_t *count) {
  *count = METHODS;
  return table;
}

const struct method *method_find(const char *name) {
  for (size_t i = 0; i < METHODS; i++) {
    if (strcmp(table[i].name, name) == 0) {
      return &table[i];
    }
  }
  return NULL;
}

status method_check(const struct method *m, const struct params *params,
                    const struct sparsity *sparsity, struct error *err) {
  return m->check ? m->check(params, sparsity, err) : STATUS_OK;
}

status method_prune(const struct method *m, const struct prune_task *task, struct error *err) {
  if (task->sparsity.m && task->cols % task->sparsity.m != 0) {
    return err_set(err, STATUS_INPUT, "%d inputs, not a multiple of %d", task->cols,
                   task->sparsity.m);
  }
  return m->prune(task, err);
}
