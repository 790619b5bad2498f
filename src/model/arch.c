#include "model/arch.h"

#include <string.h>

#include "base/str.h"

static const struct family families[] = {
    {"llama", &llama_names, llama_configure},
    {"opt", &opt_names, opt_configure},
};

enum { FAMILIES = sizeof families / sizeof *families };

static status refuse(const struct keys *keys, const char *type, struct error *err) {
  struct str known = {0};
  status st = STATUS_OK;
  for (size_t i = 0; i < FAMILIES && st == STATUS_OK; i++) {
    st = str_addf(&known, err, "%s%s", i ? ", " : "", families[i].type);
  }
  if (st == STATUS_OK) {
    st = keys_fail(keys, "model_type", STATUS_UNSUPPORTED, err,
                   "is '%s', which is not handled (known: %s)", type, known.at);
  }
  str_free(&known);
  return st;
}

status family_of(const struct keys *keys, const struct family **out, struct error *err) {
  const char *type;
  TRY(keys_text_or(keys, "model_type", NULL, &type, err));
  if (!type) {
    return keys_fail(keys, "model_type", STATUS_INPUT, err, "is missing");
  }
  for (size_t i = 0; i < FAMILIES; i++) {
    if (strcmp(families[i].type, type) == 0) {
      *out = &families[i];
      return STATUS_OK;
    }
  }
  return refuse(keys, type, err);
}
