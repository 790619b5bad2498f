/* A folder that appears whole or not at all: it is filled under another name beside its place and
 * renamed at the end. */
#ifndef ESPALIER_MODEL_STAGING_H
#define ESPALIER_MODEL_STAGING_H

#include "base/error.h"

struct staging {
  char *target; /* the folder's place */
  char *folder; /* where files are put until then */
};

/* Checks that `to` is absent or an empty folder, in a folder that exists, and makes the folder
 * beside it. */
status staging_open(struct staging *out, const char *to, struct error *err);

/* Syncs the folder, renames it into place and frees the struct; on failure as staging_abandon. */
status staging_publish(struct staging *s, struct error *err);

/* Removes the folder with its files, and frees the struct. */
void staging_abandon(struct staging *s);

#endif
