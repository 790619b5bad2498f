/* A pruned model's masks as records of a few megabytes (store/mask_record.h). */
#ifndef ESPALIER_SCHED_MASK_PARTS_H
#define ESPALIER_SCHED_MASK_PARTS_H

#include "model/overlay.h"

/* Records that the masks of any variant of the model take: linears in order, cut where a record
 * would pass 4 MiB of bits. */
int mask_parts(const struct model *m);

/* Encodes part `part` of a variant's masks; a linear that the overlay has not is the checkpoint's.
 * The caller frees *out. */
status mask_parts_encode(const struct model *m, struct overlay *overlay, const char *variant,
                         int part, unsigned char **out, size_t *size, struct error *err);

#endif
