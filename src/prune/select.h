/* Which weights go: the selection rules that the methods share, in time linear in the number of
 * scores. Scores are >= 0; a chosen weight becomes +0. Equal scores are taken from the left, as a
 * stable ascending sort would. */
#ifndef ESPALIER_PRUNE_SELECT_H
#define ESPALIER_PRUNE_SELECT_H

#include <stddef.h>

#include "prune/method.h"

/* sorted(scores)[k], scores [n], k < n. Uses all threads on large inputs when called outside a
 * parallel region. */
float select_nth(const float *scores, size_t n, size_t k);

/* The threshold rule: sorted(scores)[int(n·ratio)]; what is `<=` it goes, which is one score more
 * than int(n·ratio), and more where scores tie. A ratio of 0 gives −1: nothing goes. */
float select_threshold(const float *scores, size_t n, double ratio);

/* int(n·ratio), the number that the authors' code takes from a sorted list of n. */
size_t select_count(size_t n, double ratio);

/* Zeros the `count` weights with the smallest scores; both [n]. */
void select_smallest(const float *scores, float *weights, size_t n, size_t count);

/* Zeros the n weights with the smallest scores in each m neighbours of one row; both [cols], cols a
 * multiple of m. */
void select_groups(const float *scores, float *weights, int cols, int n, int m);

/* The two rules for a matrix of scores and weights [rows][cols]: a pattern, or each row's share. */
void select_rows(const float *scores, float *weights, int rows, int cols,
                 const struct sparsity *sparsity);

/* A pattern, or one threshold for the whole matrix. */
void select_matrix(const float *scores, float *weights, int rows, int cols,
                   const struct sparsity *sparsity);

#endif
