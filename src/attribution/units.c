#include "attribution/units.h"

status units_of(const struct model *m, struct units *out, struct error *err) {
  int count, down = model_down(m);
  const struct linear *linears = model_linears(m, &count);
  if (down < 0) {
    return err_set(err, STATUS_UNSUPPORTED,
                   "%s: attribution of a mixture of experts is not supported", model_folder(m));
  }
  *out = (struct units){.blocks = model_blocks(m),
                        .width = linears[down].cols,
                        .linear = down,
                        .input = linears[down].input};
  out->count = (size_t)out->blocks * (size_t)out->width;
  return STATUS_OK;
}

status units_match(const struct model *a, const struct model *b, struct error *err) {
  struct units x, y;
  TRY(units_of(a, &x, err));
  TRY(units_of(b, &y, err));
  if (x.blocks != y.blocks || x.width != y.width || model_hidden(a) != model_hidden(b) ||
      model_vocab(a) != model_vocab(b)) {
    return err_set(err, STATUS_INPUT,
                   "%s (%d blocks of %d units) and %s (%d blocks of %d units) are not one model "
                   "before and after pruning",
                   model_folder(a), x.blocks, x.width, model_folder(b), y.blocks, y.width);
  }
  return STATUS_OK;
}
