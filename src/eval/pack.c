#include "eval/pack.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct packing packing_usual(void) {
  return (struct packing){.tokens = 2048};
}

void packs_free(struct packs *p) {
  free(p->at);
  *p = (struct packs){0};
}

static bool same_context(const struct requests *r, size_t a, size_t b) {
  const struct request *x = &r->at[a], *y = &r->at[b];
  return x->context_count == y->context_count &&
         memcmp(r->pool.at + x->context, r->pool.at + y->context,
                (size_t)x->context_count * sizeof *r->pool.at) == 0;
}

/* The last continuation token is asked for but never read. */
static size_t own_rows(const struct request *q) {
  return (size_t)q->continuation_count - 1;
}

/* Number of requests from `first` on that share one context. */
static size_t group_size(const struct packs *p, const struct requests *r, size_t first,
                         size_t end) {
  size_t i = first + 1;
  while (i < end && !p->packing.apart && same_context(r, first, i)) {
    i++;
  }
  return i - first;
}

static status pack_start(struct packs *p, size_t first, struct error *err) {
  TRY(mem_reserve(&p->at, &p->cap, p->count + 1, sizeof *p->at, err));
  p->at[p->count++] = (struct pack){.first = first};
  return STATUS_OK;
}

/* Adds the requests of one group, cutting it only when it does not fit an empty pack. */
static status group_add(struct packs *p, const struct requests *r, size_t first, size_t size,
                        struct error *err) {
  size_t whole = (size_t)r->at[first].context_count;
  for (size_t i = 0; i < size; i++) {
    whole += own_rows(&r->at[first + i]);
  }
  struct pack *pack = p->count ? &p->at[p->count - 1] : NULL;
  if (!pack || pack->tokens + whole > p->packing.tokens) {
    TRY(pack_start(p, first, err));
    pack = &p->at[p->count - 1];
  }
  bool context_there = false;
  for (size_t i = first; i < first + size; i++) {
    const struct request *q = &r->at[i];
    size_t context = (size_t)q->context_count;
    size_t rows = own_rows(q) + (context_there ? 0 : context);
    if (context_there && pack->tokens + rows > p->packing.tokens) {
      TRY(pack_start(p, i, err));
      pack = &p->at[p->count - 1];
      rows = own_rows(q) + context;
    }
    context_there = true;
    pack->count++;
    pack->tokens += rows;
    pack->queries += (size_t)q->continuation_count;
  }
  return STATUS_OK;
}

status packs_plan(struct packs *out, const struct requests *r, struct packing packing,
                  struct error *err) {
  struct packs p = {.packing = packing};
  for (size_t i = 0; i < r->count;) {
    size_t size = group_size(&p, r, i, r->count);
    status st = group_add(&p, r, i, size, err);
    if (st != STATUS_OK) {
      packs_free(&p);
      return st;
    }
    i += size;
  }
  *out = p;
  return STATUS_OK;
}

void pack_work_free(struct pack_work *w) {
  free(w->ids);
  free(w->spans);
  free(w->queries);
  free(w->answers);
  free(w->request);
  free(w->origin);
  *w = (struct pack_work){0};
}

static void put_ids(struct pack_work *w, const struct requests *r, size_t from, size_t count) {
  for (size_t i = 0; i < count; i++, w->tokens++) {
    w->ids[w->tokens] = r->pool.at[from + i];
    w->origin[w->tokens] = from + i;
  }
}

static void put_span(struct pack_work *w, size_t first, size_t prefix_first, size_t prefix_length) {
  w->spans[w->span_count++] = (struct span){(int32_t)first, (int32_t)(w->tokens - first),
                                            (int32_t)prefix_first, (int32_t)prefix_length};
}

static void put_query(struct pack_work *w, size_t row, int32_t target, size_t request) {
  w->queries[w->queries_count] = (struct query){(int32_t)row, target};
  w->request[w->queries_count++] = request;
}

/* The first continuation tokens are all asked at the context's last row: next to each other, so
 * that the row is projected once. */
static void put_group(struct pack_work *w, const struct requests *r, size_t first, size_t size) {
  const struct request *head = &r->at[first];
  size_t start = w->tokens, context = (size_t)head->context_count;
  put_ids(w, r, head->context, context);
  if (size > 1) {
    put_span(w, start, 0, 0);
  }
  for (size_t i = first; i < first + size; i++) {
    put_query(w, start + context - 1, r->pool.at[r->at[i].continuation], i);
  }
  for (size_t i = first; i < first + size; i++) {
    const struct request *q = &r->at[i];
    const int32_t *ids = r->pool.at + q->continuation;
    size_t from = w->tokens, rows = own_rows(q);
    put_ids(w, r, q->continuation, rows);
    if (size > 1 && rows) {
      put_span(w, from, start, context);
    }
    for (size_t j = 0; j < rows; j++) {
      put_query(w, from + j, ids[j + 1], i);
    }
  }
  if (size == 1) {
    put_span(w, start, 0, 0);
  }
}

status pack_build(struct pack_work *out, const struct requests *r, const struct packs *packs,
                  size_t index, struct error *err) {
  const struct pack *pack = &packs->at[index];
  struct pack_work w = {0};
  status st;
  TRY_GOTO(st, failed, mem_alloc(&w.ids, pack->tokens, sizeof *w.ids, err));
  TRY_GOTO(st, failed, mem_alloc(&w.origin, pack->tokens, sizeof *w.origin, err));
  TRY_GOTO(st, failed, mem_alloc(&w.spans, 2 * pack->count, sizeof *w.spans, err));
  TRY_GOTO(st, failed, mem_alloc(&w.queries, pack->queries, sizeof *w.queries, err));
  TRY_GOTO(st, failed, mem_alloc(&w.answers, pack->queries, sizeof *w.answers, err));
  TRY_GOTO(st, failed, mem_alloc(&w.request, pack->queries, sizeof *w.request, err));
  size_t end = pack->first + pack->count;
  for (size_t i = pack->first; i < end;) {
    size_t size = group_size(packs, r, i, end);
    put_group(&w, r, i, size);
    i += size;
  }
  *out = w;
  return STATUS_OK;
failed:
  pack_work_free(&w);
  return st;
}
