#include "tokenizer/vocab.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

status vocab_start(struct vocab *v, size_t capacity, struct error *err) {
  size_t slots = 8;
  while (slots < 2 * capacity) {
    slots *= 2;
  }
  *v = (struct vocab){0};
  TRY(mem_alloc(&v->tokens, capacity, sizeof *v->tokens, err));
  TRY(mem_alloc(&v->slots, slots, sizeof *v->slots, err));
  v->mask = slots - 1;
  return STATUS_OK;
}

void vocab_add(struct vocab *v, const char *text, int32_t id) {
  v->tokens[v->count++] = (struct token){text, (uint32_t)strlen(text), id};
}

void vocab_free(struct vocab *v) {
  free(v->tokens);
  free(v->slots);
  *v = (struct vocab){0};
}

/* The slot of a text, or the free slot where it belongs. */
static size_t slot_of(const struct vocab *v, const char *text, size_t bytes) {
  size_t slot = digest_u64(text, bytes) & v->mask;
  for (; v->slots[slot]; slot = (slot + 1) & v->mask) {
    const struct token *t = &v->tokens[v->slots[slot] - 1];
    if (t->bytes == bytes && memcmp(t->text, text, bytes) == 0) {
      break;
    }
  }
  return slot;
}

static int by_id(const void *a, const void *b) {
  const struct token *x = a, *y = b;
  return (x->id > y->id) - (x->id < y->id);
}

status vocab_index(struct vocab *v, const char *file, struct error *err) {
  qsort(v->tokens, v->count, sizeof *v->tokens, by_id);
  for (size_t i = 0; i < v->count; i++) {
    const struct token *t = &v->tokens[i];
    if (i > 0 && t[-1].id == t->id) {
      return err_at(err, STATUS_INPUT, file, 0, "tokens '%s' and '%s' both have id %d", t[-1].text,
                    t->text, t->id);
    }
    size_t slot = slot_of(v, t->text, t->bytes);
    if (v->slots[slot]) {
      return err_at(err, STATUS_INPUT, file, 0, "token '%s' has two ids, %d and %d", t->text,
                    v->tokens[v->slots[slot] - 1].id, t->id);
    }
    v->slots[slot] = (uint32_t)i + 1;
  }
  return STATUS_OK;
}

int32_t vocab_id(const struct vocab *v, const char *text, size_t bytes) {
  uint32_t found = v->slots[slot_of(v, text, bytes)];
  return found ? v->tokens[found - 1].id : -1;
}

const char *vocab_text(const struct vocab *v, int32_t id) {
  struct token key = {.id = id};
  const struct token *t = bsearch(&key, v->tokens, v->count, sizeof *v->tokens, by_id);
  return t ? t->text : NULL;
}
