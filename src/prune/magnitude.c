#include <math.h>

#include "prune/methods.h"
#include "prune/select.h"

static void score_row(const void *user, int row, const float *weights, float *restrict scores) {
  const struct prune_task *task = user;
  (void)row;
  for (int j = 0; j < task->cols; j++) {
    scores[j] = fabsf(weights[j]);
  }
}

status magnitude_prune(const struct prune_task *task, struct error *err) {
  struct scoring scoring = {
      .user = task, .row = score_row, .group = task->group, .all_rows = task->all_rows};
  return select_matrix(&scoring, task->weights, task->rows, task->cols, &task->sparsity, err);
}
