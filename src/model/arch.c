#include "model/arch.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static const struct family families[] = {
#define X(type, table) {#type, &table##_names, type##_configure},
    ARCH_FAMILIES(X)
#undef X
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

int arch_parts(const struct arch *a, enum slot slot) {
  const struct model_config *c = &a->config;
  bool expert = slot == SLOT_GATE || slot == SLOT_UP || slot == SLOT_DOWN;
  if (expert && c->experts > 0) {
    return c->experts;
  }
  if (c->qk_norm == QK_NORM_OWN_APART && (slot == SLOT_Q_NORM || slot == SLOT_K_NORM)) {
    return slot == SLOT_Q_NORM ? c->heads : c->kv_heads;
  }
  return 1;
}

void arch_free(struct arch *a) {
  free(a->config.windowed);
  free(a->config.rope_divisors);
  a->config.windowed = NULL;
  a->config.rope_divisors = NULL;
}
