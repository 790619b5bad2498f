#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/fewshot.h"

/* The item's contexts behind `before` (description and examples); equal pointers stay equal. */
static status set_contexts(struct item *item, const struct rendered *r, const struct str *before,
                           struct arena *arena, struct error *err) {
  if (before->count == 0) {
    item->contexts = r->contexts;
    return STATUS_OK;
  }
  TRY(arena_alloc(arena, &item->contexts, r->choices * sizeof *item->contexts, err));
  for (size_t i = 0; i < r->choices; i++) {
    if (i && r->contexts[i] == r->contexts[i - 1]) {
      item->contexts[i] = item->contexts[i - 1];
      continue;
    }
    size_t n = strlen(r->contexts[i]);
    TRY(arena_alloc(arena, &item->contexts[i], before->count + n + 1, err));
    memcpy(item->contexts[i], before->at, before->count);
    memcpy(item->contexts[i] + before->count, r->contexts[i], n);
  }
  return STATUS_OK;
}

/* multiple_choice puts the delimiter in front of each choice; a last word carries its own space. */
static status set_continuations(const struct task *t, struct item *item, const struct rendered *r,
                                struct arena *arena, struct error *err) {
  item->answers = r->answers;
  if (t->type == TASK_LAST_WORD) {
    item->continuations = r->answers;
    return STATUS_OK;
  }
  TRY(arena_alloc(arena, &item->continuations, r->choices * sizeof *item->continuations, err));
  size_t gap = strlen(t->delimiter);
  for (size_t i = 0; i < r->choices; i++) {
    size_t n = strlen(r->answers[i]);
    char *text;
    TRY(arena_alloc(arena, &text, gap + n + 1, err));
    memcpy(text, t->delimiter, gap);
    memcpy(text + gap, r->answers[i], n);
    item->continuations[i] = text;
  }
  return STATUS_OK;
}

struct rendering {
  const struct task *task;
  struct documents documents, pool;
  struct fewshots fewshots;
  size_t *order; /* [documents], or NULL: as in the file */
  int shots;
  struct str before;
  struct arena *arena;
};

static status render_item(struct rendering *r, size_t index, struct item *item, struct error *err) {
  const struct task *t = r->task;
  const struct jsonl_line *line = &r->documents.at[index];
  const char *file = r->documents.file.path;
  struct rendered doc;
  TRY(render_document(t, file, line, r->arena, &doc, err));
  *item = (struct item){.doc = (int)index, .line = line->line};
  if (doc.text) {
    item->gold = -1;
    item->text = doc.text;
    item->counted = doc.counted;
    return STATUS_OK;
  }
  char *description;
  TRY(render_description(t, file, line, r->arena, &description, err));
  r->before.count = 0;
  TRY(str_add(&r->before, description, strlen(description), err));
  if (r->shots) {
    TRY(fewshots_add(&r->fewshots, line, r->arena, &r->before, err));
  }
  item->choices = (int)doc.choices;
  item->gold = doc.gold;
  TRY(set_contexts(item, &doc, &r->before, r->arena, err));
  return set_continuations(t, item, &doc, r->arena, err);
}

/* A file may be sorted by its labels: then its first documents say nothing about the rest. */
static status shuffle(struct rendering *r, struct error *err) {
  size_t count = r->documents.count;
  TRY(mem_alloc(&r->order, count, sizeof *r->order, err));
  for (size_t i = 0; i < count; i++) {
    r->order[i] = i;
  }
  struct rng rng;
  rng_seed(&rng, 0);
  rng_shuffle(&rng, count, r->order);
  return STATUS_OK;
}

static status open_files(struct rendering *r, int first, int limit, struct error *err) {
  const struct task *t = r->task;
  if (r->shots && !t->pool) {
    return err_at(err, STATUS_INPUT, t->pool_origin.file, t->pool_origin.line,
                  "no file '%s' to draw %d examples from", t->pool_name, r->shots);
  }
  bool own_pool = r->shots && strcmp(t->pool, t->data) == 0;
  size_t lines = limit && !own_pool && !t->shuffled ? (size_t)first + (size_t)limit : 0;
  TRY(documents_open(&r->documents, t, t->data, lines, err));
  TRY(t->shuffled ? shuffle(r, err) : STATUS_OK);
  if (!r->shots) {
    return STATUS_OK;
  }
  if (!own_pool) {
    TRY(documents_open(&r->pool, t, t->pool, 0, err));
  }
  return fewshots_start(&r->fewshots, t, own_pool ? &r->documents : &r->pool, r->shots, err);
}

status task_render(const struct task *t, int first, int limit, int shots, struct items *out,
                   struct error *err) {
  struct rendering r = {.task = t, .shots = t->fewshot.shots >= 0 ? t->fewshot.shots : shots};
  struct items items = {0};
  status st;
  if (t->text) {
    r.shots = 0;
  }
  TRY_GOTO(st, done, arena_create(&r.arena, err));
  items.arena = r.arena;
  TRY_GOTO(st, done, open_files(&r, first, limit, err));
  size_t from = (size_t)first < r.documents.count ? (size_t)first : r.documents.count;
  size_t left = r.documents.count - from;
  items.count = limit && (size_t)limit < left ? (size_t)limit : left;
  TRY_GOTO(st, done, mem_alloc(&items.at, items.count, sizeof *items.at, err));
  for (size_t i = 0; i < items.count; i++) {
    TRY_GOTO(st, done, render_item(&r, r.order ? r.order[from + i] : from + i, &items.at[i], err));
  }
  memcpy(items.data_digest, r.documents.file.digest, sizeof items.data_digest);
done:
  free(r.order);
  str_free(&r.before);
  fewshots_free(&r.fewshots);
  documents_close(&r.documents);
  documents_close(&r.pool);
  if (st != STATUS_OK) {
    items_free(&items);
    return st;
  }
  *out = items;
  return STATUS_OK;
}

void items_free(struct items *items) {
  free(items->at);
  arena_free(items->arena);
  *items = (struct items){0};
}
