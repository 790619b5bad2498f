/* Times as users and Slurm write them, and the end of an allocation. */
#ifndef ESPALIER_CLI_DURATION_H
#define ESPALIER_CLI_DURATION_H

#include <stdbool.h>
#include <stddef.h>

/* "90", "1:30", "0:01:30" or "1-12:00:00" as seconds. */
bool duration_parse(const char *text, double *seconds);

/* "45 s", "1:30", "2:00:15". */
void duration_print(double seconds, char *out, size_t size);

/* Seconds until a Slurm allocation ends: SLURM_JOB_END_TIME, else what squeue says of SLURM_JOB_ID;
 * 0 when there is no limit. Call before MPI starts, on one rank: it may run a program that asks
 * Slurm's controller. */
double duration_allocation_left(void);

#endif
