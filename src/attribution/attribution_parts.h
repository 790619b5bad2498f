/* Inside of an attribution: what its files share. */
#ifndef ESPALIER_ATTRIBUTION_PARTS_H
#define ESPALIER_ATTRIBUTION_PARTS_H

#include "attribution/attribution.h"
#include "attribution/edit.h"
#include "attribution/match.h"
#include "attribution/witness.h"
#include "eval/significance.h"

struct attribution {
  struct subject s;
  struct attribution_options o;
  struct units units;
  struct items items;
  struct words words;
  struct witness witness;
  unsigned char *kinds;   /* [units.count]: enum unit_kind */
  struct matches matches; /* units by number */
  struct unit_set set;    /* all that are matched */
  struct tape tape;       /* of the dense evaluation; empty unless o.patch */
  struct trace *traces;   /* [base.example_count] */
  double *weights;        /* [words]: influence, never below 0 */
  struct eval_result dense;
  struct attribution_base base;
};

/* An evaluation with a probe in it. */
status attribution_evaluate(const struct attribution *a, struct runner *runner,
                            const struct probe *probe, const struct watcher *watcher,
                            struct eval_result *out, struct error *err);

/* Mean over items with a gold answer, NaN without any: of the gold answer's log-likelihood, and of
 * right answers. */
double attribution_gold(const struct eval_result *r);
double attribution_accuracy(const struct eval_result *r);

/* Chooses passages to show and the units to colour them by; fills base.examples and traces. */
status examples_choose(struct attribution *a, struct error *err);

/* Changes of an evaluation against the dense one, with intervals over items. */
struct changes {
  double accuracy, accuracy_low, accuracy_high;
  double gold, gold_low, gold_high;
};
status changes_between(const struct eval_result *dense, const struct eval_result *other,
                       unsigned seed, struct changes *out, struct error *err);

/* Share of the fall in the gold answers' log-likelihood from `dense` to `pruned` that `patched` has
 * back; NaN where there is no fall. */
status changes_restored(const struct eval_result *dense, const struct eval_result *pruned,
                        const struct eval_result *patched, unsigned seed, double *out,
                        struct interval *interval, struct error *err);

#endif
