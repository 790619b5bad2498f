/* Language modelling as requests: windows of joined texts, and documents one by one. */
#include <string.h>

#include "base/str.h"
#include "data/text.h"
#include "eval/evalset.h"

enum { LENGTH_MOST = 2048 };

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

static status fill_joined(struct evalset *e, const struct items *items, const struct tokenizer *t,
                          const struct model *m, const struct evalset_options *options,
                          struct error *err) {
  struct ids ids = {0};
  status st = encode_texts(e, items, t, &ids, err);
  st = st == STATUS_OK ? fill_windows(e, &ids, m, options->windows, err) : st;
  ids_free(&ids);
  return st;
}

static status add_document(struct evalset *e, const struct item *item, const struct tokenizer *t,
                           const struct model *m, bool bos, struct error *err) {
  struct ids ids = {0};
  status st = tokenizer_encode(t, item->text, strlen(item->text), bos, &ids, err);
  if (st == STATUS_OK) {
    st = requests_add_rolling(&e->requests, t, m, ids.at, ids.count, e->length, err);
  }
  ids_free(&ids);
  return st == STATUS_OK ? st : err_prefix(err, "%s:%ld", task_data(e->task), item->line);
}

static status fill_documents(struct evalset *e, const struct items *items,
                             const struct tokenizer *t, const struct model *m, bool bos,
                             struct error *err) {
  e->items = items->count;
  e->choices = 1;
  TRY(mem_alloc(&e->first, e->items + 1, sizeof *e->first, err));
  TRY(mem_alloc(&e->gold, e->items, sizeof *e->gold, err));
  TRY(mem_alloc(&e->words, e->items, sizeof *e->words, err));
  TRY(mem_alloc(&e->text_bytes, e->items, sizeof *e->text_bytes, err));
  for (size_t i = 0; i < e->items; i++) {
    const struct item *item = &items->at[i];
    size_t bytes = strlen(item->counted);
    TRY(add_document(e, item, t, m, bos, err));
    e->first[i + 1] = e->requests.count;
    e->gold[i] = -1;
    e->words[i] = (double)text_words(item->counted, bytes);
    e->text_bytes[i] = (double)bytes;
  }
  return STATUS_OK;
}

status evalset_fill_texts(struct evalset *e, const struct items *items, const struct tokenizer *t,
                          const struct model *m, const struct evalset_options *options,
                          struct error *err) {
  bool rolling = task_type(e->task) == TASK_ROLLING;
  int positions = model_positions(m);
  int most = rolling || positions < LENGTH_MOST ? positions : LENGTH_MOST;
  e->length = options->length ? options->length : most;
  if (e->length < 2 || e->length > positions) {
    return err_set(err, STATUS_INPUT,
                   "task %s: windows of %d tokens (expected 2 to %d, the model's "
                   "positions)",
                   task_name(e->task), e->length, positions);
  }
  return rolling ? fill_documents(e, items, t, m, options->bos, err)
                 : fill_joined(e, items, t, m, options, err);
}
