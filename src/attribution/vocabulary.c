#include "attribution/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "data/arena.h"
#include "eval/evalset.h"

void vocabulary_free(struct vocabulary *v) {
  free(v->places);
  free(v->terms);
  arena_free(v->arena);
  *v = (struct vocabulary){0};
}

/* The tokens that a word came from; *token, where the search begins, does not go backwards. */
static void align(struct place *at, const struct requests *r, const struct request *q,
                  size_t *token) {
  size_t end = q->context + (size_t)q->context_count;
  size_t first = at->word.first, behind = first + at->word.bytes;
  while (*token < end && r->spans[*token].end <= first) { /* template tokens end at 0 */
    ++*token;
  }
  size_t last = *token;
  while (last < end && r->spans[last].start < behind && r->spans[last].end > first) {
    last++;
  }
  at->token = *token;
  at->tokens = (int32_t)(last - *token);
}

static status add_item(struct vocabulary *v, const struct passages *p, size_t item,
                       struct error *err) {
  int choice = passage_choice(p, item);
  const char *text = p->items->at[item].contexts[choice];
  const struct requests *r = &p->set->requests;
  const struct request *q = &r->at[p->set->first[item] + (size_t)choice];
  size_t n = strlen(text), at = 0, token = q->context;
  for (struct text_word w; word_next(text, n, &at, &w);) {
    char *lower;
    TRY(arena_alloc(v->arena, &lower, w.bytes + 1, err));
    if (word_lower(text + w.first, w.bytes, lower) >= ATTRIBUTION_WORD) {
      continue;
    }
    TRY(mem_reserve(&v->places, &v->place_cap, v->place_count + 1, sizeof *v->places, err));
    struct place *place = &v->places[v->place_count++];
    *place = (struct place){.text = lower, .item = (int32_t)item, .word = w};
    align(place, r, q, &token);
  }
  return STATUS_OK;
}

static int by_word(const void *a, const void *b) {
  const struct place *x = a, *y = b;
  int order = strcmp(x->text, y->text);
  if (order != 0) {
    return order;
  }
  if (x->item != y->item) {
    return x->item < y->item ? -1 : 1;
  }
  return (x->word.first > y->word.first) - (x->word.first < y->word.first);
}

/* Makes terms of sorted places, and closes the gaps that places without tokens leave. */
static status make_terms(struct vocabulary *v, struct error *err) {
  size_t all = v->place_count, kept = 0;
  TRY(mem_alloc(&v->terms, all, sizeof *v->terms, err));
  for (size_t i = 0, end; i < all; i = end) {
    struct term t = {.text = v->places[i].text, .first = kept};
    for (end = i; end < all && strcmp(v->places[end].text, t.text) == 0; end++) {
      t.documents += end == i || v->places[end].item != v->places[end - 1].item;
    }
    for (size_t k = i; k < end; k++) {
      if (v->places[k].tokens) {
        v->places[kept++] = v->places[k];
      }
    }
    t.count = kept - t.first;
    v->terms[v->count] = t;
    v->count += t.count > 0;
  }
  v->place_count = kept;
  return STATUS_OK;
}

status vocabulary_make(struct vocabulary *v, const struct passages *p, struct error *err) {
  if (p->items->count != p->set->items || !p->set->requests.spans) {
    return err_set(err, STATUS_BUG, "an evalset of other items, or without its tokens' spans");
  }
  struct arena *arena;
  TRY(arena_create(&arena, err));
  v->arena = arena;
  v->items = (int32_t)p->items->count;
  for (size_t i = 0; i < p->items->count; i++) {
    TRY(add_item(v, p, i, err));
  }
  if (v->place_count) {
    qsort(v->places, v->place_count, sizeof *v->places, by_word);
  }
  return make_terms(v, err);
}

static int compare_term(const void *text, const void *term) {
  return strcmp(text, ((const struct term *)term)->text);
}

size_t vocabulary_find(const struct vocabulary *v, const char *text) {
  const struct term *found = bsearch(text, v->terms, v->count, sizeof *v->terms, compare_term);
  return found ? (size_t)(found - v->terms) : v->count;
}
