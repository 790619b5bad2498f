/* A calibration file and the files that it includes, the including one first: the topmost file that
 * has a key gives its value. */
#ifndef ESPALIER_CALIB_LAYERS_H
#define ESPALIER_CALIB_LAYERS_H

#include "base/yaml.h"
#include "data/task.h"

enum { LAYERS = 8 };

struct layers {
  struct yaml_file at[LAYERS];
  int count;
};

/* Zero-initialise; close also after a failure. Keys of every file are checked. */
status layers_open(struct layers *l, const char *path, const struct search *search,
                   struct error *err);
void layers_close(struct layers *l);

/* The key's value and the file that gives it, or NULL. */
const struct yaml *layers_get(const struct layers *l, const char *key,
                              const struct yaml_file **file);

/* `text` relative to the file that says it, when that exists; else *out is NULL. The caller frees
 * it. */
status layers_beside(char **out, const struct yaml_file *file, const char *text, struct error *err);

#endif
