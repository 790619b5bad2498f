#include <math.h>
#include <stdlib.h>
#include <string.h>

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

struct ria {
  int cols;
  float *by_row; /* [rows]: Σ_j |W_ij|; infinite where that is 0 */
  float *by_col; /* [cols]: Σ_i |W_ij|; the same */
  float *power;  /* [cols]: ‖X_j‖^a */
};

/* A row or column of zeros has no share to give: its weights score 0 and go first. */
static float divisor(double sum) {
  return sum > 0 ? (float)sum : INFINITY;
}

/* Sums are in float64 and in the order of the matrix, whatever the number of threads: one thread
 * has whole rows, several at once as each addition waits for the one before, or some columns. */
enum { ROWS_AT_ONCE = 8, COLUMNS_AT_ONCE = 256 };

static void sum_rows(const struct prune_task *task, float *by_row) {
  size_t cols = (size_t)task->cols;
#pragma omp parallel for schedule(static)
  for (int first = 0; first < task->rows; first += ROWS_AT_ONCE) {
    int count = task->rows - first < ROWS_AT_ONCE ? task->rows - first : ROWS_AT_ONCE;
    const float *row[ROWS_AT_ONCE];
    double sum[ROWS_AT_ONCE] = {0};
    for (int r = 0; r < ROWS_AT_ONCE; r++) { /* the last row again where there are fewer */
      row[r] = task->weights + (size_t)(first + (r < count ? r : count - 1)) * cols;
    }
    for (size_t j = 0; j < cols; j++) {
      for (int r = 0; r < ROWS_AT_ONCE; r++) {
        sum[r] += (double)fabsf(row[r][j]);
      }
    }
    for (int r = 0; r < count; r++) {
      by_row[first + r] = divisor(sum[r]);
    }
  }
}

/* Goes on from sums [cols] of the rows above. */
static void add_columns(const struct prune_task *task, double *sums) {
#pragma omp parallel for schedule(static)
  for (int first = 0; first < task->cols; first += COLUMNS_AT_ONCE) {
    int count = task->cols - first < COLUMNS_AT_ONCE ? task->cols - first : COLUMNS_AT_ONCE;
    double sum[COLUMNS_AT_ONCE];
    memcpy(sum, sums + first, (size_t)count * sizeof *sum);
    for (int r = 0; r < task->rows; r++) {
      const float *w = task->weights + (size_t)r * (size_t)task->cols + first;
      for (int j = 0; j < count; j++) {
        sum[j] += (double)fabsf(w[j]);
      }
    }
    memcpy(sums + first, sum, (size_t)count * sizeof *sum);
  }
}

/* Rank after rank goes on from the sums of the one before it, in the order of the rows. */
static status sum_columns(const struct prune_task *task, float *by_col, struct error *err) {
  size_t cols = (size_t)task->cols;
  double *sums;
  status st = mem_alloc(&sums, cols, sizeof *sums, err);
  st = task->group ? group_agree(task->group, st, err) : st;
  if (st == STATUS_OK && !task->group) {
    add_columns(task, sums);
  }
  for (int rank = 0; st == STATUS_OK && task->group && rank < task->group->size; rank++) {
    if (rank == task->group->rank) {
      add_columns(task, sums);
    }
    st = group_broadcast(task->group, rank, sums, cols * sizeof *sums, err);
  }
  for (size_t j = 0; st == STATUS_OK && j < cols; j++) {
    by_col[j] = divisor(sums[j]);
  }
  free(sums);
  return st;
}

static float activation_power(float norm, float a) {
  /* pow is within rounding of both, but these are exact, as in the authors' library. */
  return a == 0.5F ? sqrtf(norm) : a == 1 ? norm : powf(norm, a);
}

/* (|W_ij| / Σ_i|W_ij| + |W_ij| / Σ_j|W_ij|)·‖X_j‖^a. */
static void score_row(const void *user, int row, const float *weights, float *restrict scores) {
  const struct ria *ria = user;
  const float *by_col = ria->by_col, *power = ria->power;
  float by_row = ria->by_row[row];
  for (int j = 0; j < ria->cols; j++) {
    float w = fabsf(weights[j]);
    scores[j] = (w / by_col[j] + w / by_row) * power[j];
  }
}

status ria_prune(const struct prune_task *task, struct error *err) {
  size_t rows = (size_t)task->rows, cols = (size_t)task->cols;
  struct ria ria = {.cols = task->cols};
  struct scoring scoring = {
      .user = &ria, .row = score_row, .group = task->group, .all_rows = task->all_rows};
  status st = mem_alloc_raw(&ria.by_row, rows + 2 * cols, sizeof *ria.by_row, err);
  TRY(task->group ? group_agree(task->group, st, err) : st);
  ria.by_col = ria.by_row + rows;
  ria.power = ria.by_col + cols;
  sum_rows(task, ria.by_row);
  TRY_GOTO(st, done, sum_columns(task, ria.by_col, err));
  scores_input_norms(task->stats, ria.power);
  for (size_t j = 0; j < cols; j++) {
    ria.power[j] = activation_power(ria.power[j], (float)task->params->value[A]);
  }
  bool by_rows = (int)task->params->value[SCOPE] == SCOPE_ROW;
  st = (by_rows ? select_rows : select_matrix)(&scoring, task->weights, task->rows, task->cols,
                                               &task->sparsity, err);
done:
  free(ria.by_row);
  return st;
}
