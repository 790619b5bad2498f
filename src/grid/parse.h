/* Inside of grid/: the parts of an experiment file, each read by one function into the grid. */
#ifndef ESPALIER_GRID_PARSE_H
#define ESPALIER_GRID_PARSE_H

#include "grid/grid.h"

/* A list, or one value that stands for a list of one. */
struct entries {
  const struct yaml *at; /* [count] */
  size_t count;
};

/* The entries behind a node; refuses maps and empty lists. `what` names the key. */
status parse_entries(const struct yaml_file *file, const struct yaml *node, const char *what,
                     struct entries *out, struct error *err);

/* *out = text relative to the grid's folder when that exists, else NULL. The caller frees it. */
status parse_beside(const struct grid *g, const char *text, char **out, struct error *err);

/* As grid_find_model, with `beside` (or NULL) as the path to try before the bare one. */
status grid_find_model_beside(const char *text, const char *beside, const struct places *places,
                              char **folder, char **name, struct error *err);

/* Finds a calibration set: a file of configs/calibration, a path, or a data folder. Fills the
 * name's path. */
status parse_set(const struct grid *g, struct grid_name *name, struct error *err);

status parse_models(struct grid *g, const struct yaml *node, struct error *err);
status parse_datasets(struct grid *g, const struct yaml *node, struct error *err);
status parse_sparsity(struct grid *g, const struct yaml *node, struct error *err);
status parse_calibration(struct grid *g, const struct yaml *node, struct error *err);
status parse_methods(struct grid *g, const struct yaml *node, struct error *err);
status parse_attribution(struct grid *g, const struct yaml *node, struct error *err);
status parse_excludes(struct grid *g, const struct yaml *node, struct error *err);

/* What the parts must be to each other: a method that needs sparsity or calibration has it. */
status check_needs(const struct grid *g, struct error *err);

#endif
