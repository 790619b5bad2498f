#include "tokenizer/bpe.h"

#include <stdlib.h>
#include <string.h>

#include "tokenizer/unicode.h"

void bpe_work_free(struct bpe_work *w) {
  free(w->symbols);
  free(w->heap);
  str_free(&w->dressed);
  token_spans_free(&w->letters);
  *w = (struct bpe_work){0};
}

static status add_symbol(struct bpe_work *w, int32_t id, size_t start, size_t end,
                         struct error *err) {
  TRY(mem_reserve(&w->symbols, &w->cap, w->count + 1, sizeof *w->symbols, err));
  int32_t at = (int32_t)w->count;
  w->symbols[w->count++] = (struct bpe_symbol){id, at - 1, at + 1};
  struct token_span letter = {(uint32_t)start, (uint32_t)end};
  return w->kept ? token_spans_push(&w->letters, letter, err) : STATUS_OK;
}

/* Whether the tokens of all bytes of a character were added, which is bytes [start, end) of the
 * word. */
static status fall_back(const struct bpe *b, const char *letter, size_t bytes, size_t start,
                        size_t end, struct bpe_work *w, bool *done, struct error *err) {
  *done = b->byte_fallback;
  for (size_t i = 0; i < bytes; i++) {
    *done = *done && b->bytes[(unsigned char)letter[i]] >= 0;
  }
  for (size_t i = 0; i < bytes && *done; i++) {
    TRY(add_symbol(w, b->bytes[(unsigned char)letter[i]], start, end, err));
  }
  return STATUS_OK;
}

/* A character as the vocabulary spells it at its place in the word. */
static status dress(const struct bpe *b, const char **letter, size_t *bytes, bool first, bool last,
                    struct bpe_work *w, struct error *err) {
  const char *prefix = first ? "" : b->prefix, *suffix = last ? b->suffix : "";
  if (!*prefix && !*suffix) {
    return STATUS_OK;
  }
  w->dressed.count = 0;
  TRY(str_add(&w->dressed, prefix, strlen(prefix), err));
  TRY(str_add(&w->dressed, *letter, *bytes, err));
  TRY(str_add(&w->dressed, suffix, strlen(suffix), err));
  *letter = w->dressed.at;
  *bytes = w->dressed.count;
  return STATUS_OK;
}

/* The word's characters as symbols. An unknown one waits for the next known one, so that bytes that
 * fall back in between go in front of it: the library does so, and ids must be the same. */
static status spell(const struct bpe *b, const char *word, size_t bytes, struct bpe_work *w,
                    struct error *err) {
  bool waiting = false;
  size_t from = 0, to = 0; /* what waits */
  w->count = w->letters.count = 0;
  for (size_t at = 0, length; at < bytes; at += length) {
    (void)utf8_decode(word + at, &length);
    const char *letter = word + at;
    size_t n = length;
    TRY(dress(b, &letter, &n, at == 0, at + length == bytes, w, err));
    int32_t id = vocab_id(&b->vocab, letter, n);
    if (id >= 0) {
      TRY(waiting ? add_symbol(w, b->unknown, from, to, err) : STATUS_OK);
      waiting = false;
      TRY(add_symbol(w, id, at, at + length, err));
      continue;
    }
    bool done;
    TRY(fall_back(b, letter, n, at, at + length, w, &done, err));
    if (!done && b->unknown >= 0) {
      bool fused = waiting && b->fuse_unknown;
      TRY(waiting && !fused ? add_symbol(w, b->unknown, from, to, err) : STATUS_OK);
      waiting = true;
      from = fused ? from : at;
      to = at + length;
    }
  }
  TRY(waiting ? add_symbol(w, b->unknown, from, to, err) : STATUS_OK);
  if (w->count > 0) {
    w->symbols[w->count - 1].next = -1;
  }
  return STATUS_OK;
}

/* A heap with four children to a node: half the levels of one with two, and one cache line each. */
enum { HEAP_WAYS = 4 };

static void sift_down(struct bpe_work *w, size_t at) {
  struct bpe_candidate moving = w->heap[at];
  for (;;) {
    size_t child = HEAP_WAYS * at + 1, end = child + HEAP_WAYS;
    if (child >= w->heap_count) {
      break;
    }
    end = end < w->heap_count ? end : w->heap_count;
    for (size_t other = child + 1; other < end; other++) {
      child = w->heap[other].order < w->heap[child].order ? other : child;
    }
    if (moving.order <= w->heap[child].order) {
      break;
    }
    w->heap[at] = w->heap[child];
    at = child;
  }
  w->heap[at] = moving;
}

/* Appends the merge at a symbol and its right neighbour, if there is one, without ordering. */
static status add_candidate(const struct bpe *b, struct bpe_work *w, int32_t at,
                            struct error *err) {
  int32_t next = w->symbols[at].next;
  const struct merge *m =
      next < 0 ? NULL : merges_find(&b->merges, w->symbols[at].id, w->symbols[next].id);
  if (!m) {
    return STATUS_OK;
  }
  TRY(mem_reserve(&w->heap, &w->heap_cap, w->heap_count + 1, sizeof *w->heap, err));
  w->heap[w->heap_count++] =
      (struct bpe_candidate){(uint64_t)(uint32_t)m->rank << 32 | (uint32_t)at, m->id};
  return STATUS_OK;
}

static status push(const struct bpe *b, struct bpe_work *w, int32_t at, struct error *err) {
  size_t before = w->heap_count;
  TRY(add_candidate(b, w, at, err));
  if (w->heap_count == before) {
    return STATUS_OK;
  }
  struct bpe_candidate moving = w->heap[before];
  size_t i = before;
  for (; i > 0 && moving.order < w->heap[(i - 1) / HEAP_WAYS].order; i = (i - 1) / HEAP_WAYS) {
    w->heap[i] = w->heap[(i - 1) / HEAP_WAYS];
  }
  w->heap[i] = moving;
  return STATUS_OK;
}

static struct bpe_candidate pop(struct bpe_work *w) {
  struct bpe_candidate top = w->heap[0];
  w->heap[0] = w->heap[--w->heap_count];
  if (w->heap_count > 0) {
    sift_down(w, 0);
  }
  return top;
}

/* A candidate whose pair has changed since still counts when the pair there now has the same
 * product, at the old one's rank: the library's rule. */
static status merge_all(const struct bpe *b, struct bpe_work *w, struct error *err) {
  w->heap_count = 0;
  for (size_t i = 0; i < w->count; i++) {
    TRY(add_candidate(b, w, (int32_t)i, err));
  }
  for (size_t i = (w->heap_count + HEAP_WAYS - 2) / HEAP_WAYS; i-- > 0;) {
    sift_down(w, i);
  }
  while (w->heap_count > 0) {
    struct bpe_candidate top = pop(w);
    int32_t at = (int32_t)(uint32_t)top.order;
    struct bpe_symbol *left = &w->symbols[at];
    if (left->id < 0 || left->next < 0) {
      continue;
    }
    struct bpe_symbol *right = &w->symbols[left->next];
    const struct merge *now = merges_find(&b->merges, left->id, right->id);
    if (!now || now->id != top.id) {
      continue;
    }
    left->id = top.id;
    left->next = right->next;
    right->id = -1;
    if (left->next >= 0) {
      w->symbols[left->next].previous = at;
      TRY(push(b, w, at, err));
    }
    if (left->previous >= 0) {
      TRY(push(b, w, left->previous, err));
    }
  }
  return STATUS_OK;
}

/* A symbol covers itself and what was merged into it, up to the next one. */
static struct token_span covered(const struct bpe_work *w, size_t symbol) {
  int32_t next = w->symbols[symbol].next;
  size_t end = next < 0 ? w->count : (size_t)next;
  return token_spans_hull(w->letters.at + symbol, end - symbol);
}

status bpe_encode(const struct bpe *b, const char *word, size_t bytes, struct bpe_work *w,
                  struct ids *out, struct token_spans *spans, struct error *err) {
  w->kept = spans != NULL;
  int32_t whole = b->ignore_merges ? vocab_id(&b->vocab, word, bytes) : -1;
  if (whole >= 0) {
    TRY(spans ? token_spans_push(spans, (struct token_span){0, (uint32_t)bytes}, err) : STATUS_OK);
    return ids_push(out, whole, err);
  }
  TRY(spell(b, word, bytes, w, err));
  TRY(merge_all(b, w, err));
  for (size_t i = 0; i < w->count; i++) {
    if (w->symbols[i].id >= 0) {
      TRY(ids_push(out, w->symbols[i].id, err));
      TRY(spans ? token_spans_push(spans, covered(w, i), err) : STATUS_OK);
    }
  }
  return STATUS_OK;
}
