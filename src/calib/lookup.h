/* Names of small YAML files: configs/KIND/NAME.yaml in the first configs folder that has it. */
#ifndef ESPALIER_CALIB_LOOKUP_H
#define ESPALIER_CALIB_LOOKUP_H

#include "base/str.h"
#include "data/task.h"

/* Path of configs/KIND/NAME.yaml, or *out == NULL when no folder has it (or name holds a slash).
 * The caller frees *out. */
status lookup_config(char **out, const struct search *search, const char *kind, const char *name,
                     struct error *err);

/* Names to suggest from; zero-initialise. */
struct names {
  char **at; /* [count], sorted within each folder */
  size_t count, cap;
};
status names_add(struct names *names, const char *name, struct error *err);
void names_free(struct names *names);

/* Adds the names of all configs/KIND files, or of the folders in folders (NULL-terminated or NULL).
 */
status names_add_configs(struct names *names, const struct search *search, const char *kind,
                         struct error *err);
status names_add_folders(struct names *names, const char *const *folders, struct error *err);

/* " (did you mean 'x'?)", else " (expected one of: ...)" when they are few, else "". */
status names_suggest(const struct names *names, const char *word, struct str *out,
                     struct error *err);

#endif
