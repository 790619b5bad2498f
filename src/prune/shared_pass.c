#include "prune/shared_pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/mapping.h"
#include "base/mem.h"
#include "linalg/factor.h"
#include "prune/hessian.h"
#include "prune/progress.h"
#include "prune/stats_kept.h"
#include "prune/streams.h"
#include "prune/triangle.h"

struct factor_kept {
  float *at; /* [cols · (cols + 1) / 2], the upper triangle by rows */
  double used;
  bool made;
};

struct shared_pass {
  int blocks, inputs;
  int *samples; /* [count] */
  size_t count;
  unsigned needs;
  double *damps; /* [damp_count] */
  size_t damp_count;
  struct mapping mapping;
  struct stats_kept *kept;     /* [count][blocks][inputs], their numbers in the mapping */
  struct factor_kept *factors; /* [count][blocks][inputs][damp_count], likewise */
};

static size_t factor_bytes(int cols) {
  size_t bytes = triangle_before((size_t)cols) * sizeof(float);
  return (bytes + MEM_ALIGN - 1) / MEM_ALIGN * MEM_ALIGN;
}

/* Inputs of the model's linears, cols [inputs]. */
static void list_inputs(const struct model *m, int *cols) {
  int count;
  const struct linear *linears = model_linears(m, &count);
  for (int i = 0; i < count; i++) {
    cols[linears[i].input] = linears[i].cols;
  }
}

/* Σ of what inputs take that are of so many columns each. */
static size_t sum_inputs(const struct model *m, const struct shared_pass_options *o,
                         size_t (*bytes)(int cols, const struct shared_pass_options *o)) {
  int count, seen = -1;
  const struct linear *linears = model_linears(m, &count);
  size_t sum = 0;
  for (int i = 0; i < count; i++) {
    if (linears[i].input > seen) { /* inputs are numbered in order of execution */
      seen = linears[i].input;
      sum += bytes(linears[i].cols, o);
    }
  }
  return sum;
}

static size_t kept_bytes(int cols, const struct shared_pass_options *o) {
  return stats_kept_bytes(cols, o->needs) + o->damp_count * factor_bytes(cols);
}

size_t shared_pass_bytes(const struct model *m, const struct shared_pass_options *o) {
  return o->count * (size_t)o->blocks * sum_inputs(m, o, kept_bytes);
}

/* Of all sequences so far, and of a snapshot. */
static size_t gathering_bytes(int cols, const struct shared_pass_options *o) {
  size_t n = (size_t)cols;
  return o->needs & STATS_GRAM ? 2 * (n * n * sizeof(float) + triangle_before(n) * sizeof(double))
                               : 0;
}

size_t shared_pass_room(const struct model *m, const struct shared_pass_options *o) {
  return sum_inputs(m, o, gathering_bytes);
}

static size_t place_of(const struct shared_pass *p, size_t snapshot, int block, int input) {
  return (snapshot * (size_t)p->blocks + (size_t)block) * (size_t)p->inputs + (size_t)input;
}

/* Gives every record its place in the mapping. */
static void lay_out(struct shared_pass *p, const int *cols) {
  unsigned char *at = p->mapping.at;
  for (size_t i = 0; i < p->count * (size_t)p->blocks * (size_t)p->inputs; i++) {
    int n = cols[i % (size_t)p->inputs];
    stats_kept_place(&p->kept[i], n, p->needs, at);
    at += stats_kept_bytes(n, p->needs);
    for (size_t d = 0; d < p->damp_count; d++, at += factor_bytes(n)) {
      p->factors[i * p->damp_count + d].at = (void *)at;
    }
  }
}

static status allocate(struct shared_pass *p, const struct model *m,
                       const struct shared_pass_options *o, struct error *err) {
  p->blocks = o->blocks;
  p->inputs = model_inputs(m);
  p->count = o->count;
  p->needs = o->needs;
  p->damp_count = o->damp_count;
  size_t records = p->count * (size_t)p->blocks * (size_t)p->inputs;
  TRY(mem_alloc(&p->samples, p->count, sizeof *p->samples, err));
  TRY(mem_alloc(&p->damps, p->damp_count, sizeof *p->damps, err));
  TRY(mem_alloc(&p->kept, records, sizeof *p->kept, err));
  TRY(mem_alloc(&p->factors, records * p->damp_count, sizeof *p->factors, err));
  memcpy(p->samples, o->samples, p->count * sizeof *p->samples);
  for (size_t d = 0; d < p->damp_count; d++) {
    p->damps[d] = o->damps[d];
  }
  TRY(mapping_open(&p->mapping, shared_pass_bytes(m, o), o->scratch, "shared statistics", err));
  int *cols;
  TRY(mem_alloc(&cols, (size_t)p->inputs, sizeof *cols, err));
  list_inputs(m, cols);
  lay_out(p, cols);
  free(cols);
  return STATUS_OK;
}

/* What lives while the blocks pass. */
struct passing {
  struct shared_pass *to;
  struct streams streams;
  struct workspace *workspace;
  struct block *block;
  const struct group *group;
  size_t *first;     /* [streams.count]: the first sequence of each of this rank's batches */
  struct stats *all; /* [inputs]: of every sequence of this rank's so far */
  struct stats
      *some; /* [inputs]: of a snapshot, where `all` does not do; NULL when it always does */
  struct progress progress;
};

static status create_stats(const struct shared_pass *p, struct stats **out, struct error *err) {
  TRY(mem_alloc(out, (size_t)p->inputs, sizeof **out, err));
  for (int i = 0; i < p->inputs; i++) {
    TRY(stats_create(&(*out)[i], p->kept[i].cols, p->needs, err));
  }
  return STATUS_OK;
}

static void free_stats(const struct shared_pass *p, struct stats *stats) {
  for (int i = 0; stats && i < p->inputs; i++) {
    stats_free(&stats[i]);
  }
  free(stats);
}

static size_t batch_end(const struct passing *r, size_t b) {
  return r->first[b] + (size_t)r->streams.batches[b].count;
}

static status find_sequences(struct passing *r, const struct sequences *s, struct error *err) {
  TRY(mem_alloc(&r->first, r->streams.count, sizeof *r->first, err));
  size_t at = 0;
  for (size_t b = 0; b < r->streams.count; b++) {
    size_t id = (size_t)(r->streams.batches[b].ids - s->ids.at);
    while (s->first[at] < id) {
      at++;
    }
    r->first[b] = at;
  }
  return STATUS_OK;
}

/* Whether a snapshot falls between the sequences of a batch. */
static bool cuts_a_batch(const struct passing *r) {
  for (size_t b = 0; b < r->streams.count; b++) {
    for (size_t i = 0; i < r->to->count; i++) {
      size_t end = (size_t)r->to->samples[i];
      if (end > r->first[b] && end < batch_end(r, b)) {
        return true;
      }
    }
  }
  return false;
}

static status prepare(struct passing *r, const struct model *m, const struct shared_pass_options *o,
                      struct error *err) {
  struct sequences used = *o->calibration;
  used.count = (size_t)o->samples[o->count - 1];
  TRY(streams_open(&r->streams, &used, o->group, model_hidden(m), err));
  TRY(find_sequences(r, &used, err));
  TRY(workspace_create(&r->workspace, m, err));
  TRY(create_stats(r->to, &r->all, err));
  if (o->group->size > 1 || cuts_a_batch(r)) {
    TRY(create_stats(r->to, &r->some, err));
  }
  r->progress.total = (size_t)o->blocks * (r->streams.count + 1);
  return streams_embed(&r->streams, m, r->workspace, err);
}

static void release(struct passing *r) {
  free(r->first);
  streams_close(&r->streams);
  workspace_free(r->workspace);
  block_free(r->block);
  free_stats(r->to, r->all);
  free_stats(r->to, r->some);
}

static void keep(const struct passing *r, size_t snapshot, int block, const struct stats *stats) {
  for (int i = 0; i < r->to->inputs; i++) {
    stats_keep(&r->to->kept[place_of(r->to, snapshot, block, i)], &stats[i]);
  }
}

/* This rank's batches from *batch on that end within the first `samples` sequences, and of one that
 * is cut there its first sequences: those alone go through the block, as they do where the draw
 * ends with them. *cut: some has what all lacks. */
static status pass_until(struct passing *r, size_t samples, size_t *batch, bool *cut,
                         struct error *err) {
  for (; *batch < r->streams.count && batch_end(r, *batch) <= samples; ++*batch) {
    TRY(streams_advance_batch(&r->streams, *batch, r->block, r->workspace, r->all, err));
    TRY(progress_step(&r->progress, err));
  }
  *cut = *batch < r->streams.count && r->first[*batch] < samples;
  for (int i = 0; (*cut || r->group->size > 1) && i < r->to->inputs; i++) {
    stats_copy(&r->some[i], &r->all[i]);
  }
  return *cut ? streams_observe_first(&r->streams, *batch, samples - r->first[*batch], r->block,
                                      r->workspace, r->some, err)
              : STATUS_OK;
}

static status pass_block(struct passing *r, int block, struct error *err) {
  const struct shared_pass *p = r->to;
  size_t batch = 0;
  for (int i = 0; i < p->inputs; i++) {
    stats_clear(&r->all[i]);
  }
  for (size_t snapshot = 0; snapshot < p->count; snapshot++) {
    bool cut = false;
    status st = pass_until(r, (size_t)p->samples[snapshot], &batch, &cut, err);
    TRY(group_agree(r->group, st, err));
    for (int i = 0; r->group->size > 1 && i < p->inputs; i++) {
      TRY(stats_sum(&r->some[i], r->group, err));
    }
    keep(r, snapshot, block, cut || r->group->size > 1 ? r->some : r->all);
  }
  return group_agree(r->group, progress_step(&r->progress, err), err);
}

static status pass(struct shared_pass *p, const struct model *m,
                   const struct shared_pass_options *o, struct error *err) {
  struct passing r = {
      .to = p, .group = o->group, .progress = {.see = o->progress, .user = o->progress_user}};
  status st = group_agree(o->group, prepare(&r, m, o, err), err);
  if (st == STATUS_OK) {
    st = block_create_shared(&r.block, m, o->group, err);
  }
  for (int b = 0; st == STATUS_OK && b < p->blocks; b++) {
    st = group_agree(o->group, block_load(r.block, b, NULL, err), err);
    if (st == STATUS_OK) {
      st = pass_block(&r, b, err);
    }
  }
  release(&r);
  return st;
}

status shared_pass_create(struct shared_pass **out, const struct model *m,
                          const struct shared_pass_options *options, struct error *err) {
  struct shared_pass *p = NULL;
  status st = mem_alloc(&p, 1, sizeof *p, err);
  st = st == STATUS_OK ? allocate(p, m, options, err) : st;
  st = group_agree(options->group, st, err);
  if (st == STATUS_OK) {
    st = pass(p, m, options, err);
  }
  if (st != STATUS_OK) {
    shared_pass_free(p);
    return st;
  }
  *out = p;
  return STATUS_OK;
}

void shared_pass_free(struct shared_pass *p) {
  if (!p) {
    return;
  }
  mapping_close(&p->mapping);
  free(p->samples);
  free(p->damps);
  free(p->kept);
  free(p->factors);
  free(p);
}

int shared_pass_blocks(const struct shared_pass *p) {
  return p->blocks;
}

int shared_pass_find(const struct shared_pass *p, size_t samples, unsigned needs) {
  for (size_t i = 0; i < p->count && !(needs & ~p->needs); i++) {
    if ((size_t)p->samples[i] == samples) {
      return (int)i;
    }
  }
  return -1;
}

void shared_pass_recall(const struct shared_pass *p, int snapshot, int block, int input,
                        unsigned needs, float *gram, struct stats *out) {
  stats_recall(&p->kept[place_of(p, (size_t)snapshot, block, input)], needs, gram, out);
}

static void pack(const float *u, size_t n, float *to) {
  for (size_t i = 0; i < n; i++) {
    memcpy(to + triangle_before_upper(i, n), u + i * n + i, (n - i) * sizeof *to);
  }
}

static void unpack(const float *from, size_t n, float *u) {
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < n; i++) {
    memset(u + i * n, 0, i * sizeof *u);
    memcpy(u + i * n + i, from + triangle_before_upper(i, n), (n - i) * sizeof *u);
  }
}

static struct factor_kept *find_factor(const struct shared_pass *p, size_t place, double damp) {
  for (size_t d = 0; d < p->damp_count; d++) {
    if (p->damps[d] == damp) {
      return &p->factors[place * p->damp_count + d];
    }
  }
  return NULL;
}

status shared_pass_factor(struct shared_pass *p, int snapshot, int block, int input,
                          const struct stats *stats, double damp, float *out, double *used,
                          struct error *err) {
  size_t n = (size_t)stats->cols;
  struct factor_kept *kept = find_factor(p, place_of(p, (size_t)snapshot, block, input), damp);
  if (kept && kept->made) {
    unpack(kept->at, n, out);
    *used = kept->used;
    return STATUS_OK;
  }
  struct group one = group_single();
  hessian_fill(stats, out);
  TRY(factor_inverse_upper(out, stats->cols, damp, FACTOR_LOCAL, &one, used, err));
  if (kept) {
    pack(out, n, kept->at);
    kept->used = *used;
    kept->made = true;
  }
  return STATUS_OK;
}
