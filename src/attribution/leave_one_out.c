#include "attribution/leave_one_out.h"

#include <stdlib.h>
#include <string.h>

#include "attribution/ablation.h"
#include "base/str.h"
#include "data/text.h"
#include "eval/evalset.h"

void trials_free(struct trials *t) {
  free(t->at);
  *t = (struct trials){0};
}

static const char *context_of(const struct passages *p, size_t item) {
  return p->items->at[item].contexts[passage_choice(p, item)];
}

/* Whether anything is left of the context. */
static bool leaves_text(const struct passages *p, const struct place *at) {
  const char *text = context_of(p, (size_t)at->item), *behind = text + at->word.first;
  return text_space_left(text, at->word.first) < at->word.first ||
         text_space_left(behind + at->word.bytes, strlen(behind + at->word.bytes)) <
             strlen(behind + at->word.bytes);
}

static bool is_usable(const struct passages *p, const struct place *at) {
  return p->items->at[at->item].gold >= 0 && leaves_text(p, at);
}

/* Usable places of a term into out [t->count], an item's first ones before all others; *firsts of
 * them. */
static size_t list_places(const struct passages *p, const struct vocabulary *v,
                          const struct term *t, size_t *out, size_t *firsts) {
  size_t found = 0;
  for (int later = 0; later < 2; later++) {
    int32_t item = -1;
    for (size_t k = t->first; k < t->first + t->count; k++) {
      const struct place *at = &v->places[k];
      if (!is_usable(p, at)) {
        continue;
      }
      if ((at->item == item) == later) {
        out[found++] = k;
      }
      item = at->item;
    }
    *firsts = later ? *firsts : found;
  }
  return found;
}

/* Adds trials at `take` of places [among], evenly spread. */
static void spread(struct trials *out, size_t candidate, const size_t *places, size_t among,
                   size_t take) {
  for (size_t i = 0; i < take; i++) {
    size_t at = (2 * i + 1) * among / (2 * take);
    out->at[out->count++] = (struct trial){.candidate = candidate, .place = places[at]};
  }
}

static size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* Adds a candidate's trials: items once each as long as there are enough of them. */
static status choose(struct trials *out, const struct passages *p, const struct vocabulary *v,
                     size_t candidate, const struct term *t, size_t most, struct error *err) {
  size_t *places, firsts = 0;
  TRY(mem_alloc(&places, t->count, sizeof *places, err));
  size_t found = list_places(p, v, t, places, &firsts);
  size_t once = smaller(firsts, most), again = smaller(found - firsts, most - once);
  status st = mem_reserve(&out->at, &out->cap, out->count + once + again, sizeof *out->at, err);
  if (st == STATUS_OK) {
    spread(out, candidate, places, firsts, once);
    spread(out, candidate, places + firsts, found - firsts, again);
  }
  free(places);
  return st;
}

/* By item, so that an item's trials share its base. */
static int by_item(const void *a, const void *b, void *vocabulary) {
  const struct vocabulary *v = vocabulary;
  const struct trial *x = a, *y = b;
  const struct place *p = &v->places[x->place], *q = &v->places[y->place];
  if (p->item != q->item) {
    return p->item < q->item ? -1 : 1;
  }
  return (p->word.first > q->word.first) - (p->word.first < q->word.first);
}

static int by_candidate(const void *a, const void *b) {
  const struct trial *x = a, *y = b;
  if (x->candidate != y->candidate) {
    return x->candidate < y->candidate ? -1 : 1;
  }
  return (x->place > y->place) - (x->place < y->place);
}

static status add_request(struct ablations *a, const struct passages *p, size_t item, size_t base,
                          const char *context, struct error *err) {
  const struct item *it = &p->items->at[item];
  TRY(ablations_belong(a, base, err));
  TRY_WITH(err,
           requests_add_text(&a->requests, p->tokenizer, p->model, context,
                             it->continuations[it->gold], p->bos, err),
           "%s:%ld", task_data(p->set->task), it->line);
  return STATUS_OK;
}

/* One request per trial, and one before each item's: request [count] says which is a trial's. */
static status make_requests(struct ablations *a, size_t *request, const struct passages *p,
                            const struct vocabulary *v, const struct trials *t, struct error *err) {
  struct str shorter = {0};
  status st = STATUS_OK;
  size_t base = 0;
  for (size_t i = 0; st == STATUS_OK && i < t->count; i++) {
    const struct place *at = &v->places[t->at[i].place];
    const char *context = context_of(p, (size_t)at->item);
    if (i == 0 || v->places[t->at[i - 1].place].item != at->item) {
      base = a->requests.count;
      TRY_GOTO(st, done, add_request(a, p, (size_t)at->item, base, context, err));
    }
    size_t n = strlen(context);
    TRY_GOTO(st, done, mem_reserve(&shorter.at, &shorter.cap, n + 1, 1, err));
    (void)word_remove(context, n, at->word, shorter.at);
    request[i] = a->requests.count;
    TRY_GOTO(st, done, add_request(a, p, (size_t)at->item, base, shorter.at, err));
  }
done:
  str_free(&shorter);
  return st;
}

static status score(struct trials *t, const struct passages *p, const struct vocabulary *v,
                    struct runner *dense,
                    status (*progress)(void *user, double done, struct error *err),
                    void *progress_user, struct error *err) {
  struct ablations a = {0};
  size_t *request = NULL;
  double *scores = NULL;
  status st;
  TRY_GOTO(st, done, mem_alloc(&request, t->count, sizeof *request, err));
  TRY_GOTO(st, done, make_requests(&a, request, p, v, t, err));
  TRY_GOTO(st, done, mem_alloc(&scores, a.requests.count, sizeof *scores, err));
  TRY_GOTO(
      st, done,
      ablations_score(&a, ABLATION_ROWS, dense, p->model, progress, progress_user, scores, err));
  for (size_t i = 0; i < t->count; i++) {
    t->at[i].fall = scores[a.base[request[i]]] - scores[request[i]];
  }
done:
  free(request);
  free(scores);
  ablations_free(&a);
  return st;
}

status leave_one_out(struct trials *out, const struct passages *p, const struct vocabulary *v,
                     const size_t *terms, size_t count, size_t most, struct runner *dense,
                     status (*progress)(void *user, double done, struct error *err),
                     void *progress_user, struct error *err) {
  for (size_t i = 0; i < count; i++) {
    TRY(choose(out, p, v, i, &v->terms[terms[i]], most, err));
  }
  if (out->count == 0) {
    return STATUS_OK;
  }
  qsort_r(out->at, out->count, sizeof *out->at, by_item, (void *)v);
  TRY(score(out, p, v, dense, progress, progress_user, err));
  qsort(out->at, out->count, sizeof *out->at, by_candidate);
  return STATUS_OK;
}
