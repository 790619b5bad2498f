/* The order of a plan: every combination of a grid's axes that its exclude rules leave. */
#ifndef ESPALIER_GRID_EXPAND_H
#define ESPALIER_GRID_EXPAND_H

#include "grid/grid.h"

/* Indices into the grid's lists; -1 where the method has no such axis. */
struct point {
  int model;
  int method; /* -1: the dense baseline */
  int params; /* index into the method's params */
  int sparsity, set, samples, length, draw;
};

bool method_calibrated(const struct method *m); /* needs statistics of calibration data */

/* Whether a rule takes out the point on a data set (index, or -1: on every one). */
bool point_excluded(const struct grid *g, const struct point *p, int dataset);

/* Whether any data set is left for the point. */
bool point_wanted(const struct grid *g, const struct point *p);

/* Calls see for every wanted point in plan order. */
status grid_expand(const struct grid *g,
                   status (*see)(void *user, const struct point *p, struct error *err), void *user,
                   struct error *err);

#endif
