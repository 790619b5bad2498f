/* A pruned checkpoint folder: the source's files with some linears replaced. Streams: one linear in
 * memory at a time. */
#ifndef ESPALIER_MODEL_WRITE_H
#define ESPALIER_MODEL_WRITE_H

#include "model/model.h"

enum model_dtype { MODEL_DTYPE_SOURCE, MODEL_DTYPE_F32, MODEL_DTYPE_F16, MODEL_DTYPE_BF16 };

struct model_writer;

/* Starts a folder `to` (absent or empty, in a folder that exists): copies config.json (its dtype
 * key set when dtype is not SOURCE), tokenizer files and every tensor that is not a linear into a
 * temporary folder beside it. dtype applies to all floating tensors but buffers (masks, rotary
 * frequencies); a number too large for it is refused with the tensor's name. */
status model_writer_open(struct model_writer **out, const struct model *m, const char *to,
                         enum model_dtype dtype, struct error *err);

/* Stores a linear, w [rows][cols], rounded to nearest even. Zeros stay zeros; a kept weight that
 * would round to zero is stored as the smallest non-zero number of its sign. Linears never put are
 * copied from the source. */
status model_writer_put(struct model_writer *w, int block, int linear, const float *weights,
                        struct error *err);

/* Syncs and renames the folder into place; on failure removes what was written. Frees the writer
 * either way. */
status model_writer_finish(struct model_writer *w, struct error *err);

/* Removes what was written, and frees the writer. */
void model_writer_abandon(struct model_writer *w);

#endif
