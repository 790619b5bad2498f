#include <stdlib.h>

#include "base/mem.h"
#include "model/norm.h"
#include "model/workspace.h"

void entrance_free(struct entrance *e) {
  free(e->norm);
  free(e->norm_bias);
  free(e->positions);
  packed_free(e->project_in);
  *e = (struct entrance){0};
}

status entrance_load(struct workspace *w, struct error *err) {
  struct entrance *e = &w->entrance;
  const struct model_config *c = w->config;
  if (e->loaded) {
    return STATUS_OK;
  }
  entrance_free(e); /* what a failed load left */
  if (c->position == POSITION_LEARNED) {
    size_t rows = (size_t)c->positions + (size_t)c->position_offset;
    TRY(mem_alloc_raw(&e->positions, rows * (size_t)c->hidden, sizeof *e->positions, err));
    TRY(model_read(w->model, SLOT_POSITIONS, 0, 0, 0, e->positions, err));
  }
  TRY(norm_load(&e->norm, &e->norm_bias, w->model, SLOT_EMBED_NORM, c->hidden, err));
  TRY(packed_load(&e->project_in, w->model, SLOT_PROJECT_IN, c->hidden, c->embed_dim, err));
  e->loaded = true;
  return STATUS_OK;
}

static status check_ids(const struct workspace *w, const struct batch *batch, struct error *err) {
  for (int32_t i = 0; i < batch->tokens; i++) {
    if (batch->ids[i] < 0 || batch->ids[i] >= w->config->vocab) {
      return err_set(err, STATUS_INPUT, "token id %d at row %d: the model's vocabulary has %d",
                     batch->ids[i], i, w->config->vocab);
    }
  }
  return STATUS_OK;
}

status forward_embed(const struct model *m, struct workspace *w, const struct batch *batch,
                     float *x, struct error *err) {
  const struct model_config *c = w->config;
  TRY(check_ids(w, batch, err));
  TRY(workspace_fit(w, batch, err));
  TRY(entrance_load(w, err));
  float *rows = x;
  if (w->entrance.project_in) {
    TRY(buffer_fit(&w->projected, (size_t)batch->tokens, (size_t)c->embed_dim, err));
    rows = w->projected.at;
  }
  for (int32_t i = 0; i < batch->tokens; i++) {
    TRY(model_read(m, SLOT_EMBED, 0, batch->ids[i], 1, rows + (size_t)i * c->embed_dim, err));
  }
  if (w->entrance.project_in) {
    size_t numbers = (size_t)batch->tokens * (size_t)c->embed_dim;
    TRY(buffer_fit(&w->ready, (size_t)batch->tokens, (size_t)c->embed_dim, err));
    workspace_narrow(w, rows, numbers, w->ready.at);
    const struct product product = {
        .x = w->ready.at, .m = batch->tokens, .output = PRODUCT_SET, .y = x, .ldy = c->hidden};
    TRY(packed_multiply(w->entrance.project_in, &product, err));
  }
  size_t count = (size_t)batch->tokens * (size_t)c->hidden;
  for (size_t i = 0; c->embed_scale != 1 && i < count; i++) {
    x[i] *= c->embed_scale;
  }
  if (w->entrance.norm) {
    norm_rows(c->norm, c->norm_eps, w->entrance.norm, w->entrance.norm_bias, x, x, batch->tokens,
              c->hidden);
  }
  for (int32_t i = 0; w->entrance.positions && i < batch->tokens; i++) {
    const float *row =
        w->entrance.positions + (size_t)(w->positions[i] + c->position_offset) * c->hidden;
    for (int j = 0; j < c->hidden; j++) {
      x[(size_t)i * c->hidden + j] += row[j];
    }
  }
  return STATUS_OK;
}
