#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "model/arch.h"

status arch_window(int window, int first, int period, struct model_config *c, struct error *err) {
  if (window == 0) {
    return STATUS_OK;
  }
  c->window = window;
  TRY(mem_alloc(&c->windowed, (size_t)c->blocks, sizeof *c->windowed, err));
  for (int i = 0; i < c->blocks; i++) {
    c->windowed[i] = i >= first && (period == 0 || (i + 1) % period != 0);
  }
  return STATUS_OK;
}

status arch_window_key(const struct keys *keys, int otherwise, struct model_config *c,
                       struct error *err) {
  static const char key[] = "sliding_window";
  int window;
  otherwise = keys_is_null(keys, key) ? 0 : otherwise;
  TRY(keys_int_or(keys, key, 1, INT_MAX, otherwise, &window, err));
  return arch_window(window, 0, 0, c, err);
}

status arch_layer_types(const struct keys *keys, struct model_config *c, struct error *err) {
  static const char key[] = "layer_types";
  const cJSON *list = keys_get(keys, key), *item;
  if (!list) {
    return STATUS_OK;
  }
  if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) != c->blocks) {
    return keys_fail(keys, key, STATUS_INPUT, err, "is not a list of %d layers", c->blocks);
  }
  int i = 0;
  cJSON_ArrayForEach(item, list) {
    const char *type = cJSON_IsString(item) ? item->valuestring : "";
    bool slides = strcmp(type, "sliding_attention") == 0;
    if (!slides && strcmp(type, "full_attention") != 0) {
      return keys_fail(keys, key, STATUS_UNSUPPORTED, err,
                       "has '%s', which is not handled (known: sliding_attention, full_attention)",
                       type);
    }
    if (c->windowed) {
      c->windowed[i] = slides;
    }
    i++;
  }
  return STATUS_OK;
}
