#include "eval/evalset.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "data/text.h"
#include "eval/pack.h"

enum { LENGTH_MOST = 2048 };

static status add_item(struct evalset *e, const struct item *item, const struct tokenizer *t,
                       const struct model *m, bool bos, struct error *err) {
  const char *data = task_data(e->task);
  for (int i = 0; i < item->choices; i++) {
    size_t at = e->requests.count;
    TRY_WITH(
        err,
        requests_add_text(&e->requests, t, m, item->contexts[i], item->continuations[i], bos, err),
        "%s:%ld: choice %d", data, item->line, i + 1);
    e->bytes[at] = (double)strlen(item->answers[i]);
    e->points[at] = (double)text_points(item->answers[i], strlen(item->answers[i]));
  }
  e->choices = item->choices > e->choices ? item->choices : e->choices;
  return STATUS_OK;
}

static status fill_choices(struct evalset *e, const struct items *items, const struct tokenizer *t,
                           const struct model *m, bool bos, struct error *err) {
  size_t requests = 0;
  for (size_t i = 0; i < items->count; i++) {
    requests += (size_t)items->at[i].choices;
  }
  e->items = items->count;
  TRY(mem_alloc(&e->first, e->items + 1, sizeof *e->first, err));
  TRY(mem_alloc(&e->gold, e->items, sizeof *e->gold, err));
  TRY(mem_alloc(&e->points, requests, sizeof *e->points, err));
  TRY(mem_alloc(&e->bytes, requests, sizeof *e->bytes, err));
  for (size_t i = 0; i < e->items; i++) {
    TRY(add_item(e, &items->at[i], t, m, bos, err));
    e->first[i + 1] = e->requests.count;
    e->gold[i] = items->at[i].gold;
  }
  return STATUS_OK;
}

/* All texts, joined, as ids with the template's tokens. */
static status encode_texts(const struct evalset *e, const struct items *items,
                           const struct tokenizer *t, struct ids *out, struct error *err) {
  struct str text = {0};
  const char *join = task_join(e->task);
  status st = str_add(&text, "", 0, err);
  for (size_t i = 0; i < items->count && st == STATUS_OK; i++) {
    st = i ? str_add(&text, join, strlen(join), err) : STATUS_OK;
    if (st == STATUS_OK) {
      st = str_add(&text, items->at[i].text, strlen(items->at[i].text), err);
    }
  }
  if (st == STATUS_OK && tokenizer_encode(t, text.at, text.count, true, out, err) != STATUS_OK) {
    st = err_prefix(err, "%s", task_data(e->task));
  }
  str_free(&text);
  return st;
}

/* A window is one request: its first token the context, the others its continuation. */
static status fill_windows(struct evalset *e, const struct ids *ids, const struct model *m,
                           int limit, struct error *err) {
  size_t length = (size_t)e->length, windows = ids->count / length;
  if (windows == 0) {
    return err_set(err, STATUS_INPUT, "%s: %zu tokens (expected at least one window of %d)",
                   task_data(e->task), ids->count, e->length);
  }
  e->items = limit && (size_t)limit < windows ? (size_t)limit : windows;
  e->choices = 1;
  TRY(mem_alloc(&e->first, e->items + 1, sizeof *e->first, err));
  TRY(mem_alloc(&e->gold, e->items, sizeof *e->gold, err));
  for (size_t i = 0; i < e->items; i++) {
    const int32_t *at = ids->at + i * length;
    TRY_WITH(err, requests_add_ids(&e->requests, m, at, 1, at + 1, e->length - 1, err), "%s",
             task_data(e->task));
    e->first[i + 1] = i + 1;
    e->gold[i] = -1;
  }
  return STATUS_OK;
}

static status fill_text(struct evalset *e, const struct items *items, const struct tokenizer *t,
                        const struct model *m, const struct evalset_options *options,
                        struct error *err) {
  int positions = model_positions(m);
  int most = positions < LENGTH_MOST ? positions : LENGTH_MOST;
  e->length = options->length ? options->length : most;
  if (e->length < 2 || e->length > positions) {
    return err_set(err, STATUS_INPUT,
                   "task %s: windows of %d tokens (expected 2 to %d, the model's "
                   "positions)",
                   task_name(e->task), e->length, positions);
  }
  struct ids ids = {0};
  status st = encode_texts(e, items, t, &ids, err);
  st = st == STATUS_OK ? fill_windows(e, &ids, m, options->windows, err) : st;
  ids_free(&ids);
  return st;
}

static status count_work(struct evalset *e, struct error *err) {
  struct packs packs;
  TRY(packs_plan(&packs, &e->requests, err));
  for (size_t i = 0; i < packs.count; i++) {
    e->tokens += packs.at[i].tokens;
    e->queries += packs.at[i].queries;
  }
  packs_free(&packs);
  return STATUS_OK;
}

status evalset_create(struct evalset **out, const struct task *task, const struct tokenizer *t,
                      const struct model *m, const struct evalset_options *options,
                      struct error *err) {
  bool windows = task_type(task) == TASK_PERPLEXITY;
  struct items items = {0};
  struct evalset *e;
  status st;
  TRY(mem_alloc(&e, 1, sizeof *e, err));
  e->task = task;
  TRY_GOTO(st, done,
           task_render(task, 0, windows ? 0 : options->limit, options->shots, &items, err));
  memcpy(e->data_digest, items.data_digest, sizeof e->data_digest);
  TRY_GOTO(st, done,
           windows ? fill_text(e, &items, t, m, options, err)
                   : fill_choices(e, &items, t, m, options->bos, err));
  TRY_GOTO(st, done, count_work(e, err));
done:
  items_free(&items);
  if (st != STATUS_OK) {
    evalset_free(e);
    return st;
  }
  *out = e;
  return STATUS_OK;
}

void evalset_free(struct evalset *e) {
  if (!e) {
    return;
  }
  requests_free(&e->requests);
  free(e->first);
  free(e->gold);
  free(e->points);
  free(e->bytes);
  free(e);
}

const char *evalset_data_digest(const struct evalset *e) {
  return e->data_digest;
}

size_t evalset_tokens(const struct evalset *e) {
  return e->tokens;
}

size_t evalset_queries(const struct evalset *e) {
  return e->queries;
}
