/* Which weights go: the selection rules that the methods share, in time linear in the number of
 * scores. Scores are >= 0; a chosen weight becomes +0. Equal scores are taken from the left, as a
 * stable ascending sort would. */
#ifndef ESPALIER_PRUNE_SELECT_H
#define ESPALIER_PRUNE_SELECT_H

#include <stddef.h>

#include "prune/method.h"

/* A method's scores, made row by row whenever they are asked for: making them again costs less than
 * the memory of a whole matrix of them. */
struct scoring {
  const void *user;
  /* From a row's weights, which are as they came, to its scores; both [cols]. Must give the same
   * whenever it is called, on any thread. */
  void (*row)(const void *user, int row, const float *weights, float *scores);
  /* The ranks that hold the matrix's other rows, `all_rows` together, and call alike; NULL: none.
   */
  const struct group *group;
  int all_rows;
};

/* sorted(scores)[k], scores [n], k < n. Uses all threads on large inputs when called outside a
 * parallel region. */
float select_nth(const float *scores, size_t n, size_t k);

/* The same where the ranks of a group (or NULL) hold a part each, and all call; n of this rank. */
status select_nth_among(const struct group *group, const float *scores, size_t n, size_t k,
                        float *out, struct error *err);

/* The same for the scores of a matrix of weights [rows][cols], and its other rows elsewhere. */
status select_nth_of(const struct scoring *scoring, const float *weights, int rows, int cols,
                     size_t k, float *out, struct error *err);

/* The threshold rule: sorted(scores)[int(n·ratio)]; what is `<=` it goes, which is one score more
 * than int(n·ratio), and more where scores tie. A ratio of 0 gives −1: nothing goes. */
float select_threshold(const float *scores, size_t n, double ratio);

/* The same over a group (or NULL) whose ranks hold n scores of `all` each; all call. */
status select_threshold_among(const struct group *group, const float *scores, size_t n, size_t all,
                              double ratio, float *out, struct error *err);

/* int(n·ratio), the number that the authors' code takes from a sorted list of n. */
size_t select_count(size_t n, double ratio);

/* Zeros the `count` weights with the smallest scores; both [n]. */
void select_smallest(const float *scores, float *weights, size_t n, size_t count);

/* Zeros the n weights with the smallest scores in each m neighbours of one row; both [cols], cols a
 * multiple of m. */
void select_groups(const float *scores, float *weights, int cols, int n, int m);

/* The two rules for a matrix of weights [rows][cols]: a pattern, or each row's share. */
status select_rows(const struct scoring *scoring, float *weights, int rows, int cols,
                   const struct sparsity *sparsity, struct error *err);

/* A pattern, or one threshold for the whole matrix, of which these may be some rows. */
status select_matrix(const struct scoring *scoring, float *weights, int rows, int cols,
                     const struct sparsity *sparsity, struct error *err);

#endif
