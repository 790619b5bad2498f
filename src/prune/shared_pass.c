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

size_t shared_pass_bytes(const struct model *m, const struct shared_pass_options *o) {
  int count, seen = -1;
  const struct linear *linears = model_linears(m, &count);
  size_t block = 0;
  for (int i = 0; i < count; i++) {
    if (linears[i].input > seen) { /* inputs are numbered in order of execution */
      seen = linears[i].input;
      block += stats_kept_bytes(linears[i].cols, o->needs) +
               o->damp_count * factor_bytes(linears[i].cols);
    }
  }
  return o->count * (size_t)o->blocks * block;
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
  struct stats *all;  /* [inputs]: of every sequence so far */
  struct stats *some; /* [inputs]: up to a snapshot inside a batch; NULL when there is none */
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

/* Whether a snapshot falls between the sequences of a batch. */
static bool cuts_a_batch(const struct passing *r) {
  size_t first = 0, snapshot = 0;
  for (size_t i = 0; i < r->streams.count; i++) {
    size_t end = first + (size_t)r->streams.batches[i].count;
    for (; snapshot < r->to->count && (size_t)r->to->samples[snapshot] <= end; snapshot++) {
      if ((size_t)r->to->samples[snapshot] < end) {
        return true;
      }
    }
    first = end;
  }
  return false;
}

static status prepare(struct passing *r, const struct model *m, const struct shared_pass_options *o,
                      struct error *err) {
  struct group one = group_single();
  struct sequences used = *o->calibration;
  used.count = (size_t)o->samples[o->count - 1];
  TRY(streams_open(&r->streams, &used, &one, model_hidden(m), err));
  TRY(workspace_create(&r->workspace, m, err));
  TRY(block_create(&r->block, m, err));
  TRY(create_stats(r->to, &r->all, err));
  if (cuts_a_batch(r)) {
    TRY(create_stats(r->to, &r->some, err));
  }
  r->progress.total = (size_t)o->blocks * (r->streams.count + 1);
  return streams_embed(&r->streams, m, r->workspace, err);
}

static void release(struct passing *r) {
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

/* A snapshot after the first `count` sequences of a batch that has more: those alone go through the
 * block, as they do where the draw ends with them. */
static status keep_inside(struct passing *r, size_t snapshot, int block, size_t batch, size_t count,
                          struct error *err) {
  for (int i = 0; i < r->to->inputs; i++) {
    stats_copy(&r->some[i], &r->all[i]);
  }
  TRY(streams_observe_first(&r->streams, batch, count, r->block, r->workspace, r->some, err));
  keep(r, snapshot, block, r->some);
  return STATUS_OK;
}

static status pass_block(struct passing *r, int block, struct error *err) {
  const struct shared_pass *p = r->to;
  size_t snapshot = 0, first = 0;
  for (int i = 0; i < p->inputs; i++) {
    stats_clear(&r->all[i]);
  }
  for (size_t b = 0; b < r->streams.count; b++) {
    size_t end = first + (size_t)r->streams.batches[b].count;
    for (; snapshot < p->count && (size_t)p->samples[snapshot] < end; snapshot++) {
      size_t count = (size_t)p->samples[snapshot] - first;
      TRY(keep_inside(r, snapshot, block, b, count, err));
    }
    TRY(streams_advance_batch(&r->streams, b, r->block, r->workspace, r->all, err));
    if (snapshot < p->count && (size_t)p->samples[snapshot] == end) {
      keep(r, snapshot++, block, r->all);
    }
    TRY(progress_step(&r->progress, err));
    first = end;
  }
  return progress_step(&r->progress, err);
}

static status pass(struct shared_pass *p, const struct model *m,
                   const struct shared_pass_options *o, struct error *err) {
  struct passing r = {.to = p, .progress = {.see = o->progress, .user = o->progress_user}};
  status st = prepare(&r, m, o, err);
  for (int b = 0; st == STATUS_OK && b < p->blocks; b++) {
    st = block_load(r.block, b, NULL, err);
    if (st == STATUS_OK) {
      st = pass_block(&r, b, err);
    }
  }
  release(&r);
  return st;
}

status shared_pass_create(struct shared_pass **out, const struct model *m,
                          const struct shared_pass_options *options, struct error *err) {
  struct shared_pass *p;
  TRY(mem_alloc(&p, 1, sizeof *p, err));
  status st = allocate(p, m, options, err);
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
