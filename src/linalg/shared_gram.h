/* A Gram matrix of which every rank of a group holds its own blocks of ScaLAPACK's block-cyclic
 * layout, and SparseGPT's factor of it: no rank ever holds a whole one. Of order n on P ranks a
 * rank takes some 4·n²/P bytes while activations come, then 2·n²/P, and 8·n²/P more while the
 * factor is there. */
#ifndef ESPALIER_LINALG_SHARED_GRAM_H
#define ESPALIER_LINALG_SHARED_GRAM_H

#include "base/mapping.h"
#include "linalg/factor_scalapack.h"

struct shared_tile;

struct shared_gram {
  const struct group *group;
  struct process_grid grid;
  int n;
  int tiles;                /* blocks on or below the diagonal that are this rank's */
  struct shared_tile *tile; /* [tiles] */
  struct mapping held;      /* [tiles][block][block]: sums, then in their place values */
  double *sums;             /* while activations come */
  float *values;            /* the finished Gram matrix */
  struct mapping factor;    /* [count] */
  double *matrix;           /* ScaLAPACK's part, until shared_gram_forget */
  size_t count;
  float *diagonal; /* [n] of it, on every rank */
};

/* Collective. group: the caller's, for as long; at least one rank with MPI running. */
status shared_gram_open(struct shared_gram *out, const struct group *group, int n,
                        struct error *err);
/* Collective; an empty one is left alone. */
void shared_gram_close(struct shared_gram *g);
void shared_gram_clear(struct shared_gram *g);

/* Adds xᵀ·x of x [tokens][n] to this rank's blocks. All ranks must be given the same activations,
 * in the same calls; the products of a call are summed in float32, the calls in float64. */
status shared_gram_add(struct shared_gram *g, const float *x, int tokens, struct error *err);

/* Ends the adding: `values` and `diagonal` are there. Collective. */
status shared_gram_finish(struct shared_gram *g, struct error *err);

/* Makes it the identity. */
void shared_gram_set_identity(struct shared_gram *g);

/* Factors scale·G, with 1 on the diagonal where that is 0, as factor_inverse_upper does: the same
 * damping, the same refusals. In debug builds the residual is looked at. The finished Gram matrix
 * stays. Collective. */
status shared_gram_factor(struct shared_gram *g, float scale, double damp, double *damp_used,
                          struct error *err);

/* Gives the factor's memory back. */
void shared_gram_forget(struct shared_gram *g);

/* Rows first .. first + count − 1 of the factor U, from column `first` on, into u [count][n] on
 * every rank. Collective. */
status shared_gram_rows(const struct shared_gram *g, int first, int count, float *u,
                        struct error *err);

/* *out = Σ w·G·wᵀ over the rows of w [rows][n], which every rank has. Collective. */
status shared_gram_energy(const struct shared_gram *g, const float *w, int rows, double *out,
                          struct error *err);

#endif
