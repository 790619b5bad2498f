#include "base/mem.h"
#include "model/parts.h"

static status add(struct model *m, enum slot slot, int part, int input, struct error *err) {
  if (!m->arch.weight[slot]) {
    return STATUS_OK;
  }
  char *name;
  TRY(model_part_name(m, slot, part, &name, err));
  m->places[m->linear_count] = (struct place){slot, part};
  m->linears[m->linear_count++] = (struct linear){
      .name = name,
      .rows = (int)model_rows(&m->arch.config, slot),
      .cols = (int)model_cols(&m->arch.config, slot),
      .input = input,
  };
  m->inputs = input + 1 > m->inputs ? input + 1 : m->inputs;
  return STATUS_OK;
}

/* q, k and v read the block's input, o their heads; then each MLP reads its input and its inner
 * numbers. In a parallel block with one norm the MLP reads what q, k and v read. */
status model_list_linears(struct model *m, struct error *err) {
  static const enum slot attention[] = {SLOT_QKV, SLOT_Q, SLOT_K, SLOT_V};
  static const enum slot entering[] = {SLOT_GATE_UP, SLOT_GATE, SLOT_UP};
  enum { ATTENTION = sizeof attention / sizeof *attention + 1, MLP = 4 };
  int mlps = arch_parts(&m->arch, SLOT_DOWN);
  size_t most = ATTENTION + MLP * (size_t)mlps;
  TRY(mem_alloc(&m->linears, most, sizeof *m->linears, err));
  TRY(mem_alloc(&m->places, most, sizeof *m->places, err));
  for (int i = 0; i < ATTENTION - 1; i++) {
    TRY(add(m, attention[i], 0, 0, err));
  }
  TRY(add(m, SLOT_O, 0, 1, err));
  bool shared = m->arch.config.block == BLOCK_PARALLEL && !m->arch.weight[SLOT_MLP_NORM];
  for (int part = 0; part < mlps; part++) {
    int input = shared ? 0 : m->inputs;
    for (int i = 0; i < MLP - 1; i++) {
      TRY(add(m, entering[i], part, input, err));
    }
    TRY(add(m, SLOT_DOWN, part, m->inputs, err));
  }
  return STATUS_OK;
}

int model_down(const struct model *m) {
  int found = -1;
  for (int i = 0; i < m->linear_count; i++) {
    if (m->places[i].slot == SLOT_DOWN) {
      if (found >= 0) {
        return -1;
      }
      found = i;
    }
  }
  return found;
}
