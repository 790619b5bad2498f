#include "prune/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "linalg/shared_gram.h"

/* What a rank brings to a round. */
struct offer {
  int input; /* of whose activations it has; −1: it is at its end; −2: it failed */
  int tokens;
};

enum { AT_END = -1, FAILED = -2 };

static status open_shared(struct exchange *e, int input, struct error *err) {
  struct stats *s = &e->stats[input];
  struct shared_gram *shared = NULL;
  TRY(group_agree(e->group, mem_alloc(&shared, 1, sizeof *shared, err), err));
  status st = shared_gram_open(shared, e->group, s->cols, err);
  if (st != STATUS_OK) {
    free(shared);
    return st;
  }
  s->shared = shared;
  s->exchange = e;
  s->has |= STATS_GRAM;
  e->widest = s->cols > e->widest ? s->cols : e->widest;
  return STATUS_OK;
}

status exchange_open(struct exchange *out, const struct group *group, struct stats *stats,
                     const bool *shared, int inputs, struct error *err) {
  *out = (struct exchange){.group = group, .stats = stats, .inputs = inputs};
  for (int i = 0; i < inputs; i++) {
    if (shared[i]) {
      TRY(open_shared(out, i, err));
    }
  }
  if (out->widest == 0) {
    return STATUS_OK;
  }
  size_t count = (size_t)EXCHANGE_TOKENS * (size_t)out->widest;
  status st = mem_alloc_raw(&out->panel, count, sizeof *out->panel, err);
  if (st == STATUS_OK) {
    st = mem_alloc(&out->offers, (size_t)group->size, sizeof *out->offers, err);
  }
  return group_agree(group, st, err);
}

void exchange_close(struct exchange *e) {
  for (int i = 0; i < e->inputs; i++) {
    struct shared_gram *shared = e->stats[i].shared;
    if (shared) {
      shared_gram_close(shared);
      free(shared);
      e->stats[i].shared = NULL;
    }
  }
  free(e->panel);
  free(e->offers);
  *e = (struct exchange){0};
}

/* x [tokens][cols] of rank `from`, which alone has it, panel by panel. */
static status pass_round(struct exchange *e, int from, struct offer o, const float *x,
                         struct error *err) {
  struct shared_gram *to = e->stats[o.input].shared;
  size_t cols = (size_t)to->n;
  status worst = STATUS_OK;
  for (int first = 0; first < o.tokens; first += EXCHANGE_TOKENS) {
    int count = o.tokens - first < EXCHANGE_TOKENS ? o.tokens - first : EXCHANGE_TOKENS;
    size_t bytes = (size_t)count * cols * sizeof *x;
    if (x && from == e->group->rank) {
      memcpy(e->panel, x + (size_t)first * cols, bytes);
    }
    TRY(group_broadcast(e->group, from, e->panel, bytes, err));
    /* A product that fails must not keep this rank from the broadcasts that the others wait in. */
    status st = shared_gram_add(to, e->panel, count, err);
    worst = worst == STATUS_OK ? st : worst;
  }
  return worst;
}

/* One round; *ended: all ranks are at their end. */
static status go_round(struct exchange *e, struct offer mine, const float *x, bool *ended,
                       struct error *err) {
  bool failed = false;
  status worst = STATUS_OK;
  *ended = true;
  TRY(group_gather(e->group, &mine, sizeof mine, e->offers, err));
  for (int r = 0; r < e->group->size; r++) {
    failed = failed || e->offers[r].input == FAILED;
    *ended = *ended && e->offers[r].input == AT_END;
  }
  if (failed) {
    e->broken = true;
    return err_set(err, STATUS_MPI, "another rank failed");
  }
  for (int r = 0; r < e->group->size; r++) {
    if (e->offers[r].input >= 0) {
      status st = pass_round(e, r, e->offers[r], x, err);
      worst = worst == STATUS_OK ? st : worst;
    }
  }
  return worst;
}

status exchange_give(struct exchange *e, const struct stats *to, const float *x, int tokens,
                     struct error *err) {
  bool ended;
  struct offer mine = {.input = (int)(to - e->stats), .tokens = tokens};
  return go_round(e, mine, x, &ended, err);
}

status exchange_end(struct exchange *e, status st, struct error *err) {
  bool ended = e->widest == 0 || e->broken;
  while (!ended && st == STATUS_OK) {
    st = go_round(e, (struct offer){.input = AT_END}, NULL, &ended, err);
    ended = ended || e->broken;
  }
  if (!ended) { /* the others hear of it, in the round that they wait in */
    struct error unheard = {0};
    (void)go_round(e, (struct offer){.input = FAILED}, NULL, &ended, &unheard);
    e->broken = false;
    return st;
  }
  bool theirs = e->broken;
  e->broken = false;
  return theirs ? STATUS_OK : st;
}
