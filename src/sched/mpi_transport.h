/* Messages over MPI point to point: matched probes, non-blocking sends and receives only. */
#ifndef ESPALIER_SCHED_MPI_TRANSPORT_H
#define ESPALIER_SCHED_MPI_TRANSPORT_H

#include <mpi.h>
#include <stdbool.h>

#include "sched/transport.h"

struct mpi_transport;

/* Collective over comm: takes a duplicate of it, so that no other traffic is matched. */
status mpi_transport_open(struct mpi_transport **out, MPI_Comm comm, struct error *err);

/* all_alive: collective, completes what is on its way. Otherwise MPI may still read the buffers, so
 * nothing is freed, and the process must leave without MPI_Finalize. */
void mpi_transport_close(struct mpi_transport *t, bool all_alive);

struct transport mpi_transport_interface(struct mpi_transport *t);

/* Waits for all ranks of comm, sleeping: ranks may arrive minutes apart. */
status mpi_barrier(MPI_Comm comm, struct error *err);

#endif
