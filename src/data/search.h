/* Where the names in a config are looked up. */
#ifndef ESPALIER_DATA_SEARCH_H
#define ESPALIER_DATA_SEARCH_H

#include "data/task.h"

/* Path of <configs>/<room>/<name>.yaml for the first folder that has it, else of `name` itself when
 * there is such a file. what: "task", for the refusal, which suggests the nearest name. The caller
 * frees *out. */
status search_config(char **out, const struct search *search, const char *room, const char *what,
                     const char *name, struct error *err);

/* Path of a data file: absolute, else under the first data folder that has it, else relative to the
 * folder of the config `beside`. NULL when there is none. The caller frees *out. */
status search_data(char **out, const struct search *search, const char *name, const char *beside,
                   struct error *err);

#endif
