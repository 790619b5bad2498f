#include "model/runner.h"

#include <stdlib.h>

#include "base/mem.h"

struct runner {
  const struct model *model;
  const struct overlay *overlay;
  struct workspace *workspace;
  struct block **resident; /* [resident_count]: blocks 0 .. */
  int resident_count;
  struct window window;   /* that resident blocks lie in; closed when they are this process's own */
  struct block *streamed; /* the others' turn by turn; NULL when every block is resident */
  float *stream;          /* residual streams of the works at hand */
  size_t stream_cap;      /* floats */
  status (*see)(void *user, struct error *err);
  void *see_user;
  struct probe probe; /* see NULL: none */
};

/* Bytes of a block's linears in float32, all but a few thousandths of it. */
static size_t block_bytes(const struct model *m) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  size_t bytes = 0;
  for (int i = 0; i < count; i++) {
    bytes += (size_t)linears[i].rows * (size_t)linears[i].cols * sizeof(float);
  }
  return bytes;
}

/* Blocks that fit. */
static int count_resident(const struct model *m, size_t budget) {
  int blocks = model_blocks(m);
  size_t bytes = block_bytes(m), fitting = bytes > 0 ? budget / bytes : 0;
  return fitting < (size_t)blocks ? (int)fitting : blocks;
}

static status create_blocks(struct runner *r, int resident, struct error *err) {
  const struct window *window = r->window.at ? &r->window : NULL;
  TRY(mem_alloc(&r->resident, (size_t)resident, sizeof(struct block *), err));
  for (int i = 0; i < resident; i++) {
    size_t at = (size_t)i * block_window_bytes(r->model);
    TRY(block_create_within(&r->resident[i], r->model, window, at, err));
    r->resident_count = i + 1;
  }
  return resident < model_blocks(r->model) ? block_create(&r->streamed, r->model, err) : STATUS_OK;
}

static status load_blocks(struct runner *r, struct error *err) {
  for (int i = 0; i < r->resident_count; i++) {
    TRY(block_load(r->resident[i], i, r->overlay, err));
  }
  return STATUS_OK;
}

static status create(struct runner **out, const struct model *m, const struct overlay *overlay,
                     struct error *err) {
  struct runner *r;
  TRY(mem_alloc(&r, 1, sizeof *r, err));
  r->model = m;
  r->overlay = overlay;
  *out = r;
  return workspace_create(&r->workspace, m, err);
}

status runner_open(struct runner **out, const struct model *m, const struct overlay *overlay,
                   size_t budget, struct error *err) {
  struct group alone = group_single();
  return runner_open_shared(out, m, overlay, budget, &alone, err);
}

static size_t times(size_t budget, int count) {
  return budget > SIZE_MAX / (size_t)count ? SIZE_MAX : budget * (size_t)count;
}

/* Blocks that fit into the budgets of those that share memory: as many on every machine. */
static status agree_on_resident(const struct runner *r, const struct group *group, size_t budget,
                                int sharers, int *resident, struct error *err) {
  int64_t fitting = count_resident(r->model, times(budget, sharers));
  TRY(group_least_int64(group, &fitting, err));
  *resident = fitting < *resident ? (int)fitting : *resident;
  return STATUS_OK;
}

static status open_window(struct runner *r, const struct group *group, size_t budget, int *resident,
                          struct error *err) {
  int sharers;
  TRY(window_sharers(group, &sharers, err));
  TRY(agree_on_resident(r, group, budget, sharers, resident, err));
  if (group->size > 1 && *resident > 0) {
    size_t bytes = (size_t)*resident * block_window_bytes(r->model);
    TRY(window_open(&r->window, group, bytes, "the blocks' weights", err));
    TRY(agree_on_resident(r, group, budget, r->window.size, resident, err));
  }
  return STATUS_OK;
}

status runner_open_shared(struct runner **out, const struct model *m, const struct overlay *overlay,
                          size_t budget, const struct group *group, struct error *err) {
  struct runner *r = NULL;
  int resident = model_blocks(m);
  status st = group_agree(group, create(&r, m, overlay, err), err);
  if (st != STATUS_OK || !r) {
    runner_close(r);
    return st;
  }
  st = open_window(r, group, budget, &resident, err);
  if (st == STATUS_OK) {
    st = group_agree(group, create_blocks(r, resident, err), err);
  }
  if (st == STATUS_OK) {
    st = load_blocks(r, err);
  }
  if (st != STATUS_OK) {
    runner_close(r);
    return st;
  }
  *out = r;
  return STATUS_OK;
}

void runner_close(struct runner *r) {
  if (!r) {
    return;
  }
  for (int i = 0; i < r->resident_count; i++) {
    block_free(r->resident[i]);
  }
  window_close(&r->window);
  free(r->resident);
  block_free(r->streamed);
  workspace_free(r->workspace);
  free(r->stream);
  free(r);
}

/* Block `index`, resident or loaded now. */
static status take_block(struct runner *r, int index, const struct block **out, struct error *err) {
  if (index < r->resident_count) {
    *out = r->resident[index];
    return STATUS_OK;
  }
  TRY(block_load(r->streamed, index, r->overlay, err));
  *out = r->streamed;
  return STATUS_OK;
}

void runner_watch(struct runner *r, status (*see)(void *user, struct error *err), void *user) {
  r->see = see;
  r->see_user = user;
}

void runner_probe(struct runner *r, const struct probe *probe) {
  r->probe = probe ? *probe : (struct probe){0};
}

/* A probe where it stands. */
struct place_of_probe {
  const struct probe *probe;
  const struct work *work;
  int block;
};

static status show(void *user, int input, float *x, int rows, const struct batch *batch,
                   struct error *err) {
  const struct place_of_probe *at = user;
  (void)batch; /* the work's */
  return at->probe->see(at->probe->user, at->block, input, x, rows, at->work, err);
}

static status run_block(struct runner *r, int index, const struct block *block,
                        const struct work *work, float *x, struct error *err) {
  struct place_of_probe at = {&r->probe, work, index};
  const struct tap tap = {&at, show};
  TRY(forward_block(block, r->workspace, &work->batch, x, r->probe.see ? &tap : NULL, err));
  return r->see ? r->see(r->see_user, err) : STATUS_OK;
}

static size_t stream_size(const struct runner *r, const struct work *work) {
  return (size_t)work->batch.tokens * (size_t)model_hidden(r->model);
}

/* Works side by side through every block. */
static status answer_together(struct runner *r, const struct work *works, size_t count,
                              struct error *err) {
  size_t total = 0, at = 0;
  for (size_t i = 0; i < count; i++) {
    total += stream_size(r, works + i);
  }
  if (total > r->stream_cap) {
    free(r->stream);
    r->stream = NULL;
    r->stream_cap = 0;
    TRY(mem_alloc_raw(&r->stream, total, sizeof *r->stream, err));
    r->stream_cap = total;
  }
  for (size_t i = 0; i < count; at += stream_size(r, works + i), i++) {
    TRY(forward_embed(r->model, r->workspace, &works[i].batch, r->stream + at, err));
  }
  for (int b = 0; b < model_blocks(r->model); b++) {
    const struct block *block;
    TRY(take_block(r, b, &block, err));
    at = 0;
    for (size_t i = 0; i < count; at += stream_size(r, works + i), i++) {
      TRY(run_block(r, b, block, works + i, r->stream + at, err));
    }
  }
  at = 0;
  for (size_t i = 0; i < count; at += stream_size(r, works + i), i++) {
    TRY(forward_head(r->model, r->workspace, r->stream + at, works[i].queries, works[i].count,
                     works[i].answers, err));
  }
  return STATUS_OK;
}

static status check_rows(const struct work *work, struct error *err) {
  for (size_t i = 0; i < work->count; i++) {
    if (work->queries[i].row < 0 || work->queries[i].row >= work->batch.tokens) {
      return err_set(err, STATUS_BUG, "a query of row %d in a batch of %d", work->queries[i].row,
                     work->batch.tokens);
    }
  }
  return STATUS_OK;
}

status runner_answer(struct runner *r, const struct work *works, size_t count, struct error *err) {
  for (size_t i = 0; i < count; i++) {
    TRY(check_rows(works + i, err));
  }
  if (r->streamed) {
    return answer_together(r, works, count, err);
  }
  for (size_t i = 0; i < count; i++) {
    TRY(answer_together(r, works + i, 1, err));
  }
  return STATUS_OK;
}
