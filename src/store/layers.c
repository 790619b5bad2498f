#include "store/layers.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/results_parts.h"

static status read_rows_of(struct results_layers *out, const struct h5 *h, struct error *err) {
  struct read_rows r;
  TRY(rows_read(&r, h, "/layers", layer_columns, LAYER_COLUMNS, err));
  out->text = r.at;
  TRY(mem_alloc(&out->at, r.count, sizeof *out->at, err));
  out->count = r.count;
  for (size_t i = 0; i < r.count; i++) {
    out->at[i] = (struct results_layer){
        .variant = read_text(&r, i, 0),
        .block = (int)read_integer(&r, i, 1),
        .linear = read_text(&r, i, 2),
        .sparsity = read_real(&r, i, 3),
        .relative_error = read_real(&r, i, 4),
        .damp = read_real(&r, i, 5),
    };
  }
  return STATUS_OK;
}

status layers_read(struct results_layers *out, const char *path, struct error *err) {
  *out = (struct results_layers){0};
  struct h5 h;
  TRY(h5_open(&h, path, err));
  status st = results_bad_input(read_rows_of(out, &h, err), err);
  h5_close(&h);
  if (st != STATUS_OK) {
    layers_free(out);
  }
  return st;
}

void layers_free(struct results_layers *l) {
  free(l->at);
  free(l->text);
  *l = (struct results_layers){0};
}
