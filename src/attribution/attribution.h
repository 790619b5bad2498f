/* Neuron semantic attribution of one data set (arXiv 2503.01542, made whole: README.md): which
 * words decide its answers, which units of the dense model answer to those words, and what of that
 * a pruned model has lost. */
#ifndef ESPALIER_ATTRIBUTION_ATTRIBUTION_H
#define ESPALIER_ATTRIBUTION_ATTRIBUTION_H

#include "attribution/background.h"
#include "attribution/options.h"
#include "data/task.h"
#include "eval/evaluate.h"
#include "store/attribution.h"

struct attribution; /* what the dense model says of a data set */

/* What is attributed. Everything is borrowed, for as long as the attribution lives. */
struct subject {
  const struct task *task;
  const struct evalset *set; /* of the task, made with evalset.spans */
  const struct model *model; /* dense */
  const struct tokenizer *tokenizer;
  const struct background *background;
  int limit, shots; /* as the set was made */
  bool bos;
};

/* Told to show life and asked whether to go on; see may be NULL. */
struct watcher {
  status (*see)(void *user, double done, struct error *err);
  void *user;
};

/* STATUS_INPUT for a task of texts, which has no answers that words could decide. */
status attribution_accepts(const struct task *task, struct error *err);

/* Finds words and units with the dense model's runner: leave-one-out's passes, then two
 * evaluations. STATUS_INPUT and STATUS_UNSUPPORTED for what cannot be attributed: a task of texts,
 * experts, no words. */
status attribution_open(struct attribution **out, const struct subject *s,
                        const struct attribution_options *o, struct runner *dense,
                        const struct watcher *watcher, struct error *err);

/* The same attribution from its record, without finding words and units again: one evaluation.
 * STATUS_INPUT for a record of another model or data set. Its own record lacks what nothing is
 * measured against. */
status attribution_restore(struct attribution **out, const struct subject *s,
                           const struct attribution_options *o,
                           const struct attribution_base *known, struct runner *dense,
                           const struct watcher *watcher, struct error *err);
void attribution_close(struct attribution *a);

/* Zeroes the matched units in the dense model, and in turn random units of the same blocks and of
 * the nearest mean activation: an evaluation for each set. */
status attribution_check(struct attribution *a, struct runner *dense, const struct watcher *watcher,
                         struct error *err);

/* The record; variant and dataset are the caller's to fill. */
struct attribution_base *attribution_base(struct attribution *a);

/* Evaluates a pruned model of the same shape as evalset_evaluate does, into *result, and measures
 * on the way what it lost; then once more with the matched units' dense activations put back, where
 * asked for. The runner has the budget of the dense one. pruned: its background. Free both results
 * also after a failure. */
status attribution_measure(struct attribution *a, struct runner *runner,
                           const struct background *pruned, const struct watcher *watcher,
                           struct eval_result *result, struct attribution_loss *out,
                           struct error *err);

#endif
