/* Pruned weights that stand in place of a checkpoint's: one float32 matrix per linear, held in one
 * anonymous or file-backed mapping. */
#ifndef ESPALIER_MODEL_OVERLAY_H
#define ESPALIER_MODEL_OVERLAY_H

#include "model/model.h"

struct overlay;

/* scratch: a folder for an unlinked backing file, or NULL for anonymous memory. */
status overlay_create(struct overlay **out, const struct model *m, const char *scratch,
                      struct error *err);
void overlay_free(struct overlay *o);

/* [rows][cols], writable. overlay_mark says that it now holds the weights to use. */
float *overlay_weights(struct overlay *o, int block, int linear);
void overlay_mark(struct overlay *o, int block, int linear);
bool overlay_has(const struct overlay *o, int block, int linear);
void overlay_clear(struct overlay *o);

#endif
