#include "eval/evalset.h"

static status add_request(const struct evalset *e, size_t request, struct ids *room,
                          struct sequences *out, struct error *err) {
  const struct request *r = &e->requests.at[request];
  const int32_t *pool = e->requests.pool.at;
  room->count = 0;
  TRY(ids_append(room, pool + r->context, (size_t)r->context_count, err));
  TRY(ids_append(room, pool + r->continuation, (size_t)r->continuation_count, err));
  return sequences_add(out, room->at, room->count, err);
}

static status add_item(const struct evalset *e, size_t item, bool texts, struct ids *room,
                       struct sequences *out, struct error *err) {
  size_t first = e->first[item], count = e->first[item + 1] - first;
  if (!texts) {
    int32_t gold = e->gold[item];
    size_t choice = gold >= 0 && (size_t)gold < count ? (size_t)gold : 0;
    return count ? add_request(e, first + choice, room, out, err) : STATUS_OK;
  }
  for (size_t i = 0; i < count; i++) {
    TRY(add_request(e, first + i, room, out, err));
  }
  return STATUS_OK;
}

status evalset_sequences(const struct evalset *e, struct sequences *out, struct error *err) {
  enum task_type type = task_type(e->task);
  bool texts = type == TASK_PERPLEXITY || type == TASK_ROLLING;
  struct ids room = {0};
  status st = STATUS_OK;
  *out = (struct sequences){0};
  for (size_t i = 0; st == STATUS_OK && i < e->items; i++) {
    st = add_item(e, i, texts, &room, out, err);
  }
  ids_free(&room);
  return st;
}
