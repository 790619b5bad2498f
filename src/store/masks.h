/* Masks of a results file: /masks/<variant id>/<tensor>, one bit per weight of a pruned linear,
 * uint8 [rows][mask_row_bytes(cols)]; weight j of a row is bit j % 8 of byte j / 8, 1 = kept; bits
 * behind the last column are 0. rows are the linear's outputs and cols its inputs, also where the
 * checkpoint stores the tensor the other way round. numpy: unpackbits(axis=1, count=cols,
 * bitorder="little"). */
#ifndef ESPALIER_STORE_MASKS_H
#define ESPALIER_STORE_MASKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct masks;

struct mask_tensor {
  char *name; /* as the checkpoint names it: "model.layers.3.self_attn.q_proj.weight" */
  int rows, cols;
};

/* A variant's tensors, by block, then by name. */
struct mask_tensors {
  struct mask_tensor *at; /* [count] */
  size_t count;
};

static inline size_t mask_row_bytes(int cols) {
  return ((size_t)cols + 7) / 8;
}
static inline size_t mask_bytes(int rows, int cols) {
  return (size_t)rows * mask_row_bytes(cols);
}

/* Opens a results file for reading; path must outlive the masks. A file without masks opens with no
 * variants. STATUS_INPUT for a file that is damaged or is no results file. Not for two threads at
 * once. */
status masks_open(struct masks **out, const char *path, struct error *err);
void masks_close(struct masks *m);

/* The variants that have masks (dense and failed ones have none), in the order of /variants. Ids
 * are the masks'. */
size_t masks_variant_count(const struct masks *m);
const char *masks_variant(const struct masks *m, size_t index);
bool masks_has(const struct masks *m, const char *variant);

/* Free with mask_tensors_free. STATUS_INPUT when the variant has no masks. */
status masks_tensors(const struct masks *m, const char *variant, struct mask_tensors *out,
                     struct error *err);
void mask_tensors_free(struct mask_tensors *t);

/* One tensor's bits into out [mask_bytes(t->rows, t->cols)]. STATUS_INPUT when the variant has no
 * such tensor of that shape. */
status masks_read(const struct masks *m, const char *variant, const struct mask_tensor *t,
                  unsigned char *out, struct error *err);

#endif
