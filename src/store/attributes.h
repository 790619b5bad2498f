/* The text attributes of a results file's root group: where the numbers come from. */
#ifndef ESPALIER_STORE_ATTRIBUTES_H
#define ESPALIER_STORE_ATTRIBUTES_H

#include <stddef.h>

#include "base/error.h"

struct attributes {
  char **names, **texts; /* [count], by name */
  size_t count;
};

/* What is no text is left out. STATUS_INPUT for a file that is damaged. Free with
 * attributes_free, also after a failure. */
status attributes_read(struct attributes *out, const char *path, struct error *err);
void attributes_free(struct attributes *a);
/* NULL: there is none of that name. */
const char *attributes_text(const struct attributes *a, const char *name);

#endif
