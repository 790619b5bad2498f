#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "prune/methods.h"
#include "prune/select.h"

status magnitude_prune(const struct prune_task *task, struct error *err) {
  size_t n = (size_t)task->rows * (size_t)task->cols;
  float *scores;
  TRY(mem_alloc_raw(&scores, n, sizeof *scores, err));
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n; i++) {
    scores[i] = fabsf(task->weights[i]);
  }
  select_matrix(scores, task->weights, task->rows, task->cols, &task->sparsity);
  free(scores);
  return STATUS_OK;
}
