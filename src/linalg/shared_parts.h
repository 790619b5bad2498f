/* What the two files of shared Gram matrices know of each other. Private to linalg. */
#ifndef ESPALIER_LINALG_SHARED_PARTS_H
#define ESPALIER_LINALG_SHARED_PARTS_H

enum { SHARED_BLOCK = 128 }; /* the largest edge of a process grid's blocks */

/* A block of the Gram matrix: rows row .., columns col .., dense; and where the same block, both
 * orders reversed, begins in this rank's part of ScaLAPACK's matrix. */
struct shared_tile {
  int row, rows, col, cols;
  int local_row, local_col;
};

#endif
