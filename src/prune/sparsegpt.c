#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/matmul.h"
#include "prune/methods.h"
#include "prune/select.h"
#include "prune/sparsegpt_strip.h"

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

/* Column blocks are taken in batches: after a block only the rest of its batch is updated, after a
 * batch everything behind, by one product of its depth instead of many thin ones. */
enum { BATCH_WIDTH = 512 };

/* One block of columns [first, first + width) of a batch [batch, batch_end). */
struct panel {
  const struct prune_task *task;
  int first, width, batch, batch_end;
  const float *u; /* [batch_end - batch][cols]: the factor's rows of the batch */
  float *fetched; /* room for them where they come from a source */
  float *factor;  /* [width][width]: the factor's diagonal block, close together for the cache */
  float *scores;  /* [rows][width] */
  float *errors;  /* [rows][batch_end - batch]: what was removed, over the factor's diagonal */
  float *room;    /* [threads][strip_room(blocksize)] */
  size_t each;    /* strip_room(blocksize) */
};

static void copy_factor(const struct panel *p) {
  size_t cols = (size_t)p->task->cols, width = (size_t)p->width;
  const float *from = p->u + (size_t)(p->first - p->batch) * cols + (size_t)p->first;
  for (size_t i = 0; i < width; i++) {
    memcpy(p->factor + i * width, from + i * cols, width * sizeof *from);
  }
}

static void score_panel(const struct panel *p) {
  const struct prune_task *t = p->task;
  const float *diagonal = p->room;
  for (int i = 0; i < p->width; i++) {
    p->room[i] = p->factor[(size_t)i * (size_t)(p->width + 1)];
  }
#pragma omp parallel for schedule(static)
  for (int r = 0; r < t->rows; r++) {
    const float *w = t->weights + (size_t)r * (size_t)t->cols + p->first;
    float *restrict scores = p->scores + (size_t)r * (size_t)p->width;
    for (int i = 0; i < p->width; i++) {
      scores[i] = strip_score(w[i], diagonal[i]);
    }
  }
}

static void prune_rows(const struct panel *p, float threshold) {
  const struct prune_task *t = p->task;
  const struct strip_block block = {.width = p->width,
                                    .factor = p->factor,
                                    .n = t->sparsity.n,
                                    .m = t->sparsity.m,
                                    .threshold = threshold};
  size_t cols = (size_t)t->cols, lde = (size_t)(p->batch_end - p->batch);
#pragma omp parallel for schedule(static)
  for (int r = 0; r < t->rows; r += STRIP_ROWS) {
    strip_prune(&block, t->rows - r < STRIP_ROWS ? t->rows - r : STRIP_ROWS,
                t->weights + (size_t)r * cols + p->first, cols,
                p->errors + (size_t)r * lde + (p->first - p->batch), lde,
                p->room + (size_t)omp_get_thread_num() * p->each);
  }
}

/* W[:, to up to end] −= E·U[from up to `to`, to up to end], of columns in one batch or behind it.
 */
static status update(const struct panel *p, int from, int to, int end, struct error *err) {
  const struct prune_task *t = p->task;
  if (to >= end || t->rows == 0) {
    return STATUS_OK;
  }
  return matmul(false, false, t->rows, end - to, to - from, -1, p->errors + (from - p->batch),
                p->batch_end - p->batch, p->u + (size_t)(from - p->batch) * (size_t)t->cols + to,
                t->cols, 1, t->weights + to, t->cols, err);
}

/* No rank goes on to what the others wait for when one has failed. */
static status agree(const struct panel *p, status st, struct error *err) {
  return p->task->group ? group_agree(p->task->group, st, err) : st;
}

static status prune_panel(struct panel *p, struct error *err) {
  const struct prune_task *t = p->task;
  size_t width = (size_t)p->width;
  size_t all = (size_t)(t->group ? t->all_rows : t->rows) * width;
  float threshold = -1;
  copy_factor(p);
  if (t->sparsity.m == 0) {
    score_panel(p);
    TRY(select_threshold_among(t->group, p->scores, (size_t)t->rows * width, all, t->sparsity.ratio,
                               &threshold, err));
  }
  prune_rows(p, threshold);
  return agree(p, update(p, p->first, p->first + p->width, p->batch_end, err), err);
}

/* The factor's rows of the batch. */
static status fetch(struct panel *p, struct error *err) {
  const struct prune_task *t = p->task;
  if (t->factor) {
    p->u = t->factor + (size_t)p->batch * (size_t)t->cols;
    return STATUS_OK;
  }
  p->u = p->fetched;
  return t->source->rows(t->source->user, p->batch, p->batch_end - p->batch, p->fetched, err);
}

static int least(int a, int b) {
  return a < b ? a : b;
}

static status prune_batches(struct panel *p, int blocksize, int batch_width, struct error *err) {
  int cols = p->task->cols;
  for (p->batch = 0; p->batch < cols; p->batch = p->batch_end) {
    p->batch_end = least(cols, p->batch + batch_width);
    TRY(fetch(p, err));
    for (p->first = p->batch; p->first < p->batch_end; p->first += blocksize) {
      p->width = least(blocksize, p->batch_end - p->first);
      TRY(prune_panel(p, err));
    }
    TRY(agree(p, update(p, p->batch, p->batch_end, cols, err), err));
  }
  return STATUS_OK;
}

/* Inputs that were never anything but zero cost nothing to drop. */
static void drop_dead(const struct prune_task *t) {
  size_t cols = (size_t)t->cols;
  for (size_t j = 0; j < cols; j++) {
    if (stats_diagonal(t->stats, j) == 0) {
      for (size_t r = 0; r < (size_t)t->rows; r++) {
        t->weights[r * cols + j] = 0;
      }
    }
  }
}

static status allocate(struct panel *p, int blocksize, int batch_width, struct error *err) {
  size_t rows = (size_t)p->task->rows, width = (size_t)blocksize, batch = (size_t)batch_width;
  TRY(mem_alloc_raw(&p->factor, width * width, sizeof *p->factor, err));
  TRY(mem_alloc_raw(&p->scores, rows * width, sizeof *p->scores, err));
  TRY(mem_alloc_raw(&p->errors, rows * batch, sizeof *p->errors, err));
  TRY(mem_alloc_raw(&p->room, (size_t)omp_get_max_threads() * p->each, sizeof *p->room, err));
  return p->task->factor
             ? STATUS_OK
             : mem_alloc_raw(&p->fetched, batch * (size_t)p->task->cols, sizeof *p->fetched, err);
}

status sparsegpt_prune(const struct prune_task *task, struct error *err) {
  TRY(sparsegpt_check(task->params, &task->sparsity, err));
  int blocksize = least((int)task->params->value[BLOCKSIZE], task->cols);
  int batch_width =
      least(blocksize * (blocksize < BATCH_WIDTH ? BATCH_WIDTH / blocksize : 1), task->cols);
  struct panel p = {.task = task, .each = strip_room(blocksize)};
  status st = agree(&p, allocate(&p, blocksize, batch_width, err), err);
  if (st == STATUS_OK) {
    drop_dead(task);
    st = prune_batches(&p, blocksize, batch_width, err);
  }
  free(p.fetched);
  free(p.factor);
  free(p.scores);
  free(p.errors);
  free(p.room);
  return st;
}
