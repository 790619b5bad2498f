#include "sched/heap.h"

#include <stdlib.h>

#include "base/mem.h"

status heap_create(struct heap *out, size_t capacity, struct error *err) {
  struct heap h = {.capacity = capacity};
  status st;
  TRY_GOTO(st, fail, mem_alloc(&h.at, capacity, sizeof *h.at, err));
  TRY_GOTO(st, fail, mem_alloc(&h.place, capacity, sizeof *h.place, err));
  TRY_GOTO(st, fail, mem_alloc(&h.key, capacity, sizeof *h.key, err));
  for (size_t i = 0; i < capacity; i++) {
    h.place[i] = capacity;
  }
  *out = h;
  return STATUS_OK;
fail:
  heap_free(&h);
  return st;
}

void heap_free(struct heap *h) {
  free(h->at);
  free(h->place);
  free(h->key);
  *h = (struct heap){0};
}

bool heap_has(const struct heap *h, size_t item) {
  return h->place[item] < h->capacity;
}

static bool before(const struct heap *h, size_t a, size_t b) {
  return h->key[a] < h->key[b] || (h->key[a] == h->key[b] && a < b);
}

static void put(struct heap *h, size_t place, size_t item) {
  h->at[place] = item;
  h->place[item] = place;
}

static void rise(struct heap *h, size_t place) {
  size_t item = h->at[place];
  while (place > 0 && before(h, item, h->at[(place - 1) / 2])) {
    put(h, place, h->at[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put(h, place, item);
}

static void sink(struct heap *h, size_t place) {
  size_t item = h->at[place];
  for (;;) {
    size_t child = 2 * place + 1;
    if (child + 1 < h->count && before(h, h->at[child + 1], h->at[child])) {
      child++;
    }
    if (child >= h->count || !before(h, h->at[child], item)) {
      break;
    }
    put(h, place, h->at[child]);
    place = child;
  }
  put(h, place, item);
}

void heap_set(struct heap *h, size_t item, double key) {
  if (!heap_has(h, item)) {
    put(h, h->count++, item);
  }
  h->key[item] = key;
  rise(h, h->place[item]);
  sink(h, h->place[item]);
}

void heap_remove(struct heap *h, size_t item) {
  if (!heap_has(h, item)) {
    return;
  }
  size_t place = h->place[item], last = h->at[--h->count];
  h->place[item] = h->capacity;
  if (last != item) {
    put(h, place, last);
    rise(h, place);
    sink(h, h->place[last]);
  }
}

size_t heap_top(const struct heap *h) {
  return h->at[0];
}
