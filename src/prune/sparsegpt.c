#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/matmul.h"
#include "prune/methods.h"
#include "prune/select.h"

enum { BLOCKSIZE, DAMP };
enum { BLOCKSIZE_MOST = 4096 };

const struct param_spec sparsegpt_params[] = {
    [BLOCKSIZE] =
        {.name = "blocksize", .kind = PARAM_INT, .low = 1, .high = BLOCKSIZE_MOST, .value = 128},
    [DAMP] = {.name = "damp", .kind = PARAM_DOUBLE, .low = 0, .high = 1e6, .value = 0.01},
    {0},
};

status sparsegpt_check(const struct params *params, const struct sparsity *sparsity,
                       struct error *err) {
  int blocksize = (int)params->value[BLOCKSIZE];
  if (sparsity->m && blocksize % sparsity->m != 0) {
    return err_set(err, STATUS_INPUT,
                   "sparsegpt's blocksize %d is not a multiple of the %d of pattern %d:%d",
                   blocksize, sparsity->m, sparsity->n, sparsity->m);
  }
  return STATUS_OK;
}

/* One block of columns [first, first + width) of a task. */
struct panel {
  const struct prune_task *task;
  int first, width;
  float threshold; /* scores up to it go; unused for patterns */
  float *factor;   /* [width][width]: the factor's diagonal block, close together for the cache */
  float *scores;   /* [rows][width] */
  float *errors;   /* [rows][width]: what was removed, over the factor's diagonal */
};

/* Row i of the factor's diagonal block, from the diagonal on. */
static const float *factor_row(const struct panel *p, int i) {
  return p->factor + (size_t)i * (size_t)p->width + i;
}

static void copy_factor(const struct panel *p) {
  size_t cols = (size_t)p->task->cols, width = (size_t)p->width;
  const float *from = p->task->factor + (size_t)p->first * (cols + 1);
  for (size_t i = 0; i < width; i++) {
    memcpy(p->factor + i * width, from + i * cols, width * sizeof *from);
  }
}

/* w² / u_ii² in float32, in the order of the authors' operations. */
static float score(float w, float diagonal) {
  return w * w / (diagonal * diagonal);
}

static void score_panel(const struct panel *p) {
  const struct prune_task *t = p->task;
#pragma omp parallel for schedule(static)
  for (int r = 0; r < t->rows; r++) {
    const float *w = t->weights + (size_t)r * (size_t)t->cols + p->first;
    float *scores = p->scores + (size_t)r * (size_t)p->width;
    for (int i = 0; i < p->width; i++) {
      scores[i] = score(w[i], *factor_row(p, i));
    }
  }
}

/* Marks which of the m weights from column i of a row go, by what they have become by now: their
 * scores become 0, those of the kept 1. */
static void mark_group(const struct panel *p, const float *w, float *scores, int i) {
  int m = p->task->sparsity.m;
  float marks[BLOCKSIZE_MOST];
  for (int j = 0; j < m; j++) {
    scores[i + j] = score(w[i + j], *factor_row(p, i + j));
    marks[j] = 1;
  }
  select_groups(scores + i, marks, m, p->task->sparsity.n, m);
  for (int j = 0; j < m; j++) {
    scores[i + j] = marks[j];
  }
}

/* Goes through one row's columns from the left: a weight that goes leaves its error to the columns
 * behind it in the block. */
static void prune_row(const struct panel *p, int r) {
  const struct prune_task *t = p->task;
  float *w = t->weights + (size_t)r * (size_t)t->cols + p->first;
  float *scores = p->scores + (size_t)r * (size_t)p->width;
  float *errors = p->errors + (size_t)r * (size_t)p->width;
  int m = t->sparsity.m;
  float threshold = m ? 0.5F : p->threshold;
  for (int i = 0; i < p->width; i++) {
    if (m && i % m == 0) {
      mark_group(p, w, scores, i);
    }
    errors[i] = 0;
    if (scores[i] <= threshold) {
      const float *u = factor_row(p, i);
      float e = w[i] / u[0];
      for (int j = i + 1; j < p->width; j++) {
        w[j] -= e * u[j - i];
      }
      w[i] = 0;
      errors[i] = e;
    }
  }
}

/* W[:, behind] −= E·U[block, behind]. */
static status update_behind(const struct panel *p, struct error *err) {
  const struct prune_task *t = p->task;
  int behind = p->first + p->width;
  if (behind >= t->cols) {
    return STATUS_OK;
  }
  return matmul(false, false, t->rows, t->cols - behind, p->width, -1, p->errors, p->width,
                t->factor + (size_t)p->first * (size_t)t->cols + behind, t->cols, 1,
                t->weights + behind, t->cols, err);
}

static status prune_panel(struct panel *p, struct error *err) {
  const struct prune_task *t = p->task;
  copy_factor(p);
  if (t->sparsity.m == 0) {
    score_panel(p);
    p->threshold =
        select_threshold(p->scores, (size_t)t->rows * (size_t)p->width, t->sparsity.ratio);
  }
#pragma omp parallel for schedule(dynamic, 16)
  for (int r = 0; r < t->rows; r++) {
    prune_row(p, r);
  }
  return update_behind(p, err);
}

/* Inputs that were never anything but zero cost nothing to drop. */
static void drop_dead(const struct prune_task *t) {
  size_t cols = (size_t)t->cols;
  for (size_t j = 0; j < cols; j++) {
    if (t->stats->gram[j * cols + j] == 0) {
      for (size_t r = 0; r < (size_t)t->rows; r++) {
        t->weights[r * cols + j] = 0;
      }
    }
  }
}

status sparsegpt_prune(const struct prune_task *task, struct error *err) {
  TRY(sparsegpt_check(task->params, &task->sparsity, err));
  int blocksize = (int)task->params->value[BLOCKSIZE];
  size_t count = (size_t)task->rows * (size_t)blocksize;
  struct panel p = {.task = task};
  status st;
  TRY_GOTO(st, done,
           mem_alloc_raw(&p.factor, (size_t)blocksize * (size_t)blocksize, sizeof *p.factor, err));
  TRY_GOTO(st, done, mem_alloc_raw(&p.scores, count, sizeof *p.scores, err));
  TRY_GOTO(st, done, mem_alloc_raw(&p.errors, count, sizeof *p.errors, err));
  drop_dead(task);
  for (p.first = 0; p.first < task->cols; p.first += blocksize) {
    p.width = task->cols - p.first < blocksize ? task->cols - p.first : blocksize;
    TRY_GOTO(st, done, prune_panel(&p, err));
  }
done:
  free(p.factor);
  free(p.scores);
  free(p.errors);
  return st;
}
