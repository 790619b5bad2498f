#include "prune/prune.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "prune/block_prune.h"
#include "prune/progress.h"
#include "prune/streams.h"

static bool changes_nothing(const struct prune_options *o) {
  return o->method->dense || (o->sparsity.m == 0 && o->sparsity.ratio == 0);
}

static status check_calibration(const struct model *m, const struct sequences *s,
                                const char *method, struct error *err) {
  if (!s || s->count == 0) {
    return err_set(err, STATUS_INPUT, "%s needs calibration data, and there is none", method);
  }
  for (size_t i = 0; i < s->count; i++) {
    size_t length = sequences_length(s, i);
    if (length == 0) {
      return err_set(err, STATUS_INPUT, "calibration sequence %zu is empty", i + 1);
    }
    if (length > (size_t)model_positions(m)) {
      return err_set(err, STATUS_INPUT,
                     "calibration sequence %zu has %zu tokens, more than the model's %d positions",
                     i + 1, length, model_positions(m));
    }
  }
  return STATUS_OK;
}

static status check_pattern(const struct model *m, const struct sparsity *s, struct error *err) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  for (int i = 0; s->m && i < count; i++) {
    if (linears[i].cols % s->m != 0) {
      return err_set(err, STATUS_INPUT, "linear %s has %d inputs, not a multiple of %d",
                     linears[i].name, linears[i].cols, s->m);
    }
  }
  return STATUS_OK;
}

status prune_check(const struct model *m, const struct prune_options *options, struct error *err) {
  const struct method *method = options->method;
  if (changes_nothing(options)) {
    return STATUS_OK;
  }
  TRY(check_pattern(m, &options->sparsity, err));
  TRY(method_check(method, &options->params, &options->sparsity, err));
  return method->needs == STATS_NONE
             ? STATUS_OK
             : check_calibration(m, options->calibration, method->name, err);
}

const char *propagate_name(enum propagate p) {
  static const char *const names[PROPAGATE_COUNT] = {"pruned", "dense"};
  return names[p];
}

/* Everything that lives while the blocks pass. */
struct run {
  const struct model *model;
  const struct prune_options *options;
  const struct prune_sink *sink;
  struct progress progress;
  struct block_pruner pruner;
  struct streams streams;
  struct workspace *workspace; /* NULL where no block runs, as is block */
  struct block *block;
  struct prune_layer *layers; /* [linears] of the current block */
};

static bool propagates_pruned(const struct run *r) {
  return r->options->propagate == PROPAGATE_PRUNED;
}

/* Whether a block has to run for its statistics, or for those of a later one. */
static bool runs_blocks(const struct run *r) {
  return r->options->method->needs != STATS_NONE && r->pruner.known < model_blocks(r->model);
}

static status prepare_calibration(struct run *r, struct error *err) {
  const struct prune_options *o = r->options;
  status st = streams_open(&r->streams, o->calibration, o->group, model_hidden(r->model), err);
  st = st == STATUS_OK ? workspace_create(&r->workspace, r->model, err) : st;
  TRY(group_agree(o->group, st, err));
  TRY(block_create_shared(&r->block, r->model, o->group, err));
  return streams_embed(&r->streams, r->model, r->workspace, err);
}

/* Per block: each linear and the block itself; per batch: each block observed, and each but the
 * last advanced, where that is a run of its own. */
static size_t count_steps(const struct run *r) {
  size_t blocks = (size_t)model_blocks(r->model), per_batch = 0;
  if (runs_blocks(r)) {
    per_batch = blocks - (size_t)r->pruner.known + (propagates_pruned(r) ? blocks - 1 : 0);
  }
  return blocks * ((size_t)r->pruner.count + 1) + r->streams.count * per_batch;
}

static status prepare(struct run *r, struct error *err) {
  TRY(group_agree(r->options->group, prune_check(r->model, r->options, err), err));
  TRY(block_pruner_open(&r->pruner, r->model, r->options, &r->progress, err));
  status st = mem_alloc(&r->layers, (size_t)r->pruner.count, sizeof *r->layers, err);
  TRY(group_agree(r->options->group, st, err));
  if (runs_blocks(r)) {
    TRY(prepare_calibration(r, err));
  }
  r->progress.total = count_steps(r);
  return STATUS_OK;
}

static void release(struct run *r) {
  block_pruner_close(&r->pruner);
  streams_close(&r->streams);
  workspace_free(r->workspace);
  block_free(r->block);
  free(r->layers);
}

/* The dense block runs: beside the streams when they have to wait for its pruned weights. */
static status observe(struct run *r, struct error *err) {
  struct stats *stats = r->pruner.stats;
  for (int i = 0; i < r->pruner.inputs; i++) {
    stats_clear(&stats[i]);
  }
  return (propagates_pruned(r) ? streams_observe : streams_advance)(
      &r->streams, r->block, r->workspace, stats, &r->progress, err);
}

/* This rank's part of a block's statistics, unless a shared pass has all of them. */
static status run_block(struct run *r, int block, struct error *err) {
  TRY(block_load(r->block, block, NULL, err));
  return block < r->pruner.known ? STATUS_OK : observe(r, err);
}

static status gather_stats(struct run *r, int block, struct error *err) {
  const struct group *group = r->options->group;
  status st = exchange_end(&r->pruner.exchange, run_block(r, block, err), err);
  TRY(group_agree(group, st, err));
  for (int i = 0; block >= r->pruner.known && i < r->pruner.inputs; i++) {
    TRY(stats_reduce(&r->pruner.stats[i], group, err));
    TRY(block_pruner_check(&r->pruner.stats[i], block, i, err));
  }
  return STATUS_OK;
}

/* Into the sink, and into the block for the pass that the next block's inputs come from. */
static status take(void *user, int block, int linear, const float *weights, struct error *err) {
  struct run *r = user;
  const struct prune_sink *sink = r->sink;
  if (sink->overlay) {
    overlay_put(sink->overlay, block, linear, weights);
  }
  if (r->block && propagates_pruned(r)) {
    block_set_linear(r->block, linear, weights);
  }
  return sink->put ? sink->put(sink->user, block, linear, weights, err) : STATUS_OK;
}

static status advance(struct run *r, int block, struct error *err) {
  if (r->block && propagates_pruned(r) && block + 1 < model_blocks(r->model)) {
    TRY(block_meet(r->block, err));
    TRY(streams_advance(&r->streams, r->block, r->workspace, NULL, &r->progress, err));
  }
  return progress_step(&r->progress, err);
}

static status prune_blocks(struct run *r, struct prune_layer *layers, struct error *err) {
  const struct block_taker to = {.user = r, .take = take};
  for (int b = 0; b < model_blocks(r->model); b++) {
    if (r->block) {
      TRY(gather_stats(r, b, err));
    }
    TRY(block_pruner_run(&r->pruner, b, r->layers, &to, err));
    TRY(group_agree(r->options->group, advance(r, b, err), err));
    for (int l = 0; layers && l < r->pruner.count; l++) {
      layers[(size_t)b * (size_t)r->pruner.count + (size_t)l] = r->layers[l];
    }
  }
  return STATUS_OK;
}

/* The dense model: only the zeros that it came with are counted. */
static status describe(const struct model *m, struct progress *progress, struct prune_layer *layers,
                       struct error *err) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  progress->total = (size_t)model_blocks(m);
  for (int b = 0; b < model_blocks(m); b++) {
    for (int l = 0; layers && l < count; l++) {
      struct prune_layer *layer = &layers[(size_t)b * (size_t)count + (size_t)l];
      *layer = (struct prune_layer){
          .block = b, .linear = l, .relative_error = NAN, .damp = NAN, .seconds = 0};
      size_t n = (size_t)linears[l].rows * (size_t)linears[l].cols, zeros = 0;
      float *w;
      TRY(mem_alloc_raw(&w, n, sizeof *w, err));
      status st = model_linear_read(m, b, l, w, err);
      for (size_t i = 0; st == STATUS_OK && i < n; i++) {
        zeros += w[i] == 0;
      }
      free(w);
      TRY(st);
      layer->sparsity = (double)zeros / (double)n;
    }
    TRY(progress_step(progress, err));
  }
  return STATUS_OK;
}

status prune_model(const struct model *m, const struct prune_options *options,
                   const struct prune_sink *sink, struct prune_layer *layers, struct error *err) {
  struct run r = {.model = m,
                  .options = options,
                  .sink = sink,
                  .progress = {.see = options->progress, .user = options->progress_user}};
  if (changes_nothing(options)) {
    return group_agree(options->group, describe(m, &r.progress, layers, err), err);
  }
  status st = group_agree(options->group, prepare(&r, err), err);
  if (st == STATUS_OK) {
    st = prune_blocks(&r, layers, err);
  }
  if (sink->overlay) {
    st = overlay_meet(sink->overlay, st, err);
  }
  release(&r);
  return st;
}

struct prune_sink prune_into_overlay(struct overlay *o) {
  return (struct prune_sink){.overlay = o};
}
