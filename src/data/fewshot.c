#include "data/fewshot.h"

#include <stdlib.h>
#include <string.h>

enum { HARNESS_SEED = 1234 };

status fewshots_start(struct fewshots *out, const struct task *t, const struct documents *pool,
                      int shots, struct error *err) {
  size_t drawn = (size_t)shots + (t->fewshot.exclude && !t->fewshot.first);
  if (drawn > pool->count) {
    return err_at(err, STATUS_INPUT, pool->file.path, 0,
                  "%zu examples for %d shots of task %s (expected at least %zu)", pool->count,
                  shots, t->name, drawn);
  }
  *out = (struct fewshots){.task = t, .pool = pool, .shots = (size_t)shots};
  rng_seed(&out->rng, HARNESS_SEED);
  return mem_alloc(&out->rows, drawn, sizeof *out->rows, err);
}

void fewshots_free(struct fewshots *f) {
  free(f->rows);
  f->rows = NULL;
}

/* The second draw: afresh from the pool without any copy of the document. */
static status draw_again(struct fewshots *f, const struct jsonl_line *doc, struct error *err) {
  size_t *rest, count = 0;
  TRY(mem_alloc(&rest, f->pool->count, sizeof *rest, err));
  for (size_t i = 0; i < f->pool->count; i++) {
    if (!cJSON_Compare(f->pool->at[i].json, doc->json, true)) {
      rest[count++] = i;
    }
  }
  status st = count < f->shots
                  ? err_at(err, STATUS_INPUT, f->pool->file.path, 0,
                           "%zu examples that differ from the document (expected at least %zu)",
                           count, f->shots)
                  : rng_sample(&f->rng, count, f->shots, f->rows, err);
  for (size_t i = 0; i < f->shots && st == STATUS_OK; i++) {
    f->rows[i] = rest[f->rows[i]];
  }
  free(rest);
  return st;
}

static status draw(struct fewshots *f, const struct jsonl_line *doc, struct error *err) {
  const struct fewshot *how = &f->task->fewshot;
  if (how->first) {
    for (size_t i = 0; i < f->shots; i++) {
      f->rows[i] = i;
    }
    return STATUS_OK;
  }
  size_t drawn = f->shots + how->exclude, kept = 0;
  TRY(rng_sample(&f->rng, f->pool->count, drawn, f->rows, err));
  if (!how->exclude) {
    return STATUS_OK;
  }
  for (size_t i = 0; i < drawn; i++) {
    if (!cJSON_Compare(f->pool->at[f->rows[i]].json, doc->json, true)) {
      f->rows[kept++] = f->rows[i];
    }
  }
  return kept < f->shots ? draw_again(f, doc, err) : STATUS_OK;
}

status fewshots_add(struct fewshots *f, const struct jsonl_line *doc, struct arena *arena,
                    struct str *out, struct error *err) {
  TRY(draw(f, doc, err));
  for (size_t i = 0; i < f->shots; i++) {
    struct rendered r;
    TRY(render_document(f->task, f->pool->file.path, &f->pool->at[f->rows[i]], arena, &r, err));
    TRY(str_addf(out, err, "%s%s%s%s", r.contexts[r.gold], f->task->delimiter, r.answers[r.gold],
                 f->task->fewshot.delimiter));
  }
  return STATUS_OK;
}
