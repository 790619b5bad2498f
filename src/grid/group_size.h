/* How many ranks work on one variant together. Single ranks get the most done, as long as each has
 * the memory for a variant of its own and there are variants for all of them. */
#ifndef ESPALIER_GRID_GROUP_SIZE_H
#define ESPALIER_GRID_GROUP_SIZE_H

#include "grid/plan.h"

enum group_reason {
  GROUP_FITS,   /* one rank has room, and there is a variant for each */
  GROUP_MEMORY, /* smaller groups lack memory */
  GROUP_IDLE,   /* ranks would have nothing to do */
  GROUP_LACKS,  /* no size is enough: that of which each rank needs the least */
};

struct group_question {
  int ranks;       /* >= 1; groups are of a size that divides them */
  size_t variants; /* to compute */
  double longest;  /* estimated seconds of the longest on one process */
  double memory;   /* bytes that a rank may use; 0: as many as it likes */
  /* Bytes that each rank of a group of so many needs. */
  double (*bytes)(const void *user, int size);
  const void *user;
};

struct group_answer {
  int size;
  enum group_reason reason;
  double alone, bytes; /* needed by a rank alone, and by each of such a group */
};

/* The smallest size that fits into memory; the largest that leaves a group for each variant when
 * that is larger, and the longest is work enough to cut (GROUP_WORTH seconds). */
struct group_answer group_size_choose(const struct group_question *q);
#define GROUP_WORTH 10.0

/* Of a plan at PLAN_FULL, its own variants; node: of the ranks so many run on each machine; memory:
 * bytes of each rank. */
struct group_answer plan_group_size(const struct plan *p, int ranks, int node, double memory);

/* "groups of 2 of 8 ranks: ..." in one line; text [GROUP_TEXT]. */
enum { GROUP_TEXT = 200 };
void group_size_describe(const struct group_answer *a, const struct plan *p, int ranks,
                         double memory, char *text);

#endif
