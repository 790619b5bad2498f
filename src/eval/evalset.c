#include "eval/evalset.h"

#include <stdlib.h>
#include <string.h>

#include "data/text.h"
#include "eval/pack.h"

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

static bool wants_alone(const struct task *task) {
  for (const char *const *name = task_metrics(task); *name; name++) {
    if (strcmp(*name, "acc_mutual_info") == 0) {
      return true;
    }
  }
  return false;
}

/* The continuations once more, each behind the prefix token alone. */
static status fill_alone(struct evalset *e, const struct items *items, const struct tokenizer *t,
                         const struct model *m, struct error *err) {
  e->alone = e->requests.count;
  for (size_t i = 0; i < items->count; i++) {
    const struct item *item = &items->at[i];
    for (int j = 0; j < item->choices; j++) {
      TRY_WITH(err, requests_add_text(&e->requests, t, m, "", item->continuations[j], false, err),
               "%s:%ld: choice %d", task_data(e->task), item->line, j + 1);
    }
  }
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
  return wants_alone(e->task) ? fill_alone(e, items, t, m, err) : STATUS_OK;
}

static status count_work(struct evalset *e, struct error *err) {
  struct packs packs;
  TRY(packs_plan(&packs, &e->requests, packing_usual(), err));
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
  enum task_type type = task_type(task);
  bool texts = type == TASK_PERPLEXITY || type == TASK_ROLLING;
  struct items items = {0};
  struct evalset *e;
  status st;
  TRY(mem_alloc(&e, 1, sizeof *e, err));
  e->task = task;
  e->requests.keeps_spans = options->spans;
  TRY_GOTO(st, done,
           task_render(task, 0, type == TASK_PERPLEXITY ? 0 : options->limit, options->shots,
                       &items, err));
  memcpy(e->data_digest, items.data_digest, sizeof e->data_digest);
  TRY_GOTO(st, done,
           texts ? evalset_fill_texts(e, &items, t, m, options, err)
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
  free(e->words);
  free(e->text_bytes);
  free(e);
}

const char *evalset_data_digest(const struct evalset *e) {
  return e->data_digest;
}

size_t evalset_items(const struct evalset *e) {
  return e->items;
}

size_t evalset_tokens(const struct evalset *e) {
  return e->tokens;
}

size_t evalset_queries(const struct evalset *e) {
  return e->queries;
}
