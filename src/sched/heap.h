/* An indexed binary heap over the items 0 .. capacity - 1: the item with the smallest key is on
 * top, equal keys in the order of the items. Every operation takes O(log count). */
#ifndef ESPALIER_SCHED_HEAP_H
#define ESPALIER_SCHED_HEAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct heap {
  size_t capacity, count;
  size_t *at;    /* [count] items in heap order */
  size_t *place; /* [capacity] where an item stands in `at`; capacity: nowhere */
  double *key;   /* [capacity] */
};

status heap_create(struct heap *out, size_t capacity, struct error *err);
void heap_free(struct heap *h);

bool heap_has(const struct heap *h, size_t item);
/* Puts an item in, or moves it to its new key. */
void heap_set(struct heap *h, size_t item, double key);
/* Takes an item out; nothing happens when it is not in. */
void heap_remove(struct heap *h, size_t item);
/* The item on top; the heap must not be empty. */
size_t heap_top(const struct heap *h);

#endif
