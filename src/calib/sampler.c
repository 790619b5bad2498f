#include <string.h>

#include "calib/set.h"

static const struct sampler *const table[] = {
    &sampler_packed,  &sampler_random_window, &sampler_concatenate,
    &sampler_lines,   &sampler_dsir,          &sampler_kmeans,
    &sampler_lexrank, &sampler_ccs,           &sampler_perplexity_band,
};

enum { SAMPLERS = sizeof table / sizeof table[0] };

size_t samplers_names(const char *out[], size_t room) {
  size_t i = 0;
  for (; i < SAMPLERS && i < room; i++) {
    out[i] = table[i]->name;
  }
  return i;
}

size_t samplers_keys(const char *out[], size_t room) {
  size_t count = 0;
  for (size_t i = 0; i < SAMPLERS; i++) {
    for (size_t k = 0; k < SAMPLER_PARAMS && table[i]->params[k].key && count < room; k++) {
      const char *key = table[i]->params[k].key;
      size_t at = 0;
      while (at < count && strcmp(out[at], key) != 0) {
        at++;
      }
      if (at == count) {
        out[count++] = key;
      }
    }
  }
  return count;
}

const struct sampler *sampler_find(const char *name) {
  for (size_t i = 0; i < SAMPLERS; i++) {
    if (strcmp(table[i]->name, name) == 0) {
      return table[i];
    }
  }
  return NULL;
}

status pool_too_small(const struct pool *pool, const struct draw *draw, size_t tokens,
                      size_t windows, struct error *err) {
  return err_at(err, STATUS_INPUT, pool->set->data, 0,
                "calibration set %s needs %d draw%s × %d samples × %d tokens; the file has %zu "
                "tokens = %zu windows that %s may take",
                pool->set->name, draw->draws, draw->draws == 1 ? "" : "s", draw->most, draw->length,
                tokens, windows, pool->set->sampler->name);
}
