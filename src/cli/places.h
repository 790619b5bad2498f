/* Where configs, data and models are found: the environment, the working directory, and beside the
 * program. No path is built into it, so an installed tree can be moved. */
#ifndef ESPALIER_CLI_PLACES_H
#define ESPALIER_CLI_PLACES_H

#include "grid/grid.h"

struct cli_places {
  struct places places;             /* its lists are owned by the three below */
  char **configs, **data, **models; /* NULL-terminated */
};

/* Configs: ESPALIER_CONFIGS, ./configs, PREFIX/share/espalier/configs for a program in PREFIX/bin,
 * or configs/ in a folder above the program (a build tree). Data: ESPALIER_DATA, ./data,
 * experiments/demo/data beside configs. Models: ESPALIER_MODELS, ./models, experiments/demo beside
 * configs, espalier/models in XDG_CACHE_HOME or ~/.cache. The variables may hold several folders
 * with colons between them. Folders that are not there are left out. */
status places_open(struct cli_places *out, struct error *err);
void places_close(struct cli_places *p);

#endif
