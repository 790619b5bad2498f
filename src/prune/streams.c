#include "prune/streams.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Tokens in a batch, unless one sequence has more: enough for products to run at full speed, few
 * enough that small calibration sets still make work for several ranks. A fixed number, because
 * where batches end shows in the last bits of Gram matrices. */
enum { BATCH_TOKENS = 1024 };

/* Where the batch that begins with sequence `first` ends; it has at least one. */
static size_t batch_end(const struct sequences *s, size_t first) {
  size_t end = first + 1;
  while (end < s->count && s->first[end + 1] - s->first[first] <= BATCH_TOKENS) {
    end++;
  }
  return end;
}

static void fill_batch(struct batch *b, struct span *spans, const struct sequences *s, size_t first,
                       size_t end) {
  size_t start = s->first[first];
  for (size_t i = first; i < end; i++) {
    spans[i] = (struct span){.first = (int32_t)(s->first[i] - start),
                             .length = (int32_t)sequences_length(s, i)};
  }
  *b = (struct batch){.ids = s->ids.at + start,
                      .tokens = (int32_t)(s->first[end] - start),
                      .spans = spans + first,
                      .count = (int32_t)(end - first)};
}

static void cut(struct streams *c, const struct sequences *s, const struct group *group) {
  size_t number = 0;
  for (size_t first = 0; first < s->count; number++) {
    size_t end = batch_end(s, first);
    if (number % (size_t)group->size == (size_t)group->rank) {
      fill_batch(&c->batches[c->count++], c->spans, s, first, end);
    }
    first = end;
  }
}

status streams_open(struct streams *out, const struct sequences *s, const struct group *group,
                    int hidden, struct error *err) {
  struct streams c = {.hidden = (size_t)hidden};
  status st;
  size_t longest = 0;
  TRY_GOTO(st, fail, mem_alloc(&c.batches, s->count, sizeof *c.batches, err));
  TRY_GOTO(st, fail, mem_alloc(&c.spans, s->count, sizeof *c.spans, err));
  cut(&c, s, group);
  TRY_GOTO(st, fail, mem_alloc(&c.x, c.count, sizeof *c.x, err));
  for (size_t i = 0; i < c.count; i++) {
    size_t tokens = (size_t)c.batches[i].tokens;
    longest = tokens > longest ? tokens : longest;
    TRY_GOTO(st, fail, mem_alloc_raw(&c.x[i], tokens * c.hidden, sizeof **c.x, err));
  }
  TRY_GOTO(st, fail, mem_alloc_raw(&c.copy, longest * c.hidden, sizeof *c.copy, err));
  *out = c;
  return STATUS_OK;
fail:
  streams_close(&c);
  *out = c;
  return st;
}

void streams_close(struct streams *c) {
  for (size_t i = 0; c->x && i < c->count; i++) {
    free(c->x[i]);
  }
  free(c->x);
  free(c->copy);
  free(c->batches);
  free(c->spans);
  *c = (struct streams){0};
}

status streams_embed(struct streams *c, const struct model *m, struct workspace *w,
                     struct error *err) {
  for (size_t i = 0; i < c->count; i++) {
    TRY(forward_embed(m, w, &c->batches[i], c->x[i], err));
  }
  return STATUS_OK;
}

static status see(void *user, int input, float *x, int rows, const struct batch *batch,
                  struct error *err) {
  struct stats *stats = user;
  return stats_add(&stats[input], x, rows, batch->count, err);
}

status streams_advance_batch(struct streams *c, size_t batch, const struct block *b,
                             struct workspace *w, struct stats *stats, struct error *err) {
  const struct tap tap = {.user = stats, .see = see};
  return forward_block(b, w, &c->batches[batch], c->x[batch], stats ? &tap : NULL, err);
}

status streams_advance(struct streams *c, const struct block *b, struct workspace *w,
                       struct stats *stats, struct progress *progress, struct error *err) {
  for (size_t i = 0; i < c->count; i++) {
    TRY(streams_advance_batch(c, i, b, w, stats, err));
    TRY(progress_step(progress, err));
  }
  return STATUS_OK;
}

status streams_observe_first(struct streams *c, size_t batch, size_t count, const struct block *b,
                             struct workspace *w, struct stats *stats, struct error *err) {
  const struct tap tap = {.user = stats, .see = see};
  struct batch first = c->batches[batch];
  first.count = (int32_t)count;
  first.tokens = first.spans[count - 1].first + first.spans[count - 1].length;
  memcpy(c->copy, c->x[batch], (size_t)first.tokens * c->hidden * sizeof *c->copy);
  return forward_block(b, w, &first, c->copy, &tap, err);
}

status streams_observe(struct streams *c, const struct block *b, struct workspace *w,
                       struct stats *stats, struct progress *progress, struct error *err) {
  for (size_t i = 0; i < c->count; i++) {
    TRY(streams_observe_first(c, i, (size_t)c->batches[i].count, b, w, stats, err));
    TRY(progress_step(progress, err));
  }
  return STATUS_OK;
}
