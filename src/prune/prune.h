/* Pruning a model layer by layer: embed the calibration sequences, then for each block gather
 * statistics, prune its linears, and go on to the next. */
#ifndef ESPALIER_PRUNE_PRUNE_H
#define ESPALIER_PRUNE_PRUNE_H

#include "base/sequences.h"
#include "linalg/factor.h"
#include "linalg/group.h"
#include "model/overlay.h"
#include "prune/method.h"
#include "prune/shared_pass.h"

/* Where pruned weights go, every linear once, block by block, on every rank of the group: a
 * function, an overlay that stays the caller's, or both. */
struct prune_sink {
  void *user;
  status (*put)(void *user, int block, int linear, const float *weights /* [rows][cols] */,
                struct error *err); /* or NULL */
  struct overlay *overlay;          /* or NULL */
};

/* What happened to one linear. */
struct prune_layer {
  int block, linear;
  double sparsity; /* share of zeros */
  double relative_error; /* ‖X(W−W′)ᵀ‖ / ‖XWᵀ‖ over the calibration tokens; NaN without STATS_GRAM
                            or without tokens */
  double damp;    /* what the factorisation took; NaN without one */
  double seconds; /* of the factorisation and the pruning on the rank that did it */
};

/* What a block's statistics are taken on. */
enum propagate {
  PROPAGATE_PRUNED, /* the activations that the blocks before it give once they are pruned, as in
                       the papers */
  PROPAGATE_DENSE,  /* those of the dense model: one pass serves every pruning */
  PROPAGATE_COUNT
};

/* "pruned", "dense" */
const char *propagate_name(enum propagate p);

struct prune_options {
  const struct method *method;
  struct params params;
  struct sparsity sparsity;
  const struct sequences *calibration; /* NULL only for methods that need no statistics */
  enum propagate propagate;
  /* A pass over sequences of which `calibration` are the first, or NULL. Spares the work that it
   * has done, and changes no bit of a result. On every rank of the group or on none; of no use to a
   * group that cuts Gram matrices among its ranks, nor to a pruning whose number of samples or
   * needs it lacks. */
  struct shared_pass *shared;
  enum factor_where factor;
  /* With FACTOR_AUTO in a group of several ranks: bytes that whole Gram matrices of a block may
   * take on each; 0: any. What is more is cut among the ranks. The first rank's word counts. */
  size_t gram_bytes;
  const struct group *group;
  /* Called as work goes on, at least once per block and calibration batch; done runs from 0 to 1. A
   * status other than OK stops the pruning with it. May be NULL. */
  status (*progress)(void *user, double done, struct error *err);
  void *progress_user;
};

/* What can be refused before any work: a pattern that does not divide a linear's inputs (naming the
 * linear), parameters that do not fit the sparsity, missing or empty calibration data, a
 * calibration sequence longer than the model's positions. prune_model asks this itself. */
status prune_check(const struct model *m, const struct prune_options *options, struct error *err);

/* Prunes every linear of every block. Collective over the group: all ranks pass equal options, and
 * fail together. The dense method, and a sparsity of 0, put nothing into the sink. layers [blocks ×
 * linears] (or NULL) is filled in order. */
status prune_model(const struct model *m, const struct prune_options *options,
                   const struct prune_sink *sink, struct prune_layer *layers, struct error *err);

/* A sink into an overlay. */
struct prune_sink prune_into_overlay(struct overlay *o);

#endif
