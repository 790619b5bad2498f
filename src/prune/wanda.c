#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "prune/methods.h"
#include "prune/scores.h"
#include "prune/select.h"

struct wanda {
  int cols;
  float *norms; /* [cols] */
};

/* |W_ij|·‖X_j‖, compared within a row. */
static void score_row(const void *user, int row, const float *weights, float *restrict scores) {
  const struct wanda *wanda = user;
  const float *norms = wanda->norms;
  (void)row;
  for (int j = 0; j < wanda->cols; j++) {
    scores[j] = fabsf(weights[j]) * norms[j];
  }
}

status wanda_prune(const struct prune_task *task, struct error *err) {
  struct wanda wanda = {.cols = task->cols};
  struct scoring scoring = {.user = &wanda, .row = score_row};
  TRY(mem_alloc_raw(&wanda.norms, (size_t)task->cols, sizeof *wanda.norms, err));
  scores_input_norms(task->stats, wanda.norms);
  status st = select_rows(&scoring, task->weights, task->rows, task->cols, &task->sparsity, err);
  free(wanda.norms);
  return st;
}
