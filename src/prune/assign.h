/* Which rank of a group does which part of a block's work. */
#ifndef ESPALIER_PRUNE_ASSIGN_H
#define ESPALIER_PRUNE_ASSIGN_H

/* The costliest task first, each to the rank that has least to do so far (the lowest of equals).
 * costs [count], owner [count]; load [ranks] is scratch. */
void assign_tasks(const double *costs, int count, int ranks, double *load, int *owner);

#endif
