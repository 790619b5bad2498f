#include "store/overlap.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

double overlap_iou(const struct overlap *o) {
  double either = o->a + o->b - o->both;
  return either > 0 ? o->both / either : NAN;
}

double overlap_chance(const struct overlap *o) {
  double either = o->a + o->b - o->chance_both;
  return either > 0 ? o->chance_both / either : NAN;
}

void overlap_add(struct overlap *to, const struct overlap *more) {
  to->weights += more->weights;
  to->a += more->a;
  to->b += more->b;
  to->both += more->both;
  to->chance_both += more->chance_both;
}

struct removed {
  uint64_t a, b, both;
};

static void count(struct removed *n, uint64_t a, uint64_t b) {
  n->a += (uint64_t)__builtin_popcountll(a);
  n->b += (uint64_t)__builtin_popcountll(b);
  n->both += (uint64_t)__builtin_popcountll(a & b);
}

/* One row; `last` are the bits of its last byte that stand for weights. */
static void count_row(struct removed *n, const unsigned char *a, const unsigned char *b,
                      size_t bytes, unsigned last) {
  size_t i = 0;
  for (; i + sizeof(uint64_t) < bytes; i += sizeof(uint64_t)) {
    uint64_t x, y;
    memcpy(&x, a + i, sizeof x);
    memcpy(&y, b + i, sizeof y);
    count(n, ~x, ~y);
  }
  for (; i < bytes; i++) {
    unsigned valid = i + 1 < bytes ? 0xffU : last;
    count(n, ~(unsigned)a[i] & valid, ~(unsigned)b[i] & valid);
  }
}

struct overlap overlap_of(const unsigned char *a, const unsigned char *b, int rows, int cols) {
  size_t stride = mask_row_bytes(cols);
  unsigned last = cols % 8 ? (1U << (cols % 8)) - 1 : 0xffU;
  struct removed n = {0};
  for (size_t r = 0; r < (size_t)rows; r++) {
    count_row(&n, a + r * stride, b + r * stride, stride, last);
  }
  struct overlap o = {
      .weights = (double)rows * cols, .a = (double)n.a, .b = (double)n.b, .both = (double)n.both};
  o.chance_both = o.weights > 0 ? o.a * o.b / o.weights : 0;
  return o;
}

struct pairs {
  const struct masks *m;
  const char *const *ids;
  size_t count;
  struct mask_tensors tensors;
  unsigned char *bits; /* [count][mask_bytes of the largest] */
  struct overlap *totals;
  overlap_see *see;
  void *user;
};

/* Every variant must have the tensors of the first. */
static status prepare(struct pairs *p, struct error *err) {
  TRY(masks_tensors(p->m, p->ids[0], &p->tensors, err));
  for (size_t i = 1; i < p->count; i++) {
    struct mask_tensors others;
    TRY(masks_tensors(p->m, p->ids[i], &others, err));
    bool same = others.count == p->tensors.count;
    for (size_t k = 0; same && k < others.count; k++) {
      const struct mask_tensor *a = &p->tensors.at[k], *b = &others.at[k];
      same = a->rows == b->rows && a->cols == b->cols && strcmp(a->name, b->name) == 0;
    }
    mask_tensors_free(&others);
    if (!same) {
      return err_set(err, STATUS_INPUT,
                     "masks of variants %s and %s cannot be compared: their tensors differ",
                     p->ids[0], p->ids[i]);
    }
  }
  size_t most = 0;
  for (size_t k = 0; k < p->tensors.count; k++) {
    size_t bytes = mask_bytes(p->tensors.at[k].rows, p->tensors.at[k].cols);
    most = bytes > most ? bytes : most;
  }
  return mem_alloc_raw(&p->bits, p->count, most, err);
}

static status compare_pair(const struct pairs *p, const struct mask_tensor *t, size_t i, size_t j,
                           struct error *err) {
  size_t bytes = mask_bytes(t->rows, t->cols);
  struct overlap o = overlap_of(p->bits + i * bytes, p->bits + j * bytes, t->rows, t->cols);
  if (p->totals) {
    overlap_add(&p->totals[i * p->count + j], &o);
  }
  if (i == j) {
    return STATUS_OK;
  }
  if (p->totals) {
    struct overlap turned = o;
    turned.a = o.b;
    turned.b = o.a;
    overlap_add(&p->totals[j * p->count + i], &turned);
  }
  return p->see ? p->see(p->user, t, i, j, &o, err) : STATUS_OK;
}

static status compare(struct pairs *p, const struct mask_tensor *t, struct error *err) {
  for (size_t i = 0; i < p->count; i++) {
    TRY(masks_read(p->m, p->ids[i], t, p->bits + i * mask_bytes(t->rows, t->cols), err));
  }
  for (size_t i = 0; i < p->count; i++) {
    for (size_t j = i; j < p->count; j++) {
      TRY(compare_pair(p, t, i, j, err));
    }
  }
  return STATUS_OK;
}

status overlap_pairs(const struct masks *m, const char *const *ids, size_t count,
                     struct overlap *totals, overlap_see *see, void *user, struct error *err) {
  if (count == 0) {
    return STATUS_OK;
  }
  struct pairs p = {.m = m, .ids = ids, .count = count, .totals = totals, .see = see, .user = user};
  for (size_t i = 0; totals && i < count * count; i++) {
    totals[i] = (struct overlap){0};
  }
  status st = prepare(&p, err);
  for (size_t k = 0; st == STATUS_OK && k < p.tensors.count; k++) {
    st = compare(&p, &p.tensors.at[k], err);
  }
  mask_tensors_free(&p.tensors);
  free(p.bits);
  return st;
}
