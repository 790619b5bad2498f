#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "prune/methods.h"
#include "prune/scores.h"
#include "prune/select.h"

/* |W_ij|·‖X_j‖, compared within a row. */
status wanda_prune(const struct prune_task *task, struct error *err) {
  size_t rows = (size_t)task->rows, cols = (size_t)task->cols;
  float *scores;
  TRY(mem_alloc_raw(&scores, (rows + 1) * cols, sizeof *scores, err));
  float *norms = scores + rows * cols;
  scores_input_norms(task->stats, norms);
#pragma omp parallel for schedule(static)
  for (size_t r = 0; r < rows; r++) {
    for (size_t j = 0; j < cols; j++) {
      scores[r * cols + j] = fabsf(task->weights[r * cols + j]) * norms[j];
    }
  }
  select_rows(scores, task->weights, task->rows, task->cols, &task->sparsity);
  free(scores);
  return STATUS_OK;
}
