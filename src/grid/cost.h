/* What a variant costs: floating-point operations and memory, from shapes alone. Good enough to
 * send the longest first and to tell hours from minutes; no promise. */
#ifndef ESPALIER_GRID_COST_H
#define ESPALIER_GRID_COST_H

#include "grid/plan.h"

/* Pruning `tokens` calibration tokens' worth by itself: forward passes, statistics, factorisations,
 * and the method's own arithmetic. 0 for the dense model. */
double cost_prune(const struct model *m, const struct method *method, enum propagate propagate,
                  double tokens);

/* What is left of it beside a shared pass that has its statistics and factors. */
double cost_prune_rest(const struct model *m, const struct method *method, enum propagate propagate,
                       double tokens);

/* A shared pass over so many tokens, and the factors of one of its snapshots with one damping. */
double cost_shared_pass(const struct model *m, enum propagate propagate, unsigned needs,
                        double tokens);
double cost_shared_factors(const struct model *m, enum propagate propagate);

/* One data set: `tokens` through all blocks, `queries` through the head. */
double cost_evaluate(const struct model *m, double tokens, double queries);

/* The most bytes that one process holds at once: the pruned weights beside the larger of pruning
 * (activations, one block, its statistics) and evaluating (all blocks resident). */
double cost_bytes(const struct model *m, const struct method *method, double tokens);

/* The fewest that each of so many ranks gets along with that work on a variant together, `node` of
 * them at most on one machine: blocks to evaluate are streamed, what variants share is in a file,
 * Gram matrices are cut among the ranks when there are several, and the pruned weights and the
 * block that is pruned are there once on a machine. */
double cost_least_bytes(const struct model *m, const struct method *method, double tokens,
                        int ranks, int node);

/* Bytes of it for everything that does not grow with the model: activations of a batch, libraries,
 * data sets. */
#define COST_REST 256e6

/* What a plan's seconds are computed with until plan_set_rate: floating-point operations per second
 * and thread that a whole run in float32 reaches on a processor with AVX-512. */
#define COST_RATE 1.4e11

/* The same of this process's threads in the plan's precision: the product of a linear is measured
 * for some tenths of a second at most, with weights made up in its shape; of the models the one
 * that most of the work is for. */
status cost_measure_rate(const struct plan *p, double *rate, struct error *err);

/* plan_set_rate by 10^9 times `gflops`, or by the measured rate when that is 0. */
status cost_set_rate(struct plan *p, int gflops, struct error *err);

#endif
