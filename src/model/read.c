#include <stdlib.h>

#include "base/mem.h"
#include "model/parts.h"

/* The head of a tied checkpoint is its embedding. */
static enum slot resolve(const struct model *m, enum slot slot) {
  return slot == SLOT_HEAD && m->arch.config.tied ? SLOT_EMBED : slot;
}

bool model_has(const struct model *m, enum slot slot, int block) {
  return model_bound(m, slot, block, 0)->weight != NULL;
}

bool model_has_bias(const struct model *m, enum slot slot, int block) {
  return model_bound(m, slot, block, 0)->bias != NULL;
}

static status absent(const struct model *m, enum slot slot, int block, struct error *err) {
  return err_set(err, STATUS_BUG, "%s: slot %d of block %d has no such tensor", m->folder,
                 (int)slot, block);
}

/* t [cols][rows] as [rows][cols], of which `count` rows from `first` on. */
static status read_transposed(const struct tensor *t, size_t first, size_t count, float *out,
                              struct error *err) {
  enum { STRIP = 16 }; /* tensor rows at a time: a line of `out` */
  size_t inputs = t->shape[0], outputs = t->shape[1];
  float *strip;
  TRY(mem_alloc_raw(&strip, STRIP * outputs, sizeof *strip, err));
  status st = STATUS_OK;
  for (size_t i = 0; i < inputs && st == STATUS_OK; i += STRIP) {
    size_t rows = inputs - i < STRIP ? inputs - i : STRIP;
    st = tensor_read(t, i * outputs, rows * outputs, strip, err);
    for (size_t j = 0; st == STATUS_OK && j < count; j++) {
      for (size_t r = 0; r < rows; r++) {
        out[j * inputs + i + r] = strip[r * outputs + first + j];
      }
    }
  }
  free(strip);
  return st;
}

static status read_whole(const struct model *m, const struct tensor *t, enum slot slot, float *out,
                         struct error *err) {
  TRY(m->arch.transposed[slot] ? read_transposed(t, 0, t->shape[1], out, err)
                               : tensor_read(t, 0, t->elements, out, err));
  tensor_release(t);
  return STATUS_OK;
}

static status read_all(const struct model *m, enum slot slot, int block, float *out,
                       struct error *err) {
  for (int part = 0; part < arch_parts(&m->arch, slot); part++) {
    const struct tensor *t = model_bound(m, slot, block, part)->weight;
    TRY(read_whole(m, t, slot, out, err));
    out += t->elements;
  }
  return STATUS_OK;
}

status model_read(const struct model *m, enum slot slot, int block, int first, int rows, float *out,
                  struct error *err) {
  slot = resolve(m, slot);
  const struct tensor *t = model_bound(m, slot, block, 0)->weight;
  if (!t) {
    return absent(m, slot, block, err);
  }
  if (first == 0 && rows == 0) {
    return read_all(m, slot, block, out, err);
  }
  uint64_t cols = t->rank == 2 ? t->shape[1] : 1, all = t->shape[0];
  uint64_t count = rows ? (uint64_t)rows : all - (uint64_t)first;
  bool whole = arch_parts(&m->arch, slot) == 1 && !m->arch.transposed[slot];
  if (!whole || first < 0 || rows < 0 || (uint64_t)first > all || count > all - (uint64_t)first) {
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
  const struct tensor *t = model_bound(m, slot, block, 0)->bias;
  return t ? tensor_read(t, 0, t->elements, out, err) : absent(m, slot, block, err);
}

status model_linear_read(const struct model *m, int block, int linear, float *out,
                         struct error *err) {
  const struct place *p = &m->places[linear];
  return read_whole(m, model_bound(m, p->slot, block, p->part)->weight, p->slot, out, err);
}

status model_linear_read_rows(const struct model *m, int block, int linear, int first, int rows,
                              float *out, struct error *err) {
  const struct place *p = &m->places[linear];
  const struct linear *l = &m->linears[linear];
  const struct tensor *t = model_bound(m, p->slot, block, p->part)->weight;
  if (first < 0 || rows < 0 || first > l->rows || rows > l->rows - first) {
    return err_set(err, STATUS_BUG, "%s: rows %d + %d of tensor %s", m->folder, first, rows,
                   t->name);
  }
  if (m->arch.transposed[p->slot]) {
    TRY(read_transposed(t, (size_t)first, (size_t)rows, out, err));
  } else {
    TRY(tensor_read(t, (uint64_t)first * (uint64_t)l->cols, (uint64_t)rows * (uint64_t)l->cols, out,
                    err));
  }
  tensor_release(t);
  return STATUS_OK;
}

bool model_linear_has_bias(const struct model *m, int linear) {
  return m->arch.bias[m->places[linear].slot];
}

status model_linear_read_bias(const struct model *m, int block, int linear, float *out,
                              struct error *err) {
  const struct place *p = &m->places[linear];
  const struct tensor *t = model_bound(m, p->slot, block, p->part)->bias;
  return t ? tensor_read(t, 0, t->elements, out, err) : absent(m, p->slot, block, err);
}
