/* Model folders of the reference models: ESPALIER_MODELS (or its default), else the cache folder,
 * else the model that comes with the program. */
#ifndef ESPALIER_TESTS_EVAL_FOLDERS_H
#define ESPALIER_TESTS_EVAL_FOLDERS_H

#include "support.h"

#include "base/file.h"

static inline bool folders_model(const char *name, char *out, size_t size) {
  char models[1024];
  if (support_folder("models", models, sizeof models)) {
    (void)snprintf(out, size, "%s/%s", models, name);
    if (file_is_dir(out)) {
      return true;
    }
  }
  const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (cache && *cache) {
    (void)snprintf(out, size, "%s/espalier/models/%s", cache, name);
  } else {
    (void)snprintf(out, size, "%s/.cache/espalier/models/%s", home ? home : "", name);
  }
  if (file_is_dir(out)) {
    return true;
  }
  const char *source = getenv("ESPALIER_SOURCE");
  (void)snprintf(out, size, "%s/experiments/demo/%s", source ? source : ".", name);
  return file_is_dir(out);
}

#endif
