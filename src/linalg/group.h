/* A group of ranks that work on one thing: a communicator, or one process without MPI. */
#ifndef ESPALIER_LINALG_GROUP_H
#define ESPALIER_LINALG_GROUP_H

#include <mpi.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct group {
  MPI_Comm comm; /* MPI_COMM_NULL when size is 1 and MPI was never started */
  int rank, size;
};

/* One process; needs no MPI. */
struct group group_single(void);

/* A group over an existing communicator, which stays the caller's. Errors return. */
status group_from(struct group *out, MPI_Comm comm, struct error *err);

/* Collectives, called by every rank of the group; each does nothing when size is 1. */
status group_sum_float(const struct group *g, float *values, size_t count, struct error *err);
status group_sum_double(const struct group *g, double *values, size_t count, struct error *err);
status group_sum_int64(const struct group *g, int64_t *values, size_t count, struct error *err);
/* *value becomes the least of all ranks'. */
status group_least_int64(const struct group *g, int64_t *value, struct error *err);
status group_broadcast(const struct group *g, int root, void *bytes, size_t count,
                       struct error *err);

/* all [size][count]: every rank's bytes [count]; in a group of one a copy. */
status group_gather(const struct group *g, const void *mine, size_t count, void *all,
                    struct error *err);

/* Agreement on failure, so that no rank waits for one that returned early: every rank passes what
 * it found, and all get STATUS_OK or the lowest failing rank's status and text. */
status group_agree(const struct group *g, status mine, struct error *err);

#endif
