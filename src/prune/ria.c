#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "prune/methods.h"
#include "prune/scores.h"
#include "prune/select.h"

enum { A, SCOPE };
enum { SCOPE_LAYER, SCOPE_ROW };

static const char *const scopes[] = {"layer", "row", NULL};

const struct param_spec ria_params[] = {
    [A] = {.name = "a", .kind = PARAM_DOUBLE, .low = 0, .high = 4, .value = 0.5},
    /* The authors' repository compares over the layer unless told --per_outneuron. */
    [SCOPE] = {.name = "scope", .kind = PARAM_CHOICE, .value = SCOPE_LAYER, .choices = scopes},
    {0},
};

/* Sums of |W| by row and by column, in float64 and in the order of the matrix. */
static void absolute_sums(const struct prune_task *task, double *by_row, double *by_col) {
  size_t rows = (size_t)task->rows, cols = (size_t)task->cols;
  for (size_t r = 0; r < rows; r++) {
    double sum = 0;
    for (size_t j = 0; j < cols; j++) {
      double w = fabs((double)task->weights[r * cols + j]);
      sum += w;
      by_col[j] += w;
    }
    by_row[r] = sum;
  }
}

static float activation_power(float norm, float a) {
  /* pow is within rounding of both, but these are exact, as in the authors' library. */
  return a == 0.5F ? sqrtf(norm) : a == 1 ? norm : powf(norm, a);
}

/* A row or column of zeros has no share to give: its weights score 0 and go first. */
static float share(float w, double sum) {
  return sum > 0 ? w / (float)sum : 0;
}

/* (|W_ij| / Σ_i|W_ij| + |W_ij| / Σ_j|W_ij|)·‖X_j‖^a. */
status ria_prune(const struct prune_task *task, struct error *err) {
  size_t rows = (size_t)task->rows, cols = (size_t)task->cols;
  float *scores = NULL;
  double *sums = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc_raw(&scores, (rows + 1) * cols, sizeof *scores, err));
  TRY_GOTO(st, done, mem_alloc(&sums, rows + cols, sizeof *sums, err));
  double *by_row = sums, *by_col = sums + rows;
  absolute_sums(task, by_row, by_col);
  float *power = scores + rows * cols;
  scores_input_norms(task->stats, power);
  for (size_t j = 0; j < cols; j++) {
    power[j] = activation_power(power[j], (float)task->params->value[A]);
  }
#pragma omp parallel for schedule(static)
  for (size_t r = 0; r < rows; r++) {
    for (size_t j = 0; j < cols; j++) {
      float w = fabsf(task->weights[r * cols + j]);
      scores[r * cols + j] = (share(w, by_col[j]) + share(w, by_row[r])) * power[j];
    }
  }
  if ((int)task->params->value[SCOPE] == SCOPE_ROW) {
    select_rows(scores, task->weights, task->rows, task->cols, &task->sparsity);
  } else {
    select_matrix(scores, task->weights, task->rows, task->cols, &task->sparsity);
  }
done:
  free(scores);
  free(sums);
  return st;
}
