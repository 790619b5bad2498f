/* Where a written safetensors file puts its tensors: the source's header with other dtypes. */
#ifndef ESPALIER_MODEL_LAYOUT_H
#define ESPALIER_MODEL_LAYOUT_H

#include "base/str.h"
#include "model/safetensors.h"
#include "model/write.h"

struct layout {
  enum dtype *dtypes; /* [tensors of the source], in the order of its header */
  uint64_t *begins;   /* [tensors of the source], bytes of the buffer */
  struct str header;  /* JSON padded with spaces, so that the buffer begins at a multiple of 8 */
  uint64_t buffer;    /* bytes */
};

/* The layout of a copy of `source` in which weights (F32, F16, BF16) have the dtype; buffers that
 * are no weights (masks, rotary frequencies) and other types stay. Without a change of dtype
 * tensors keep their places; with one, wider types come first, so that every element is aligned. */
status layout_make(struct layout *out, const struct safetensors *source, enum model_dtype dtype,
                   struct error *err);
void layout_free(struct layout *l);

#endif
