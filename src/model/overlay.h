/* Pruned weights that stand in place of a checkpoint's: one float32 matrix per linear, held in one
 * anonymous or file-backed mapping. */
#ifndef ESPALIER_MODEL_OVERLAY_H
#define ESPALIER_MODEL_OVERLAY_H

#include "linalg/group.h"
#include "model/model.h"

struct overlay;

/* scratch: a folder for an unlinked backing file, or NULL for anonymous memory. */
status overlay_create(struct overlay **out, const struct model *m, const char *scratch,
                      struct error *err);
/* One for the ranks of a group on each machine. Collective, as are then overlay_put and
 * overlay_meet; overlay_free is not. */
status overlay_create_shared(struct overlay **out, const struct model *m, const struct group *group,
                             struct error *err);
void overlay_free(struct overlay *o);

/* Takes the weights to use from now on, [rows][cols]: the same on all ranks that share it. */
void overlay_put(struct overlay *o, int block, int linear, const float *weights);
/* After the last overlay_put, before weights are read; fails on all ranks when one passes a
 * failure.
 */
status overlay_meet(const struct overlay *o, status mine, struct error *err);

const float *overlay_weights(const struct overlay *o, int block, int linear); /* [rows][cols] */
bool overlay_has(const struct overlay *o, int block, int linear);
/* To hold nothing. Ranks that share it have all done reading. */
void overlay_clear(struct overlay *o);

#endif
