/* One pass of the dense model over one calibration draw, whose statistics serve every pruning that
 * sees the same activations: whatever the method, the sparsity, and how many of the draw's first
 * sequences are taken. With PROPAGATE_DENSE that holds for all blocks, with PROPAGATE_PRUNED for
 * the first. SparseGPT's factors are made when first asked for, and kept. */
#ifndef ESPALIER_PRUNE_SHARED_PASS_H
#define ESPALIER_PRUNE_SHARED_PASS_H

#include <stdbool.h>

#include "base/sequences.h"
#include "model/model.h"
#include "prune/stats.h"

struct shared_pass;

struct shared_pass_options {
  const struct sequences *calibration; /* at least samples[count - 1]; needed while it is made */
  int blocks;                          /* the first so many; >= 1 */
  const int *samples;                  /* [count], rising: one snapshot after each */
  size_t count;
  unsigned needs;      /* STATS_* bits, of all methods together */
  const double *damps; /* [damp_count]: factors to keep */
  size_t damp_count;
  const struct group *group;
  const char *scratch; /* a folder for an unlinked file to keep it all in; NULL: memory */
  /* As prune_options': at least once per block and batch. */
  status (*progress)(void *user, double done, struct error *err);
  void *progress_user;
};

/* Bytes that it keeps from its making to its end. */
size_t shared_pass_bytes(const struct model *m, const struct shared_pass_options *options);

/* Bytes that each rank of a group of several holds beside, while it is made. */
size_t shared_pass_room(const struct model *m, const struct shared_pass_options *options);

/* Runs the pass, whose sequences the group's ranks share; each keeps all of what comes of it.
 * Collective: all ranks fail together. */
status shared_pass_create(struct shared_pass **out, const struct model *m,
                          const struct shared_pass_options *options, struct error *err);
void shared_pass_free(struct shared_pass *p);

int shared_pass_blocks(const struct shared_pass *p);

/* The snapshot after so many samples; -1 when there is none or it lacks a part of `needs`. */
int shared_pass_find(const struct shared_pass *p, size_t samples, unsigned needs);

/* The statistics that prune_model gathers by itself from the snapshot's samples, bit for bit, as
 * stats_recall gives them; gram: [cols][cols] when needed. */
void shared_pass_recall(const struct shared_pass *p, int snapshot, int block, int input,
                        unsigned needs, float *gram, struct stats *out);

/* out [cols][cols] = the factor of `stats`, as recalled with its Gram matrix from the same place,
 * damped by damp as factor_inverse_upper does; *used is what it took. */
status shared_pass_factor(struct shared_pass *p, int snapshot, int block, int input,
                          const struct stats *stats, double damp, float *out, double *used,
                          struct error *err);

#endif
