#include "attribution/lens.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/forward.h"

struct lens {
  const struct model *m;
  const struct tokenizer *t;
  struct workspace *workspace;
  float *weights;         /* [hidden][width] of the block at hand */
  float *column;          /* [hidden] */
  float *empty, *logits;  /* [vocab] */
  int width, rows, block; /* block -1: none is read */
};

static void lens_close(struct lens *l) {
  workspace_free(l->workspace);
  free(l->weights);
  free(l->column);
  free(l->empty);
  free(l->logits);
}

static status lens_open(struct lens *l, struct error *err) {
  struct units u;
  TRY(units_of(l->m, &u, err));
  int count;
  const struct linear *down = &model_linears(l->m, &count)[u.linear];
  size_t vocab = (size_t)model_vocab(l->m);
  l->width = down->cols;
  l->rows = down->rows;
  l->block = -1;
  TRY(workspace_create(&l->workspace, l->m, err));
  TRY(mem_alloc(&l->weights, (size_t)l->rows * (size_t)l->width, sizeof *l->weights, err));
  TRY(mem_alloc(&l->column, (size_t)l->rows, sizeof *l->column, err));
  TRY(mem_alloc(&l->empty, vocab, sizeof *l->empty, err));
  TRY(mem_alloc(&l->logits, vocab, sizeof *l->logits, err));
  return forward_logits(l->m, l->workspace, l->column, l->empty, err);
}

/* The token without what stands for a space, or NULL when nothing readable is left. */
static const char *readable(const struct tokenizer *t, int32_t id) {
  static const char *const spaces[] = {"\xc4\xa0" /* Ġ */, "\xe2\x96\x81" /* ▁ */};
  const char *text = tokenizer_token(t, id);
  for (size_t i = 0; text && i < 2; i++) {
    size_t n = strlen(spaces[i]);
    text += strncmp(text, spaces[i], n) == 0 ? n : 0;
  }
  bool letters = false;
  for (const char *p = text; p && *p; p++) {
    letters = letters || isalpha((unsigned char)*p) || (unsigned char)*p >= 0xC3;
    if (*p == '\n') {
      return NULL;
    }
  }
  return letters ? text : NULL;
}

/* The next token below `bar` (in logit, ties to the lower id); -1: none. */
static int32_t next_best(const struct lens *l, double bar, int32_t after) {
  int32_t best = -1;
  int vocab = model_vocab(l->m);
  for (int32_t i = 0; i < vocab; i++) {
    double rise = (double)l->logits[i] - (double)l->empty[i];
    if (rise > bar || (rise == bar && i <= after)) {
      continue;
    }
    if (best < 0 || rise > (double)l->logits[best] - (double)l->empty[best]) {
      best = i;
    }
  }
  return best;
}

static void write_words(const struct lens *l, int words, char *out) {
  size_t n = 0;
  double bar = 1e300;
  int32_t id = -1;
  out[0] = '\0';
  for (int found = 0, tried = 0; found < words && tried < 8 * words; tried++) {
    id = next_best(l, bar, id);
    if (id < 0) {
      return;
    }
    bar = (double)l->logits[id] - (double)l->empty[id];
    const char *text = readable(l->t, id);
    size_t bytes = text ? strlen(text) : 0;
    if (bytes == 0 || n + bytes + 2 > ATTRIBUTION_LENS) {
      continue;
    }
    if (n > 0) {
      out[n++] = '\n';
    }
    memcpy(out + n, text, bytes + 1);
    n += bytes;
    found++;
  }
}

static status look(struct lens *l, struct attribution_unit *u, int words, int linear,
                   struct error *err) {
  if (l->block != u->block) {
    TRY(model_linear_read(l->m, u->block, linear, l->weights, err));
    l->block = u->block;
  }
  for (int i = 0; i < l->rows; i++) {
    l->column[i] = l->weights[(size_t)i * (size_t)l->width + (size_t)u->unit];
  }
  TRY(forward_logits(l->m, l->workspace, l->column, l->logits, err));
  write_words(l, words, u->lens);
  return STATUS_OK;
}

status lens_fill(const struct model *m, const struct tokenizer *t, struct attribution_unit *units,
                 size_t count, int words, struct error *err) {
  if (words <= 0 || count == 0) {
    return STATUS_OK;
  }
  struct lens l = {.m = m, .t = t};
  struct units u;
  status st = lens_open(&l, err);
  if (st == STATUS_OK) {
    st = units_of(m, &u, err);
  }
  for (size_t i = 0; st == STATUS_OK && i < count; i++) {
    st = look(&l, &units[i], words, u.linear, err);
  }
  lens_close(&l);
  return st;
}
