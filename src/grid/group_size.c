#include "grid/group_size.h"

#include <stdio.h>

#include "grid/cost.h"

/* Of a rank's memory: estimates are no promise, and the system needs some too. */
static const double SHARE_OF_MEMORY = 0.8;

static bool fits(const struct group_question *q, double bytes) {
  return q->memory <= 0 || bytes <= SHARE_OF_MEMORY * q->memory;
}

static struct group_answer smallest_that_fits(const struct group_question *q) {
  double alone = q->bytes(q->user, 1);
  struct group_answer least = {1, GROUP_LACKS, alone, alone};
  for (int size = 1; size <= q->ranks; size++) {
    if (q->ranks % size != 0) {
      continue;
    }
    double bytes = q->bytes(q->user, size);
    if (fits(q, bytes)) {
      return (struct group_answer){size, size == 1 ? GROUP_FITS : GROUP_MEMORY, alone, bytes};
    }
    if (bytes < least.bytes) {
      least.size = size;
      least.bytes = bytes;
    }
  }
  return least;
}

struct group_answer group_size_choose(const struct group_question *q) {
  struct group_answer a = smallest_that_fits(q);
  int most = a.size;
  for (int size = a.size + 1; q->variants > 0 && size <= q->ranks; size++) {
    if (q->ranks % size == 0 && (size_t)(q->ranks / size) >= q->variants) {
      most = size;
    }
  }
  if (most > a.size && q->longest >= GROUP_WORTH && a.reason != GROUP_LACKS) {
    a = (struct group_answer){most, GROUP_IDLE, a.alone, q->bytes(q->user, most)};
  }
  return a;
}

static double tokens_of(const struct variant *v) {
  return (double)v->samples * v->length;
}

struct asked {
  const struct plan *plan;
  int node; /* ranks of a machine */
};

static double least_bytes(const void *user, int size) {
  const struct asked *a = user;
  const struct plan *p = a->plan;
  double most = 0;
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[i];
    if (!v->elsewhere) {
      double bytes =
          cost_least_bytes(p->models[v->model].model, v->method, tokens_of(v), size, a->node);
      most = bytes > most ? bytes : most;
    }
  }
  return most;
}

static size_t count_variants(const struct plan *p) {
  size_t count = 0;
  for (size_t i = 0; i < p->variant_count; i++) {
    count += !p->variants[i].elsewhere;
  }
  return count;
}

struct group_answer plan_group_size(const struct plan *p, int ranks, int node, double memory) {
  struct asked asked = {p, node};
  struct group_question q = {.ranks = ranks,
                             .variants = count_variants(p),
                             .memory = memory,
                             .bytes = least_bytes,
                             .user = &asked};
  for (size_t i = 0; i < p->variant_count; i++) {
    const struct variant *v = &p->variants[i];
    q.longest = !v->elsewhere && v->seconds > q.longest ? v->seconds : q.longest;
  }
  return group_size_choose(&q);
}

void group_size_describe(const struct group_answer *a, const struct plan *p, int ranks,
                         double memory, char *text) {
  double alone = 1e-9 * a->alone, each = 1e-9 * a->bytes, has = 1e-9 * memory;
  size_t variants = count_variants(p);
  const char *s = a->size == 1 ? "" : "s";
  char head[64];
  (void)snprintf(head, sizeof head, "%d rank%s on a variant (of %d)", a->size, s, ranks);
  switch (a->reason) {
  case GROUP_FITS:
    (void)snprintf(text, GROUP_TEXT, "%s: %.2f GB of memory are enough, for %zu variant%s", head,
                   alone, variants, variants == 1 ? "" : "s");
    return;
  case GROUP_MEMORY:
    (void)snprintf(text, GROUP_TEXT,
                   "%s: a rank alone would need %.2f GB of its %.2f, each of these needs %.2f",
                   head, alone, has, each);
    return;
  case GROUP_IDLE:
    (void)snprintf(text, GROUP_TEXT, "%s: %zu variant%s would leave ranks idle", head, variants,
                   variants == 1 ? "" : "s");
    return;
  case GROUP_LACKS:
    (void)snprintf(text, GROUP_TEXT,
                   "%s: each needs %.2f GB and has %.2f (more memory for each rank is wanted)",
                   head, each, has);
    return;
  }
}
