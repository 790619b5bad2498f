#include "grid/plan.h"

/* Far from any grid's own seeds, so that windows are not a calibration draw's again. */
#define BACKGROUND_SEED 1000003

status plan_background(const struct plan *p, size_t model, struct sequences *out,
                       struct error *err) {
  const struct plan_model *pm = &p->models[model];
  int samples = p->grid->attribution.background;
  int most = model_positions(pm->model);
  const struct draw draw = {
      .seed = p->grid->seed + BACKGROUND_SEED,
      .draws = 1,
      .samples = samples,
      .most = samples,
      .length = most < BACKGROUND_LENGTH ? most : BACKGROUND_LENGTH,
  };
  return calibration_draw(p->background.calibration, pm->tokenizer, pm->model, &draw, out, err);
}
