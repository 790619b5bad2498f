#include "calib/dense.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/forward.h"

/* A pass under way, over a group of sequences that are in memory together. */
struct passing {
  const struct model *model;
  const struct sequences *sequences;
  struct workspace *workspace;
  struct block *block;
  struct span *spans; /* [sequences] */
  float *x;           /* [tokens of the group][hidden] */
  size_t cap;         /* tokens */
  /* Called for each sequence with x [length][hidden] behind the last block. */
  status (*see)(struct passing *p, size_t sequence, const float *x, struct error *err);
  void *out;
};

/* Sequences first .. end - 1 as a batch. */
static struct batch batch_of(const struct passing *p, size_t first, size_t end) {
  const struct sequences *s = p->sequences;
  for (size_t i = first; i < end; i++) {
    p->spans[i - first] = (struct span){.first = (int32_t)(s->first[i] - s->first[first]),
                                        .length = (int32_t)sequences_length(s, i)};
  }
  return (struct batch){.ids = sequences_at(s, first),
                        .tokens = (int32_t)(s->first[end] - s->first[first]),
                        .spans = p->spans,
                        .count = (int32_t)(end - first)};
}

/* The end of a run of sequences from `first` that holds at most `tokens`, or of one sequence. */
static size_t run_end(const struct sequences *s, size_t first, size_t end, size_t tokens) {
  size_t i = first + 1;
  while (i < end && s->first[i + 1] - s->first[first] <= tokens) {
    i++;
  }
  return i;
}

/* Block `index`, or the embedding where it is -1, of sequences first .. end - 1. */
static status step(struct passing *p, int index, size_t first, size_t end, struct error *err) {
  const struct sequences *s = p->sequences;
  size_t hidden = (size_t)model_hidden(p->model);
  for (size_t i = first, next; i < end; i = next) {
    next = run_end(s, i, end, DENSE_BATCH);
    struct batch batch = batch_of(p, i, next);
    float *x = p->x + (s->first[i] - s->first[first]) * hidden;
    TRY(index < 0 ? forward_embed(p->model, p->workspace, &batch, x, err)
                  : forward_block(p->block, p->workspace, &batch, x, NULL, err));
  }
  return STATUS_OK;
}

static status group(struct passing *p, size_t first, size_t end, struct error *err) {
  const struct sequences *s = p->sequences;
  size_t hidden = (size_t)model_hidden(p->model), tokens = s->first[end] - s->first[first];
  if (tokens > p->cap) {
    free(p->x);
    p->x = NULL;
    p->cap = 0;
    TRY(mem_alloc_raw(&p->x, tokens * hidden, sizeof *p->x, err));
    p->cap = tokens;
  }
  TRY(step(p, -1, first, end, err));
  for (int b = 0; b < model_blocks(p->model); b++) {
    TRY(block_load(p->block, b, NULL, err));
    TRY(step(p, b, first, end, err));
  }
  for (size_t i = first; i < end; i++) {
    TRY(p->see(p, i, p->x + (s->first[i] - s->first[first]) * hidden, err));
  }
  return STATUS_OK;
}

static status run(struct passing *p, struct error *err) {
  const struct sequences *s = p->sequences;
  size_t tokens = DENSE_BYTES / ((size_t)model_hidden(p->model) * sizeof(float));
  status st;
  TRY_GOTO(st, done, workspace_create(&p->workspace, p->model, err));
  TRY_GOTO(st, done, block_create(&p->block, p->model, err));
  TRY_GOTO(st, done, mem_alloc(&p->spans, s->count, sizeof *p->spans, err));
  for (size_t i = 0, next; i < s->count; i = next) {
    next = run_end(s, i, s->count, tokens);
    TRY_GOTO(st, done, group(p, i, next, err));
  }
done:
  free(p->x);
  free(p->spans);
  block_free(p->block);
  workspace_free(p->workspace);
  return st;
}

static status see_nll(struct passing *p, size_t sequence, const float *x, struct error *err) {
  const int32_t *ids = sequences_at(p->sequences, sequence);
  size_t length = sequences_length(p->sequences, sequence), count = length - 1;
  double *sum = (double *)p->out + sequence;
  struct query *queries = NULL;
  struct answer *answers = NULL;
  status st;
  *sum = 0;
  TRY_GOTO(st, done, mem_alloc(&queries, count, sizeof *queries, err));
  TRY_GOTO(st, done, mem_alloc(&answers, count, sizeof *answers, err));
  for (size_t i = 0; i < count; i++) {
    queries[i] = (struct query){.row = (int32_t)i, .target = ids[i + 1]};
  }
  TRY_GOTO(st, done, forward_head(p->model, p->workspace, x, queries, count, answers, err));
  for (size_t i = 0; i < count; i++) {
    *sum -= answers[i].logprob;
  }
done:
  free(queries);
  free(answers);
  return st;
}

static status see_mean(struct passing *p, size_t sequence, const float *x, struct error *err) {
  (void)err;
  size_t length = sequences_length(p->sequences, sequence);
  size_t hidden = (size_t)model_hidden(p->model);
  float *mean = (float *)p->out + sequence * hidden;
  for (size_t d = 0; d < hidden; d++) {
    double sum = 0;
    for (size_t i = 0; i < length; i++) {
      sum += x[i * hidden + d];
    }
    mean[d] = (float)(sum / (double)length);
  }
  return STATUS_OK;
}

status dense_nll(const struct model *m, const struct sequences *s, double *nll, struct error *err) {
  struct passing p = {.model = m, .sequences = s, .see = see_nll, .out = nll};
  return run(&p, err);
}

status dense_means(const struct model *m, const struct sequences *s, float *means,
                   struct error *err) {
  struct passing p = {.model = m, .sequences = s, .see = see_mean, .out = means};
  return run(&p, err);
}
