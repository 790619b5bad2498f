#include "model/parts.h"

/* The head of a tied checkpoint is its embedding. */
static enum slot resolve(const struct model *m, enum slot slot) {
  return slot == SLOT_HEAD && m->arch.config.tied ? SLOT_EMBED : slot;
}

bool model_has(const struct model *m, enum slot slot, int block) {
  return model_bound(m, slot, block)->weight != NULL;
}

bool model_has_bias(const struct model *m, enum slot slot, int block) {
  return model_bound(m, slot, block)->bias != NULL;
}

static status absent(const struct model *m, enum slot slot, int block, struct error *err) {
  return err_set(err, STATUS_BUG, "%s: slot %d of block %d has no such tensor", m->folder,
                 (int)slot, block);
}

status model_read(const struct model *m, enum slot slot, int block, int first, int rows, float *out,
                  struct error *err) {
  const struct tensor *t = model_bound(m, resolve(m, slot), block)->weight;
  if (!t) {
    return absent(m, slot, block, err);
  }
  uint64_t cols = t->rank == 2 ? t->shape[1] : 1, all = t->shape[0];
  uint64_t count = rows ? (uint64_t)rows : all - (uint64_t)first;
  if (first < 0 || rows < 0 || (uint64_t)first > all || count > all - (uint64_t)first) {
    return err_set(err, STATUS_BUG, "%s: rows %d + %d of tensor %s", m->folder, first, rows,
                   t->name);
  }
  TRY(tensor_read(t, (uint64_t)first * cols, count * cols, out, err));
  if (count == all) {
    tensor_release(t);
  }
  return STATUS_OK;
}

status model_read_bias(const struct model *m, enum slot slot, int block, float *out,
                       struct error *err) {
  const struct tensor *t = model_bound(m, slot, block)->bias;
  return t ? tensor_read(t, 0, t->elements, out, err) : absent(m, slot, block, err);
}

status model_linear_read(const struct model *m, int block, int linear, float *out,
                         struct error *err) {
  return model_read(m, m->linear_slots[linear], block, 0, 0, out, err);
}
